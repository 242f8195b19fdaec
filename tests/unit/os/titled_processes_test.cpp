#include "os/titled_processes.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "os/unique_fd.hpp"
#include "waiting_child.hpp"

namespace serval::os {
namespace {

using testing::ElementsAre;

UniqueFd listening(const std::string& path, int type) {
  UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  if (type == SOCK_STREAM) {
    EXPECT_EQ(::listen(fd.get(), 1), 0);
  }
  return fd;
}

TEST(TitledProcesses, FindsThoseThatAreCalledSo) {
  const auto all = processes_titled("");
  const auto own = std::find_if(all.begin(), all.end(), [](const auto& one) { return one.pid == ::getpid(); });
  ASSERT_NE(own, all.end());
  EXPECT_EQ(own->uid, ::geteuid());
  EXPECT_EQ(own->title.find('\0'), std::string::npos);
  EXPECT_THAT(processes_titled("no process is called so"), testing::IsEmpty());
}

TEST(TitledProcesses, AForkedChildIsNoOtherOne) {
  const WaitingChild child;
  ASSERT_GT(child.pid(), 0);
  const auto all = processes_titled("");
  const auto has = [&all](pid_t pid) {
    return std::any_of(all.begin(), all.end(), [pid](const auto& one) { return one.pid == pid; });
  };
  EXPECT_TRUE(has(::getpid()));
  EXPECT_FALSE(has(child.pid()));
}

TEST(TitledProcesses, OwnListenersAreThoseThatNoChildHas) {
  std::string folder = testing::TempDir() + "serval_titled_XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const UniqueFd shared = listening(folder + "/shared", SOCK_STREAM);
  const WaitingChild child;
  ASSERT_GT(child.pid(), 0);
  const UniqueFd own = listening(folder + "/a b", SOCK_STREAM);
  const UniqueFd datagrams = listening(folder + "/datagrams", SOCK_DGRAM);
  const auto paths = own_unix_listeners(::getpid());
  ASSERT_TRUE(paths);
  EXPECT_THAT(*paths, ElementsAre(folder + "/a b"));
  EXPECT_FALSE(own_unix_listeners(1 << 30));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace serval::os
