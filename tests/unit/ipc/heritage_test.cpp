#include "ipc/heritage.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/load.hpp"

namespace serval::ipc {
namespace {

Heritage example() {
  Heritage heritage;
  heritage.config.app.library = "/srv/lib \"quoted\".so";
  heritage.config.app.args = {"a b", "", "c=d"};
  heritage.config.app.env = {{"KEY", "value\nwith a line"}};
  heritage.config.workers.count = 7;
  heritage.config.log.level = config::LogLevel::warning;
  heritage.generation = 3;
  heritage.orders_fd = 9;
  heritage.reports_fd = 10;
  heritage.life_fd = 10;
  heritage.log_fd = 11;
  heritage.access_fd = -1;
  heritage.lobby_entry_fd = 14;
  heritage.lobby_exit_fd = 15;
  heritage.app_metrics_fd = 16;
  heritage.listeners = {{12, "127.0.0.1:8000", false}, {13, "unix:/run/shop.sock", true}};
  return heritage;
}

TEST(Heritage, ComesBackAsItWent) {
  const Heritage before = example();
  const auto fd = write_heritage(before);
  ASSERT_TRUE(fd) << fd.error();
  const auto after = read_heritage(fd->get());
  ASSERT_TRUE(after) << after.error();
  EXPECT_EQ(config::to_text(after->config), config::to_text(before.config));
  EXPECT_EQ(after->generation, 3);
  EXPECT_EQ(after->orders_fd, 9);
  EXPECT_EQ(after->reports_fd, 10);
  EXPECT_EQ(after->life_fd, 10);
  EXPECT_EQ(after->log_fd, 11);
  EXPECT_EQ(after->access_fd, -1);
  EXPECT_EQ(after->lobby_entry_fd, 14);
  EXPECT_EQ(after->lobby_exit_fd, 15);
  EXPECT_EQ(after->app_metrics_fd, 16);
  ASSERT_EQ(after->listeners.size(), 2u);
  EXPECT_EQ(after->listeners[0].fd, 12);
  EXPECT_EQ(after->listeners[0].address, "127.0.0.1:8000");
  EXPECT_FALSE(after->listeners[0].local);
  EXPECT_TRUE(after->listeners[1].local);
}

TEST(Heritage, HoldsPathsArgumentsAndVariablesThatAreNotUtf8) {
  Heritage before;
  before.config.app.library = "/srv/caf\xe9/lib.so";
  before.config.app.args = {"\xff\xfe"};
  before.config.app.env = {{"K\xe9", "v\x80"}};
  before.listeners = {{12, "unix:/run/\xe9.sock", true}};
  const auto fd = write_heritage(before);
  ASSERT_TRUE(fd) << fd.error();
  const auto after = read_heritage(fd->get());
  ASSERT_TRUE(after) << after.error();
  EXPECT_EQ(config::to_text(after->config), config::to_text(before.config));
  EXPECT_EQ(after->listeners[0].address, before.listeners[0].address);
}

TEST(Heritage, CannotBeChangedOnTheWay) {
  const auto fd = write_heritage(example());
  ASSERT_TRUE(fd);
  EXPECT_EQ(::write(fd->get(), "x", 1), -1);
  EXPECT_EQ(::ftruncate(fd->get(), 0), -1);
}

TEST(Heritage, RefusesWhatItDidNotWrite) {
  for (const std::string text : {"", "{", "[]", "{}", R"({"config":[["no.such.option","1"]],"generation":1})"}) {
    const UniqueFd fd(::memfd_create("test", MFD_CLOEXEC));
    ASSERT_EQ(::write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    EXPECT_FALSE(read_heritage(fd.get())) << text;
  }
  EXPECT_FALSE(read_heritage(-1));
}

TEST(Heritage, LogsAsConfigured) {
  config::Log config;
  config.level = config::LogLevel::error;
  config.format = config::LogFormat::json;
  const log::Settings settings = log_settings(config, 5);
  EXPECT_EQ(settings.level, log::Level::error);
  EXPECT_EQ(settings.format, log::Format::json);
  EXPECT_EQ(settings.fd, 5);
}

}  // namespace
}  // namespace serval::ipc
