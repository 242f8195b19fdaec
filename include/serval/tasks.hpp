/// tasks.hpp: the app's own jobs beside its requests: queue workers, schedulers, migrations. Header-only, on top of the
/// C ABI in serval.h.
///
///   #include <serval/tasks.hpp>
///
///   explicit Shop(serval::Preload&) {
///     serval::task("mailer", [this](serval::Job& job) {
///       Queue queue(url_);                                  // connections are made here, not in the constructor
///       while (!job.stopping()) {
///         if (!queue.handle_next()) job.wait_for(1s);
///       }
///       return 0;
///     });
///   }
///
/// Where it runs. `run = "task:mailer"` in a [programs.NAME] table has serval run and supervise as many instances as
/// its count says; `serval task mailer ARGUMENT...` runs it once, from the shell. Each is a process of its own, forked
/// from the mold as workers are: what the constructor has made is there, shared copy-on-write, and a reload brings its
/// new code. worker_start, handle and worker_stop are not called in it. Metrics count nothing in it.
///
/// Stopping. The program's stop signal (TERM) makes stopping() true, wakes wait_for() and makes stop_fd() readable, and
/// nothing else: a job in hand is finished, within the program's own grace. A function that returns ends its process.
///
/// Errors. What the function returns is the exit code, 0 to 255 (another number is 255). An exception is logged with its
/// type and text, and is exit code 1. A name that is not as serval.h says (struct serval_task), or that the app has
/// twice, is a std::invalid_argument, and so the generation is refused; registered later than in the app's constructor
/// it is one, too. Where there is no serval, as in a unit test of the app, registering does nothing.
#pragma once

#include <serval/serval.hpp>

#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace serval {

/// One run of a task. Valid until its function returns; any thread.
class Job {
 public:
  explicit Job(serval_job* raw) : raw_(raw) {
    for (std::size_t nth = 0;; ++nth) {
      const serval_text argument = detail::host->job_argument(raw, nth);
      if (argument.data == nullptr) break;
      arguments_.emplace_back(detail::view(argument));
    }
  }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  /// Of `serval task NAME ARGUMENT...`; under supervision there are none.
  const std::vector<std::string>& arguments() const { return arguments_; }
  /// Its number among the instances of its program, 0 to count - 1; with `serval task` -1.
  int instance() const { return detail::host->job_instance(raw_); }
  /// It has been told to stop: end what is in hand and return.
  bool stopping() const { return detail::host->job_stopping(raw_) != 0; }
  /// Readable from that moment on, for poll(2). serval's: neither read it nor close it.
  int stop_fd() const { return detail::host->job_stop_fd(raw_); }
  /// Sleeps for so long, or until it is told to stop. True: it is.
  bool wait_for(std::chrono::nanoseconds duration) const {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::clamp<std::chrono::nanoseconds>(duration, {}, std::chrono::hours(24 * 365));
    for (auto left = end - Clock::now(); !stopping() && left.count() > 0; left = end - Clock::now()) {
      constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24);
      pollfd stop = {stop_fd(), POLLIN, 0};
      ::poll(&stop, 1,
             static_cast<int>(std::min(std::chrono::ceil<std::chrono::milliseconds>(left), kLongest).count()));
    }
    return stopping();
  }
  /// It can do its work. Counts where the program's `ready` is "fd" or "notify".
  void ready() const { detail::host->job_ready(raw_); }

 private:
  serval_job* raw_;
  std::vector<std::string> arguments_;
};

namespace detail {

using TaskFunction = std::function<int(Job&)>;

inline std::int32_t run_task(void* context, serval_job* raw, serval_error* error) {
  std::int32_t code = 1;
  const std::int32_t threw = attempt(error, [&] {
    Job job(raw);
    code = (*static_cast<TaskFunction*>(context))(job);
  });
  return threw != 0 ? 1 : code;
}

}  // namespace detail

/// Registers a task, in the app's constructor. `function` stays as long as the process.
inline void task(std::string_view name, std::function<int(Job&)> function) {
  static std::vector<std::unique_ptr<detail::TaskFunction>> functions;
  if (detail::host == nullptr || !SERVAL_HAS(detail::host, job_ready)) return;
  if (!function) throw std::invalid_argument("task \"" + std::string(name) + "\" has no function");
  functions.push_back(std::make_unique<detail::TaskFunction>(std::move(function)));
  serval_task raw{};
  raw.size = sizeof raw;
  raw.name = detail::text(name);
  raw.run = detail::run_task;
  raw.context = functions.back().get();
  std::array<char, 512> why{};
  if (detail::host->task(&raw, why.data(), why.size()) == 0) throw std::invalid_argument(why.data());
}

}  // namespace serval
