#include "master/looks.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace serval::master {
namespace {

/// A mold that has loaded a library, and a worker, which are both this process.
struct LooksTest : testing::Test {
  LooksTest() {
    std::string pattern = testing::TempDir() + "looks_XXXXXX";
    folder = ::mkdtemp(pattern.data());
    config::Config config;
    config.app.library = folder / "app.so";
    std::ofstream(config.app.library) << "first";
    generations.emplace(
        Generation{.config = std::make_shared<const config::Config>(config), .logs = {}, .listeners = {}});
    generations->begin(1);
    auto mold = std::make_unique<MoldProcess>();
    mold->generation = 1;
    mold->pid = ::getpid();
    mold->app_file = look_at_app(config.app.library);
    children.add(std::move(mold));
    add_worker(2, ::getpid());
    add_worker(3, 0);
    looks.emplace(Looks::Parts{children, *generations, memory, scoreboard},
                  [this](supervisor::Event event) { events.push_back(std::move(event)); });
  }
  ~LooksTest() override { std::filesystem::remove_all(folder); }
  void add_worker(int slot, pid_t pid) {
    auto worker = std::make_unique<WorkerProcess>();
    worker->slot = slot;
    worker->generation = 1;
    worker->pid = pid;
    children.add(std::move(worker));
  }
  /// Another file under the library's name.
  void deploy(const std::string& content) {
    std::ofstream(folder / "next.so") << content;
    std::filesystem::rename(folder / "next.so", folder / "app.so");
  }
  std::vector<supervisor::Sample> look(const supervisor::LookAtWorkers& action) {
    looks->perform(action);
    return std::get<supervisor::LookedAtWorkers>(events.back()).samples;
  }

  std::filesystem::path folder;
  Children children;
  std::optional<Generations> generations;
  WorkerMemory memory{config::Memory{}};
  scoreboard::Memory scoreboard = std::move(scoreboard::Memory::create({.slots = 8, .rows = 2}).value());
  std::vector<supervisor::Event> events;
  std::optional<Looks> looks;
};

TEST_F(LooksTest, ShowWorkersWhosePidsAreKnown) {
  const auto samples = look({});
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].slot, 2);
  EXPECT_EQ(samples[0].pid, ::getpid());
  EXPECT_FALSE(samples[0].memory) << "it was not asked for";
}

TEST_F(LooksTest, MeasureMemoryOnDemand) { EXPECT_GT(look({.memory = true}).at(0).memory.value_or(0), 0U); }

TEST_F(LooksTest, AnAppThatIsTheSameIsNotWorthLoading) {
  looks->perform(supervisor::InspectApp{1});
  EXPECT_TRUE(events.empty());
}

TEST_F(LooksTest, AnotherAppIsTriedOnce) {
  deploy("second");
  looks->perform(supervisor::InspectApp{1});
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<supervisor::AppChanged>(events[0]).generation, 1);
  looks->perform(supervisor::InspectApp{1});
  EXPECT_EQ(events.size(), 1U);
  deploy("the third one");
  looks->perform(supervisor::InspectApp{1});
  EXPECT_EQ(events.size(), 2U);
}

TEST_F(LooksTest, WithoutAMoldThereIsNothingToLoadItAnew) {
  deploy("second");
  children.remove_mold(1);
  looks->perform(supervisor::InspectApp{1});
  EXPECT_TRUE(events.empty());
}

}  // namespace
}  // namespace serval::master
