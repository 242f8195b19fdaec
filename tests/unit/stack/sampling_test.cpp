#include "stack/sampling.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "base/sanitizers.hpp"
#include "own_names.hpp"
#include "stack/capture.hpp"

extern "C" {
[[gnu::noinline]] void sampling_test_spins(const std::atomic<bool>& stop) {
  while (!stop.load()) {
  }
  asm volatile("");
}
}

namespace serval::stack {
namespace {

using namespace std::chrono_literals;

class SamplingTest : public testing::Test {
 protected:
  void SetUp() override {
    if (kShadowMemory) GTEST_SKIP() << "sanitizers call handlers when it suits them";
    prepare();
  }
};

/// Enlisted; spins or sleeps until it is destroyed.
class Thread {
 public:
  explicit Thread(bool spins)
      : thread_([this, spins] {
          enlist_thread();
          tid_.store(::gettid());
          if (spins) return sampling_test_spins(stop_);
          while (!stop_.load()) std::this_thread::sleep_for(5ms);
        }) {
    while (tid_.load() == 0) std::this_thread::yield();
  }
  ~Thread() {
    stop_.store(true);
    thread_.join();
  }
  pid_t tid() const { return tid_.load(); }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<pid_t> tid_{0};
  std::thread thread_;
};

/// How much of the samples' weight is of a thread that spins, and how much is not.
struct Weights {
  std::uint64_t spinning = 0, other = 0;
};
Weights weights_of(const std::vector<Sample>& samples) {
  Question question{.maps = own_maps()};
  for (const Sample& sample : samples) {
    question.stacks.emplace_back(sample.address.begin(), sample.address.begin() + std::min(sample.count, 3));
  }
  const auto names = name_frames(question);
  Weights weights;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const bool spins = std::any_of(names[i].begin(), names[i].end(), [](const std::string& name) {
      return name.find("sampling_test_spins") != std::string::npos;
    });
    (spins ? weights.spinning : weights.other) += samples[i].weight;
  }
  return weights;
}

TEST_F(SamplingTest, a_thread_that_is_asked_says_where_it_is) {
  const Thread thread(true);
  Sampling sampling;
  ASSERT_EQ(sampling.ask(thread.tid()), Sampling::Asked::asked);
  std::vector<Sample> taken;
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (taken.empty() && std::chrono::steady_clock::now() < deadline) {
    sampling.take([&](const Sample& sample) { taken.push_back(sample); });
  }
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].weight, 1U);
  EXPECT_EQ(weights_of(taken).spinning, 1U);
  EXPECT_GT(sampling.cost(), 0ns);
}

TEST_F(SamplingTest, an_answer_that_was_not_taken_is_not_asked_for_again) {
  const Thread thread(true);
  Sampling sampling;
  ASSERT_EQ(sampling.ask(thread.tid()), Sampling::Asked::asked);
  EXPECT_EQ(sampling.ask(thread.tid()), Sampling::Asked::still_asked);
  EXPECT_EQ(sampling.ask(1), Sampling::Asked::cannot);
}

TEST_F(SamplingTest, cpu_time_is_only_that_of_threads_that_run) {
  const Thread spins(true);
  const Thread sleeps(false);
  Sampling sampling;
  EXPECT_EQ(sampling.follow_cpu_time(10ms), 2);
  std::vector<Sample> taken;
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (taken.size() < 20 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(2ms);
    sampling.take([&](const Sample& sample) { taken.push_back(sample); });
  }
  const Weights weights = weights_of(taken);
  EXPECT_GE(weights.spinning, 18U);
  EXPECT_LE(weights.other, 2U);
}

TEST_F(SamplingTest, does_not_disturb_what_asks_for_stacks) {
  const Thread thread(true);
  Sampling sampling;
  sampling.follow_cpu_time(1ms);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(ask(thread.tid()));
    std::optional<Frames> frames;
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!frames && std::chrono::steady_clock::now() < deadline) frames = answer(thread.tid());
    ASSERT_TRUE(frames);
    EXPECT_EQ(frames->thread, thread.tid());
  }
}

TEST_F(SamplingTest, nothing_comes_of_what_is_over) {
  const Thread thread(true);
  {
    Sampling first;
    first.follow_cpu_time(1ms);
    std::this_thread::sleep_for(10ms);
  }
  Sampling second;
  std::this_thread::sleep_for(20ms);
  int taken = 0;
  second.take([&](const Sample&) { ++taken; });
  EXPECT_EQ(taken, 0);
  EXPECT_EQ(second.lost(), 0U);
}

}  // namespace
}  // namespace serval::stack
