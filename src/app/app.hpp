#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/answer.hpp"
#include "base/result.hpp"
#include "http/request.hpp"

/// The app library and the bridge over its C ABI (include/serval/serval.h). What the rest of serval knows of the app is
/// this header.
namespace serval::app {

/// One request as it is shown to the app. Views are valid until handle() has returned.
struct Request {
  const http::Request* head = nullptr;
  std::string_view body;        ///< whole, decoded; a spilled one is mapped
  int body_fd = -1;             ///< the spilled body's file, else -1
  std::string_view peer;        ///< address without port, e.g. "127.0.0.1", "::1", or "unix"
  std::uint16_t peer_port = 0;  ///< 0 for unix sockets
  std::string_view scheme;      ///< "http" or "https"
  std::string_view request_id;
  std::string_view shown_target;  ///< as logs have it
  std::string_view traceparent;   ///< of its own span (W3C Trace Context); empty: nothing is traced
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

/// Who is asking the app to start: handed to worker_start.
struct WorkerInfo {
  int slot = 0;
  int generation = 0;
  int threads = 0;
  std::string_view server_name;
};

/// What a task is told of its run.
struct TaskRun {
  std::vector<std::string> arguments{};
  int instance = -1;  ///< -1: it is no program's
  int ready_fd = -1;  ///< where it says that it is ready; -1: nobody wants to hear it
};

/// A loaded app. load() and preload() run in the mold, once, on its only thread; the rest in each worker after the
/// fork. Nothing the app throws gets past this class. Never unloaded: dlclose of C++ code is not dependable. What calls
/// the app is never inlined: a stack shows by it where the app begins (base/app_call.hpp).
class App {
 public:
  /// dlopen(RTLD_NOW | RTLD_LOCAL), symbol look-up, ABI check. The error is one line: the loader's words, or what the
  /// ABI check missed.
  static Result<std::unique_ptr<App>> load(const std::string& path);
  ~App();

  /// Constructs the user's app (serval_app.preload). `args` are [app] args; the error holds the app's own message.
  [[gnu::noinline]] Result<void> preload(const std::vector<std::string>& args, int generation,
                                         std::string_view server_name);

  /// Main thread of the worker, before any request.
  [[gnu::noinline]] Result<void> worker_start(const WorkerInfo& info);
  /// Main thread while booting, later on any app thread; never two calls at a time. False also if it threw (logged).
  [[gnu::noinline]] bool ready();
  /// Whether it expects ready() to be called after its first yes: apps of ABI 1.1 and before were promised otherwise.
  bool is_asked_again() const;
  /// Main thread, after the last request.
  [[gnu::noinline]] void worker_stop();
  /// On an app thread, many at a time. Calls `answer` exactly once before it returns.
  [[gnu::noinline]] void handle(const Request& request, Answer& answer);

  /// What preload() has registered.
  std::vector<std::string> tasks() const;
  /// Runs one of them on this thread, in a process in which nothing else of the app runs. Returns its exit code, 1 if
  /// it threw; why it failed is logged. The error: there is no such task.
  [[gnu::noinline]] Result<int> run_task(const std::string& name, TaskRun run);

 private:
  struct Impl;
  explicit App(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace serval::app
