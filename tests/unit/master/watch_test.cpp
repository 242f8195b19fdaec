#include "master/watch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <optional>

#include "os/unique_fd.hpp"

namespace serval::master {
namespace {

struct WatchTest : testing::Test {
  WatchTest() {
    int fds[2];
    EXPECT_EQ(::pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    read_end.reset(fds[0]);
    write_end.reset(fds[1]);
  }
  void put(char byte) { EXPECT_EQ(::write(write_end.get(), &byte, 1), 1); }
  char get() {
    char byte = 0;
    EXPECT_EQ(::read(read_end.get(), &byte, 1), 1);
    return byte;
  }

  UniqueFd read_end, write_end;
  boost::asio::io_context io;
  std::optional<Watch> watch;
};

TEST_F(WatchTest, CallsAgainWhileThereIsSomethingToRead) {
  std::string got;
  watch.emplace(io, read_end.get(), [&] {
    got += get();
    if (got.size() == 3) io.stop();
  });
  put('a');
  put('b');
  put('c');
  io.run();
  EXPECT_EQ(got, "abc");
}

TEST_F(WatchTest, MayBeDestroyedByItsOwnCall) {
  int calls = 0;
  watch.emplace(io, read_end.get(), [&] {
    ++calls;
    watch.reset();
  });
  put('a');
  io.run();  // returns, since nothing is waited for any more
  EXPECT_EQ(calls, 1);
}

TEST_F(WatchTest, SaysThatTheOtherEndIsClosed) {
  bool called = false;
  watch.emplace(io, read_end.get(), [&] {
    called = true;
    watch.reset();
  });
  write_end.reset();
  io.run();
  EXPECT_TRUE(called);
}

TEST_F(WatchTest, ACallThatIsOnItsWayIsDropped) {
  put('a');
  watch.emplace(io, read_end.get(), [] { FAIL() << "called after it was destroyed"; });
  boost::asio::post(io, [&] { watch.reset(); });
  io.run();
}

}  // namespace
}  // namespace serval::master
