#include "mold/prepare.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "os/threads.hpp"

namespace serval::mold {
namespace {

using testing::HasSubstr;

ipc::Heritage with_library(const std::string& path) {
  ipc::Heritage heritage;
  heritage.config.app.library = path;
  return heritage;
}

TEST(Prepare, SaysWhichLibraryIsMissing) {
  const auto app = prepare(with_library("/nowhere/libmissing.so"));
  ASSERT_FALSE(app);
  EXPECT_THAT(app.error(), HasSubstr("/nowhere/libmissing.so"));
}

TEST(Prepare, RefusesAnUnknownUserBeforeItLoadsAnything) {
  ipc::Heritage heritage = with_library("/nowhere/libmissing.so");
  heritage.config.server.user = "no-such-user-here";
  const auto app = prepare(heritage);
  ASSERT_FALSE(app);
  EXPECT_THAT(app.error(), HasSubstr("no-such-user-here"));
}

TEST(Prepare, SetsTheUmaskForTheApp) {
  ipc::Heritage heritage = with_library("/nowhere/libmissing.so");
  heritage.config.server.umask = 0077;
  EXPECT_FALSE(prepare(heritage));
  EXPECT_EQ(::umask(0022), 0077u);
}

TEST(OnlyOneThread, NamesTheOthers) {
  EXPECT_TRUE(only_one_thread());
  std::mutex mutex;
  std::condition_variable changed;
  bool named = false;
  bool finish = false;
  std::thread other([&] {
    std::unique_lock lock(mutex);
    os::name_thread("pool-7");
    named = true;
    changed.notify_all();
    changed.wait(lock, [&] { return finish; });
  });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return named; });
    const auto alone = only_one_thread();
    ASSERT_FALSE(alone);
    EXPECT_THAT(alone.error(), testing::AllOf(HasSubstr("pool-7("), HasSubstr("worker_start")));
    finish = true;
    changed.notify_all();
  }
  other.join();
}

}  // namespace
}  // namespace serval::mold
