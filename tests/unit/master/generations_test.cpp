#include "master/generations.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/address.hpp"

namespace serval::master {
namespace {

std::shared_ptr<LogFiles> logs_of(const std::string& file) {
  return std::make_shared<LogFiles>(LogFilesRecord{.file = file, .log_fd = -1, .access_fd = -1});
}

std::shared_ptr<Listener> listener() {
  return std::make_shared<Listener>("127.0.0.1:0", std::move(*os::listen_on(*Address::parse("127.0.0.1:0"), 10)));
}

Generation with_threads(int threads) {
  config::Config config;
  config.workers.threads = threads;
  return {.config = std::make_shared<const config::Config>(config), .logs = logs_of("stderr"), .listeners = {}};
}

int threads_of(const Generation& generation) { return generation.config->workers.threads; }

Children with_mold(int generation) {
  auto mold = std::make_unique<MoldProcess>();
  mold->generation = generation;
  Children children;
  children.add(std::move(mold));
  return children;
}

TEST(Generations, AMoldThatIsStartedAgainGoesByWhatItsGenerationBeganWith) {
  Generations generations(with_threads(1));
  EXPECT_EQ(threads_of(generations.begin(1)), 1);
  generations.begin_reload(with_threads(2), 1);
  EXPECT_EQ(threads_of(generations.begin(2)), 2);
  EXPECT_EQ(threads_of(generations.begin(1)), 1);
}

TEST(Generations, WhatServesStaysInForceUntilAReloadHasEnded) {
  Generations generations(with_threads(1));
  generations.begin(1);
  generations.note_build(1, "abc");
  generations.note_build(1, "another word of the same mold");
  EXPECT_FALSE(generations.reloading());

  generations.begin_reload(with_threads(2), 1);
  EXPECT_TRUE(generations.reloading());
  EXPECT_EQ(threads_of(generations.newest()), 2);
  EXPECT_EQ(threads_of(generations.in_force()), 1);
  EXPECT_EQ(generations.in_force().build, "abc");

  generations.end_reload(true);
  EXPECT_FALSE(generations.reloading());
  EXPECT_EQ(threads_of(generations.in_force()), 2);
}

TEST(Generations, AReloadThatFailedIsUndone) {
  Generations generations(with_threads(1));
  generations.begin(1);
  generations.begin_reload(with_threads(2), 1);
  generations.end_reload(false);
  EXPECT_EQ(threads_of(generations.newest()), 1);
  EXPECT_EQ(threads_of(generations.in_force()), 1);
  generations.end_reload(false);
  EXPECT_EQ(threads_of(generations.newest()), 1) << "there was no reload to undo";
}

TEST(Generations, AreForgottenOnceNoProcessGoesByThem) {
  Generations generations(with_threads(1));
  for (int number = 1; number <= 3; ++number) generations.begin(number);
  generations.forget_unused(3, with_mold(1));
  EXPECT_TRUE(generations.lives(1));
  EXPECT_FALSE(generations.lives(2));
  EXPECT_TRUE(generations.lives(3)) << "its mold may be about to start again";
}

TEST(Generations, RefuseNewConnectionsWhereTheNewestDoesNotListen) {
  const auto kept = listener(), given_up = listener();
  Generation first = with_threads(1), next = with_threads(1);
  first.listeners = {kept, given_up};
  next.listeners = {kept};
  Generations generations(first);
  generations.begin(1);
  generations.begin_reload(next, 1);
  generations.retire_listeners();
  EXPECT_TRUE(kept->open());
  EXPECT_FALSE(given_up->open());
  generations.leave_listeners();
  EXPECT_FALSE(kept->open());
}

TEST(Generations, SayOnceWhatTheyShare) {
  const auto shared = listener(), own = listener();
  Generation first = with_threads(1);
  first.listeners = {shared, own};
  Generation next = first;
  next.listeners = {shared};
  next.config_file = "/srv/2/x.toml";
  Generations generations(first);
  generations.begin(1);
  generations.begin_reload(next, 1);
  generations.begin(2);

  Handover handover;
  generations.record(handover);
  EXPECT_EQ(handover.logs.size(), 1U);
  EXPECT_EQ(handover.listeners.size(), 2U);
  ASSERT_EQ(handover.generations.size(), 2U);
  EXPECT_EQ(handover.generations[0].listeners, (std::vector{0, 1}));
  EXPECT_EQ(handover.generations[1].number, 2);
  EXPECT_EQ(handover.generations[1].listeners, std::vector{0});
  EXPECT_EQ(handover.generations[1].config_file, "/srv/2/x.toml");

  own->refuse();
  Handover later;
  generations.record(later);
  EXPECT_EQ(later.listeners.size(), 1U) << "a closed one cannot be gone on with";
}

}  // namespace
}  // namespace serval::master
