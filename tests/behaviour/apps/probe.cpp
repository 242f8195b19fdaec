// An app that tests can look into: requests wait at gates that the test opens, so what is in flight is known and never guessed.
//
// [app] args: gates=FOLDER, preload_log=FILE (the pid of each preload is appended), start_log=FILE (of each worker_start),
// stop_log=FILE (of each worker_stop), preload_gate=PATH, start_gate=PATH, stop_gate=PATH and end_gate=PATH (when the mold has
// done its work), preload_crash=PATH and start_crash=PATH (they abort while that file is there), end_crash=yes (the destructor
// aborts), unready=PATH (ready() says no while that file, or PATH.PID, is there; it waits at the gate PATH.hang while PATH.hangs
// is there, and throws while PATH.throws is, with a line in PATH.thrown for each time), sleep_ms=N and fail_every=N for /quality.
#include <serval/serval.hpp>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <thread>

namespace {

void append_line(const std::string& path, const std::string& line) { std::ofstream(path, std::ios::app) << line + "\n" << std::flush; }

/// Says that somebody is here (PATH.entered), and returns when PATH.open is there; PATH.once lets one pass, who takes it away.
void wait_at_gate(const std::string& path) {
  append_line(path + ".entered", std::to_string(::getpid()));
  while (!std::filesystem::exists(path + ".open") && !std::filesystem::remove(path + ".once")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

std::string param(const serval::Request& request, std::string_view name) {
  if (auto value = request.param(name)) return *std::move(value);
  throw std::invalid_argument("the parameter " + std::string(name) + " is missing");
}

/// A process whose parent is gone, so that it becomes its subreaper's; it ends with `code` soon after.
void leave_an_orphan(int code) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::fork() != 0) ::_exit(0);
    ::usleep(100'000);
    ::_exit(code);
  }
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace

class Probe : public serval::App {
 public:
  explicit Probe(serval::Preload& preload) : generation_(preload.generation()) {
    for (const std::string& arg : preload.args()) args_[arg.substr(0, arg.find('='))] = arg.substr(arg.find('=') + 1);
    if (!args_["preload_log"].empty()) append_line(args_["preload_log"], std::to_string(::getpid()));
    if (!args_["preload_crash"].empty() && std::filesystem::exists(args_["preload_crash"])) std::abort();
    if (!args_["preload_gate"].empty()) wait_at_gate(args_["preload_gate"]);
  }

  ~Probe() override {
    if (!args_["end_gate"].empty()) wait_at_gate(args_["end_gate"]);
    if (!args_["end_crash"].empty()) std::abort();
  }

  void worker_start(serval::Worker&) override {
    if (!args_["start_log"].empty()) append_line(args_["start_log"], std::to_string(::getpid()));
    if (!args_["start_crash"].empty() && std::filesystem::exists(args_["start_crash"])) std::abort();
    if (!args_["start_gate"].empty()) wait_at_gate(args_["start_gate"]);
  }

  bool ready() override {
    const std::string& no = args_["unready"];
    if (no.empty()) return true;
    if (std::filesystem::exists(no + ".hangs")) wait_at_gate(no + ".hang");
    if (std::filesystem::exists(no + ".throws")) {
      append_line(no + ".thrown", "");
      throw std::runtime_error("the database is not there");
    }
    return !std::filesystem::exists(no) && !std::filesystem::exists(no + "." + std::to_string(::getpid()));
  }

  void worker_stop() override {
    if (!args_["stop_log"].empty()) append_line(args_["stop_log"], std::to_string(::getpid()));
    if (!args_["stop_gate"].empty()) wait_at_gate(args_["stop_gate"]);
  }

  serval::Response handle(const serval::Request& request) override {
    const std::string_view path = request.path();
    if (path == "/pid") return pid(request);
    if (path == "/traceparent") return std::string(request.traceparent().empty() ? "none" : request.traceparent());
    if (path == "/generation") return std::to_string(generation_) + "\n";
    if (path == "/gate") return pass_gate(request);
    if (path == "/read") return read_body(request);
    if (path == "/extend") return extend(request);
    if (path == "/cancelled") return wait_until_cancelled(request);
    if (path == "/deadline") return ms_until(request.deadline());
    if (path == "/crash") std::abort();
    if (path == "/status") return serval::Response::status(std::stoi(param(request, "code")));
    if (path == "/header") return std::move(serval::Response("x").header(param(request, "name"), param(request, "value")));
    if (path == "/mirror") return serval::Response::bytes(std::string(request.body()));
    if (path == "/env") return environment(request);
    if (path == "/log") return write_log(request);
    if (path == "/print") return print(request);
    if (path == "/orphan") {
      leave_an_orphan(std::stoi(param(request, "code")));
      return "left\n";
    }
    if (path == "/quality") return as_good_as_told();
    if (path == "/throw") throw std::runtime_error("probe was told to throw");
    return "probe\n";
  }

 private:
  /// Takes sleep_ms=, and fails at every fail_every=th request.
  serval::Response as_good_as_told() {
    if (const auto ms = args_.find("sleep_ms"); ms != args_.end())
      std::this_thread::sleep_for(std::chrono::milliseconds(std::stoi(ms->second)));
    const auto every = args_.find("fail_every");
    if (every != args_.end() && ++asked_ % std::stoi(every->second) == 0) return serval::Response::status(500);
    return std::to_string(generation_) + "\n";
  }

  /// Which worker this is; ?spin_us= keeps its CPU busy for so long first.
  serval::Response pid(const serval::Request& request) {
    if (const auto us = request.param("spin_us")) {
      const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(std::stoi(*us));
      while (std::chrono::steady_clock::now() < end) {
      }
    }
    return std::to_string(::getpid());
  }

  serval::Response pass_gate(const serval::Request& request) {
    wait_at_gate(args_.at("gates") + "/" + param(request, "name"));
    return "passed\n";
  }

  /// Every page of its body, then waits at its gate.
  serval::Response read_body(const serval::Request& request) {
    const auto lines = std::count(request.body().begin(), request.body().end(), '\n');
    wait_at_gate(args_.at("gates") + "/" + param(request, "name"));
    return std::to_string(lines);
  }

  /// Asks for ?ms= from now, then waits at its gate.
  serval::Response extend(const serval::Request& request) {
    if (!request.extend(std::chrono::milliseconds(std::stoi(param(request, "ms"))))) return serval::Response(500, "too late\n");
    return pass_gate(request);
  }

  /// Works until nobody waits for it any more; then NAME.cancelled says whether it could still have got more time.
  serval::Response wait_until_cancelled(const serval::Request& request) {
    const std::string path = args_.at("gates") + "/" + param(request, "name");
    append_line(path + ".entered", std::to_string(::getpid()));
    while (!request.cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    append_line(path + ".cancelled", request.extend(std::chrono::hours(1)) ? "more time" : "too late");
    return "never sent\n";
  }

  static serval::Response ms_until(std::chrono::steady_clock::time_point deadline) {
    if (deadline == std::chrono::steady_clock::time_point::max()) return "none\n";
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count()) + "\n";
  }

  /// ?text= once from the thread that handles the request, and once, marked, from a thread of the app's own.
  static serval::Response write_log(const serval::Request& request) {
    const std::string text = param(request, "text");
    serval::log(serval::LogLevel::warning, text);
    std::thread([&text] { serval::log(serval::LogLevel::warning, text + " elsewhere"); }).join();
    return "logged\n";
  }

  /// The body as it came, on standard output.
  static serval::Response print(const serval::Request& request) {
    const std::string_view body = request.body();
    for (std::size_t at = 0; at < body.size();) {
      const ssize_t written = ::write(STDOUT_FILENO, body.data() + at, body.size() - at);
      if (written <= 0) return serval::Response(500, "not printed\n");
      at += static_cast<std::size_t>(written);
    }
    return "printed\n";
  }

  static serval::Response environment(const serval::Request& request) {
    const char* value = std::getenv(param(request, "name").c_str());
    return value == nullptr ? "" : value;
  }

  int generation_;
  std::atomic<int> asked_ = 0;  ///< of /quality
  std::map<std::string, std::string> args_;
};
SERVAL_APP(Probe)
