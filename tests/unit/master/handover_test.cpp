#include "master/handover.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "os/memory_file.hpp"

namespace serval::master {
namespace {

using namespace std::chrono_literals;

Handover example() {
  Handover handover;
  handover.protocol = kHandoverProtocol;
  handover.version = "9.9";
  handover.arguments = {"/usr/bin/serval", "run", "", "caf\xe9.so"};  // not UTF-8: a path may be anything
  handover.working_directory = "/srv/current";
  handover.nonce = "0123";
  handover.begun = TimePoint(3s);
  handover.supervisor.workers = 3;
  handover.supervisor.current = 2;
  handover.supervisor.newest = 4;
  handover.supervisor.complete = true;
  handover.supervisor.drained = true;
  handover.supervisor.pause = handover.supervisor.pauses = 2;
  handover.supervisor.ended = {{Cause::crash, 7}, {Cause::stop, 1}};
  handover.supervisor.molds = {{.generation = 2,
                                .state = supervisor::MoldState::ready,
                                .pid = 50,
                                .loaded_at = TimePoint(4s),
                                .tasks = {"queue"}}};
  handover.supervisor.programs = {
      {.name = "it", .task = "task:queue", .followed = 2, .instances = {{.id = 1, .pid = 200, .generation = 2}}}};
  handover.programs = {{.id = 1, .name = "it", .pid = 200, .is_task = true}};
  handover.supervisor.slots = {{.state = supervisor::SlotState::draining,
                                .generation = 1,
                                .pid = 100,
                                .cause = Cause::reload,
                                .why = "\"quoted\""},
                               {}};
  handover.supervisor.programs = {
      {.name = "job",
       .instances = {{.id = 3, .state = supervisor::ProgramState::ready, .pid = 60, .run = true, .overdue = true}},
       .scheduled = true,
       .rule = "every 5m",
       .schedule = {.begun = true,
                    .origin = TimePoint(5s),
                    .due = 7,
                    .next_ms = 1795869000000,
                    .ran = true,
                    .result = supervisor::RunResult::timeout,
                    .how = "SIGKILL",
                    .runs = {{supervisor::RunResult::missed, 4}}}}};
  handover.lobby_entry_fd = 7;
  handover.lobby_exit_fd = 8;
  handover.scoreboard_fd = 9;
  handover.app_metrics_fd = 19;
  handover.logs = {{.file = "/var/log/x", .access = "off", .log_fd = 11}};
  handover.listeners = {{.bind = "unix:/x",
                         .address = "unix:/x",
                         .fd = 12,
                         .local = true,
                         .socket_file = "/x",
                         .file_device = 1,
                         .file_inode = ~0ull}};
  handover.generations = {
      {.number = 2, .config = {{"workers.threads", "5"}}, .logs = 0, .listeners = {0}, .config_file = "/srv/7/x.toml"}};
  handover.molds = {{.generation = 2, .pid = 50, .reports_fd = 13, .orders_fd = 21, .app_size = 4096}};
  handover.workers = {{.slot = 0,
                       .generation = 1,
                       .pid = 100,
                       .max_requests = 1000,
                       .reports_fd = 14,
                       .orders_fd = 22,
                       .output_fd = 15,
                       .error_fd = 16}};
  handover.control = {.listener = {.bind = "/run/x.sock", .fd = 17}, .clients = {18}};
  handover.cgroups = {.folder = "/sys/fs/cgroup/x", .seated = {{0, {1, 2}}}};
  return handover;
}

Result<Handover> read(const std::string& text) {
  const UniqueFd fd = std::move(os::make_memory_file("test", "the test", text).value());
  return read_handover(fd.get());
}

std::string text_of(const Handover& handover) {
  const UniqueFd fd = std::move(write_handover(handover).value());
  return os::read_memory_file(fd.get(), "it").value();
}

TEST(Handover, ComesBackTheSame) {
  const Handover before = example();
  const auto after = read(text_of(before));
  ASSERT_TRUE(after) << after.error();
  EXPECT_EQ(after->supervisor, before.supervisor);
  EXPECT_TRUE(after->programs[0].is_task);
  EXPECT_EQ(after->arguments, before.arguments);
  EXPECT_EQ(after->working_directory, before.working_directory);
  EXPECT_EQ(after->nonce, before.nonce);
  EXPECT_EQ(after->generations[0].config_file, before.generations[0].config_file);
  EXPECT_EQ(after->fds(), before.fds());
  EXPECT_EQ(after->listeners[0].file_inode, before.listeners[0].file_inode);
  EXPECT_EQ(after->generations[0].config, before.generations[0].config);
  EXPECT_EQ(after->cgroups.seated, before.cgroups.seated);
  EXPECT_EQ(text_of(*after), text_of(before));  // whatever else there is
}

/// Other versions look for them there, whichever part of this one keeps them.
TEST(Handover, HasWhatTheSupervisorKnowsInOnePlace) {
  const std::string text = text_of(example());
  const std::string supervisor = text.substr(text.find("\"supervisor\":{"));
  for (const char* member :
       {"drained", "pause", "pauses", "paused_since", "next_reminder", "workers", "current", "ended"}) {
    const auto at = supervisor.find("\"" + std::string(member) + "\":");
    ASSERT_NE(at, std::string::npos) << member;
    EXPECT_EQ(std::count(supervisor.begin(), supervisor.begin() + static_cast<std::ptrdiff_t>(at), '{') -
                  std::count(supervisor.begin(), supervisor.begin() + static_cast<std::ptrdiff_t>(at), '}'),
              1)
        << member;
  }
}

TEST(Handover, NamesEveryDescriptorOnce) {
  EXPECT_THAT(example().fds(), testing::UnorderedElementsAre(7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 22));
}

/// Versions differ in what they know.
TEST(Handover, WhatTheTextLacksHasItsDefaultAndWhatItHasBeyondIsPassedOver) {
  std::string text = text_of(example());
  const auto replace = [&text](const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
  };
  replace("\"crashes_in_a_row\":0,", "");
  replace("\"complete\":true", "\"complete\":true,\"later\":{\"more\":[1,2]}");
  const auto read_back = read(text);
  ASSERT_TRUE(read_back) << read_back.error();
  EXPECT_EQ(read_back->supervisor, example().supervisor);
}

TEST(Handover, WhatCannotBeGoneOnWithIsRefused) {
  const auto refusal = [](void (*spoil)(Handover&)) {
    Handover handover = example();
    spoil(handover);
    const auto result = read(text_of(handover));
    return result ? "" : result.error();
  };
  using testing::HasSubstr;
  EXPECT_THAT(refusal([](Handover& h) { h.protocol = 0; }), HasSubstr("protocol 0"));
  EXPECT_THAT(refusal([](Handover& h) { h.generations[0].logs = 1; }), HasSubstr("without log files"));
  EXPECT_THAT(refusal([](Handover& h) { h.generations[0].listeners = {-1}; }), HasSubstr("listener that is not there"));
  EXPECT_THAT(refusal([](Handover& h) { h.generations.clear(); }), HasSubstr("generation that serves"));
  EXPECT_THAT(refusal([](Handover& h) { h.supervisor.molds.clear(); }), HasSubstr("generation that serves"));
  EXPECT_THAT(refusal([](Handover& h) { h.arguments.clear(); }), HasSubstr("command line"));
}

TEST(Handover, WhatIsNoneIsRefused) {
  for (const char* text : {"", "{", "[]", "3", "{\"protocol\":\"one\"}", "{\"workers\":[{\"pid\":1e99}]}",
                           "{\"supervisor\":{\"slots\":[{\"state\":\"asleep\"}]}}"}) {
    EXPECT_FALSE(read(text)) << text;
  }
  EXPECT_FALSE(read_handover(-1));
}

}  // namespace
}  // namespace serval::master
