#include "master/capture.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/log.hpp"

namespace serval::master {
namespace {

struct CaptureTest : testing::Test {
  CaptureTest() : log(::memfd_create("log", MFD_CLOEXEC)) {
    int fds[2];
    EXPECT_EQ(::pipe2(fds, O_CLOEXEC), 0);
    write_end.reset(fds[1]);
    log::start({.fd = log.get()}, "test");
    capture.emplace(io, UniqueFd(fds[0]), Writer{"worker[3]", 2, 4711, "stderr"});
  }
  ~CaptureTest() override { log::start({}, "test"); }  // the descriptor is going to be another file's
  void put(const std::string& text) {
    ASSERT_EQ(::write(write_end.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string logged() const {
    std::string text(static_cast<std::size_t>(::lseek(log.get(), 0, SEEK_END)), '\0');
    EXPECT_EQ(::pread(log.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    return text;
  }

  UniqueFd log, write_end;
  boost::asio::io_context io;
  std::optional<Capture> capture;
};

TEST_F(CaptureTest, LogsLinesUnderTheWritersName) {
  put("hello there\n");
  io.poll();
  EXPECT_THAT(logged(), testing::AllOf(testing::HasSubstr("worker[3]"), testing::HasSubstr("4711"),
                                       testing::HasSubstr("hello there")));
}

TEST_F(CaptureTest, StopsListeningAtTheEnd) {
  put("x\n");
  write_end.reset();
  io.run();  // returns: nothing is waited for any more
  EXPECT_THAT(logged(), testing::HasSubstr("x"));
}

TEST_F(CaptureTest, DrainsWhatTheDeadLeftBehind) {
  put("first\nlast words");
  capture->drain();
  EXPECT_THAT(logged(), testing::AllOf(testing::HasSubstr("first"), testing::HasSubstr("last words")));
}

TEST_F(CaptureTest, KeepsTheFieldsOfJsonWhereTheLogIsJson) {
  log::start({.format = log::Format::json, .fd = log.get()}, "test");
  put("{\"msg\":\"so\\nld\",\"item\":7,\"pid\":1,\"k\\n\":{\"a\":[0.25]}}\n");
  io.poll();
  EXPECT_THAT(logged(), testing::EndsWith(R"("process":"worker[3]","gen":2,"pid":4711,"stream":"stderr",)"
                                          R"("msg":"so\nld","item":7,"app_pid":1,"k\n":{"a":[0.25]}})"
                                          "\n"));
  put("{\"msg\":\"cut");
  capture->drain();
  EXPECT_THAT(logged(), testing::EndsWith(R"("stream":"stderr","msg":"{\"msg\":\"cut"})"
                                          "\n"));
}

TEST_F(CaptureTest, LeavesJsonAsItIsWhereTheLogIsText) {
  put("{\"msg\":\"sold\"}\n");
  io.poll();
  EXPECT_THAT(logged(), testing::EndsWith("stream=stderr: {\"msg\":\"sold\"}\n"));
}

TEST_F(CaptureTest, ReadsABoundedAmountAtATime) {
  ::fcntl(write_end.get(), F_SETPIPE_SZ, 256 * 1024);
  ::fcntl(write_end.get(), F_SETFL, O_NONBLOCK);
  const std::string lines(64 * 1024, '\n');
  const ssize_t written = ::write(write_end.get(), lines.data(), lines.size());
  ASSERT_GT(written, 32 * 1024);
  io.run_one();
  const std::string text = logged();
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), written);
}

}  // namespace
}  // namespace serval::master
