#include "worker/profiler.hpp"

#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "base/errno_text.hpp"
#include "os/mapped_files.hpp"
#include "os/signals.hpp"
#include "os/threads.hpp"
#include "profile/samples.hpp"
#include "scoreboard/reader.hpp"
#include "stack/sampling.hpp"

namespace serval::worker {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

static_assert(profile::kMaxDepth == stack::Sample::kMaxDepth);

/// Samples of CPU time come when they come: they are fetched twice as often, and no more often than this.
constexpr nanoseconds kShortestWait = 500us;

std::uint64_t own_cpu_time() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<std::uint64_t>(nanoseconds(std::chrono::seconds(used.tv_sec) + nanoseconds(used.tv_nsec)).count());
}

void fetch(stack::Sampling& sampling, profile::SampleWriter& writer) {
  sampling.take([&writer](const stack::Sample& sample) {
    writer.add(std::span(sample.address).first(static_cast<std::size_t>(sample.count)), sample.weight);
  });
}

/// That blocks the signal, or that the kernel has for longer than an interval: it may answer later.
void ask_all(stack::Sampling& sampling, profile::SampleWriter& writer, const std::vector<pid_t>& threads) {
  for (const pid_t thread : threads) {
    if (sampling.ask(thread) != stack::Sampling::Asked::asked) writer.miss();
  }
}

}  // namespace

void Profiler::begin(const ipc::TakeProfile& take, UniqueFd samples) {
  const auto refuse = [&](std::string why) { tell_(ipc::ProfileEnded{take.number, std::move(why)}); };
  const ipc::ProfileOrder& order = take.order;
  if (thread_.joinable()) return refuse("it is being profiled already");
  if (order.hz <= 0 || order.length_ms <= 0 || order.size < profile::kMinRegion) return refuse("no such profile");
  // The master made the file and sealed its size: the mapping has pages behind it to its end.
  void* const memory =
      ::mmap(nullptr, order.size, PROT_READ | PROT_WRITE, MAP_SHARED, samples.get(), static_cast<off_t>(order.offset));
  if (memory == MAP_FAILED) return refuse("cannot map the samples: " + errno_text());
  number_ = take.number;
  stop_ = false;
  try {
    thread_ = std::thread([this, order, memory, number = take.number] {
      run(order, static_cast<std::byte*>(memory));
      ::munmap(memory, order.size);
      boost::asio::post(io_, [this, number] { finished(number); });
    });
  } catch (const std::system_error& error) {
    ::munmap(memory, order.size);
    refuse(std::string("cannot start a thread: ") + error.what());
  }
}

void Profiler::run(const ipc::ProfileOrder& order, std::byte* memory) {
  os::hold_signals();  // they are for the app's threads and the loop
  os::name_thread("profiler");
  using SteadyClock = std::chrono::steady_clock;
  const nanoseconds interval = nanoseconds(1s) / order.hz;
  const nanoseconds wait = order.cpu != 0 ? std::max(interval / 2, kShortestWait) : interval;
  const auto begun = SteadyClock::now();
  const auto deadline = begun + std::chrono::milliseconds(order.length_ms);
  profile::SampleWriter writer({memory, order.size}, os::mapped_files(::getpid()));
  stack::Sampling sampling;
  if (order.cpu != 0) sampling.follow_cpu_time(interval);
  std::uint64_t lost = 0;
  auto next = begun;
  std::unique_lock lock(mutex_);
  while (!stop_ && SteadyClock::now() < deadline) {
    fetch(sampling, writer);
    if (order.cpu == 0) ask_all(sampling, writer, scoreboard::threads_with_requests(scoreboard_, seat_));
    writer.lose(sampling.lost() - std::exchange(lost, sampling.lost()));
    const auto now = SteadyClock::now();
    writer.publish(static_cast<std::uint64_t>(nanoseconds(now - begun).count()),
                   own_cpu_time() + static_cast<std::uint64_t>(sampling.cost().count()));
    next = std::max(next + wait, now);  // what was slept through is not made up for
    wake_.wait_until(lock, std::min(next, deadline), [this] { return stop_; });
  }
  fetch(sampling, writer);
  writer.set_maps(os::mapped_files(::getpid()));
  writer.publish(static_cast<std::uint64_t>(nanoseconds(SteadyClock::now() - begun).count()),
                 own_cpu_time() + static_cast<std::uint64_t>(sampling.cost().count()));
}

void Profiler::end(std::uint32_t number) {
  if (!thread_.joinable() || number != number_) return;
  const std::lock_guard lock(mutex_);
  stop_ = true;
  wake_.notify_all();
}

void Profiler::finished(std::uint32_t number) {
  if (!thread_.joinable() || number != number_) return;
  thread_.join();
  tell_(ipc::ProfileEnded{number, {}});
}

void Profiler::join() {
  end(number_);
  if (thread_.joinable()) thread_.join();
}

}  // namespace serval::worker
