#pragma once

#include <boost/asio/io_context.hpp>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "ipc/messages.hpp"
#include "os/unique_fd.hpp"
#include "scoreboard/memory.hpp"

namespace serval::worker {

/// Samples the app's threads when the master asks for it, on a thread of its own that lives as long as the profile: the
/// loop's runs handlers itself. One profile at a time. Loop only; destroying it ends a profile, of which what it has is
/// left.
class Profiler {
 public:
  /// `seat`: on the scoreboard. `tell`: hands a message to the master.
  Profiler(boost::asio::io_context& io, const scoreboard::Memory& scoreboard, int seat,
           std::function<bool(const ipc::FromWorker&)> tell)
      : io_(io), scoreboard_(scoreboard), seat_(seat), tell_(std::move(tell)) {}
  ~Profiler() { join(); }
  Profiler(const Profiler&) = delete;
  Profiler& operator=(const Profiler&) = delete;

  void begin(const ipc::TakeProfile& order, UniqueFd samples);
  /// Nothing happens if it is another one, or none.
  void end(std::uint32_t number);

 private:
  void run(const ipc::ProfileOrder& order, std::byte* memory);
  void finished(std::uint32_t number);
  void join();

  boost::asio::io_context& io_;
  const scoreboard::Memory& scoreboard_;
  const int seat_;
  const std::function<bool(const ipc::FromWorker&)> tell_;
  std::thread thread_;
  std::uint32_t number_ = 0;  ///< of the profile that thread_ takes
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
};

}  // namespace serval::worker
