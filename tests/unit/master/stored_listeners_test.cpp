#include "master/stored_listeners.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>

namespace serval::master {
namespace {

struct StoredListeners : testing::Test {
  StoredListeners() {
    std::string pattern = testing::TempDir() + "stored_listeners_XXXXXX";
    folder = ::mkdtemp(pattern.data());
  }
  ~StoredListeners() override { std::filesystem::remove_all(folder); }

  static os::Listening open(const std::string& bind) { return std::move(*os::listen_on(*Address::parse(bind), 10)); }
  static std::optional<os::Listening> take(std::vector<os::NamedSocket>& passed, const std::string& bind) {
    return take_stored(passed, bind, *Address::parse(bind));
  }
  /// As systemd passes what was stored for `bind`.
  static std::vector<os::NamedSocket> passed_for(const std::string& bind) {
    os::Listening listening = open(bind);
    std::string name = stored_name(bind, listening);
    std::vector<os::NamedSocket> passed;
    passed.push_back({std::move(name), std::move(listening.fd)});
    return passed;
  }

  std::string folder;
};

TEST_F(StoredListeners, AreFoundByTheirBindWithTheSamePort) {
  for (const std::string bind : {"127.0.0.1:0", "localhost:0", "[::]:0", "*:0"}) {
    auto passed = passed_for(bind);
    const std::string address = os::bound_address(passed[0].fd.get());
    const auto taken = take(passed, bind);
    ASSERT_TRUE(taken) << bind;
    EXPECT_EQ(taken->address, address);
    EXPECT_TRUE(passed.empty());
  }
}

TEST_F(StoredListeners, AUnixSocketIsFoundWithItsFile) {
  const std::string path = folder + "/a b:c.sock";
  auto passed = passed_for("unix:" + path);
  const auto taken = take(passed, "unix:" + path);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->socket_file, path);
  EXPECT_TRUE(taken->local);
  os::remove_socket_file(*taken);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(StoredListeners, AUnixSocketWhoseFileIsAnotherOneByNowIsNotTaken) {
  const std::string bind = "unix:" + folder + "/app.sock";
  auto passed = passed_for(bind);
  std::filesystem::rename(folder + "/app.sock", folder + "/elsewhere");  // so that its inode stays in use
  EXPECT_FALSE(take(passed, bind));
  const os::Listening other = open(bind);
  EXPECT_FALSE(take(passed, bind));
  EXPECT_EQ(passed.size(), 1u);
}

TEST_F(StoredListeners, WhatWasStoredForAnotherBindIsNotTaken) {
  auto passed = passed_for("127.0.0.1:0");
  EXPECT_FALSE(take(passed, "127.0.0.1:8000"));
  EXPECT_FALSE(take(passed, "[::1]:0"));
  EXPECT_EQ(passed.size(), 1u);
}

TEST_F(StoredListeners, ANameAloneIsNotEnough) {
  std::vector<os::NamedSocket> passed;
  passed.push_back({stored_name("127.0.0.1:1", {}), std::move(open("127.0.0.1:0").fd)});
  EXPECT_FALSE(take(passed, "127.0.0.1:1")) << "another port";
  passed.clear();
  passed.push_back({stored_name("unix:@x", {}), std::move(open("127.0.0.1:0").fd)});
  EXPECT_FALSE(take(passed, "unix:@x")) << "another kind";
  passed.clear();
  UniqueFd not_listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  passed.push_back({stored_name("0.0.0.0:0", {}), std::move(not_listening)});
  EXPECT_FALSE(take(passed, "0.0.0.0:0")) << "it does not listen";
}

TEST_F(StoredListeners, WhatFitsNothingIsDroppedButForTheSocketsOfOthers) {
  auto passed = passed_for("127.0.0.1:0");
  passed.push_back({"http", std::move(open("127.0.0.1:0").fd)});
  drop_stored(passed);
  ASSERT_EQ(passed.size(), 1u);
  EXPECT_EQ(passed[0].name, "http");
}

}  // namespace
}  // namespace serval::master
