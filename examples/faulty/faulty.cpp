// Misbehaves on demand: to see what serval does when an app sleeps, hangs, leaks, throws or dies.
//
// What it does before requests is set by [app] args: preload=KIND and start=KIND with KIND one of ok, throw, crash, hang, thread, slow:MS,
// memory:MIB; ready=yes, no or after:MS. What it does in requests is the table at the end of this file.
#include <serval/serval.hpp>

#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "number.hpp"

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

void sleep_for(std::uint64_t ms) { std::this_thread::sleep_for(milliseconds(ms)); }

/// A store to address 0 that no compiler may assume not to happen, and no sanitizer need report.
[[gnu::no_sanitize("undefined")]] void crash() {
  volatile int* volatile nowhere = nullptr;
  *nowhere = 1;
}

[[noreturn]] void hang() {
  for (;;) ::pause();
}

/// Touched and kept for good: what is preloaded is shared by all workers.
void keep(std::uint64_t mib) {
  static std::vector<std::string> kept;
  kept.emplace_back(mib << 20, 'x');
}

void misbehave(const std::string& stage, const std::string& kind) {
  if (kind == "ok") return;
  if (kind == "throw") throw std::runtime_error(stage + " was told to throw");
  if (kind == "crash") return crash();
  if (kind == "hang") hang();
  if (kind == "thread") return std::thread(hang).detach();
  if (kind.starts_with("slow:")) return sleep_for(parse_number(kind.substr(5)));
  if (kind.starts_with("memory:")) return keep(parse_number(kind.substr(7)));
  throw std::invalid_argument("unknown argument " + stage + "=" + kind + "; use ok, throw, crash, hang, thread, slow:MS or memory:MIB");
}

std::uint64_t number(const serval::Request& request, std::string_view name) {
  const std::optional<std::string> text = request.param(name);
  if (!text) throw std::invalid_argument("the parameter " + std::string(name) + " is missing");
  return parse_number(*text);
}

// ---- One function for each path ----

serval::Response sleep(const serval::Request& request) {
  std::this_thread::sleep_for(request.param("us") ? microseconds(number(request, "us")) : milliseconds(number(request, "ms")));
  return "slept\n";
}

serval::Response spin(const serval::Request& request) {
  const auto end = steady_clock::now() + milliseconds(number(request, "ms"));
  while (steady_clock::now() < end) {
  }
  return "spun\n";
}

/// A thread that locks a normal mutex twice waits for itself, by POSIX's own definition (pthread_mutex_lock(3p)); so do all who come later.
serval::Response deadlock(const serval::Request&) {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  ::pthread_mutex_lock(&mutex);
  ::pthread_mutex_lock(&mutex);
  return "unreachable\n";
}

serval::Response throw_exception(const serval::Request&) { throw std::runtime_error("handle was told to throw"); }

serval::Response crash_now(const serval::Request&) {
  crash();
  return "unreachable\n";
}

serval::Response abort_now(const serval::Request&) { std::abort(); }

serval::Response exit_now(const serval::Request& request) { ::_exit(static_cast<int>(number(request, "code"))); }

serval::Response leak(const serval::Request& request) {
  static std::mutex mutex;
  static std::vector<std::string> kept;
  const std::lock_guard lock(mutex);
  kept.emplace_back(number(request, "kib") << 10, 'x');
  return "kept\n";
}

serval::Response allocate(const serval::Request& request) {
  const std::string touched(number(request, "mib") << 20, 'x');
  sleep_for(number(request, "ms"));
  return "held " + std::to_string(touched.size()) + " bytes\n";
}

serval::Response print(const serval::Request& request) {
  const std::uint64_t lines = number(request, "lines");
  for (std::uint64_t line = 1; line <= lines; ++line) {
    std::fprintf(stdout, "stdout line %llu\n", static_cast<unsigned long long>(line));
    std::fprintf(stderr, "stderr line %llu\n", static_cast<unsigned long long>(line));
  }
  std::fflush(stdout);
  return "printed\n";
}

serval::Response body(const serval::Request& request) { return std::string(number(request, "bytes"), 'x'); }

serval::Response bad_header(const serval::Request&) { return serval::Response("never sent\n").header("X-Bad", "a\r\nInjected: yes"); }

/// A child that outlives the request: sleeps for ?s= seconds (60 by default); the answer is its pid.
serval::Response spawn(const serval::Request& request) {
  std::string seconds = std::to_string(request.param("s") ? number(request, "s") : 60);
  char program[] = "sleep";
  char* arguments[] = {program, seconds.data(), nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, program, nullptr, nullptr, arguments, environ);
  if (error != 0) throw std::system_error(error, std::generic_category(), "cannot start sleep");
  return std::to_string(pid) + "\n";
}

}  // namespace

class Faulty : public serval::App {
 public:
  explicit Faulty(serval::Preload& preload) : generation_(preload.generation()) {
    for (const std::string& arg : preload.args()) {
      const std::size_t equals = arg.find('=');
      const auto known = arguments_.find(arg.substr(0, equals));
      if (equals == arg.npos || known == arguments_.end()) {
        throw std::invalid_argument("unknown argument " + arg + "; use preload=, start= or ready=");
      }
      known->second = arg.substr(equals + 1);
    }
    misbehave("preload", arguments_["preload"]);
  }

  void worker_start(serval::Worker&) override {
    started_ = steady_clock::now();
    misbehave("start", arguments_["start"]);
  }

  bool ready() override {
    const std::string& when = arguments_["ready"];
    if (when.starts_with("after:")) return steady_clock::now() >= started_ + milliseconds(parse_number(when.substr(6)));
    return when == "yes";
  }

  serval::Response handle(const serval::Request& request) override {
    if (request.path() == "/") return "faulty\n";
    if (request.path() == "/pid") return std::to_string(::getpid()) + "\n";
    if (request.path() == "/generation") return std::to_string(generation_) + "\n";
    const auto fault = kFaults.find(request.path());
    if (fault == kFaults.end()) return serval::Response(404, "no such fault\n");
    try {
      return fault->second(request);
    } catch (const std::invalid_argument& error) {
      return serval::Response(400, error.what() + std::string("\n"));
    }
  }

 private:
  using Fault = serval::Response (*)(const serval::Request&);
  inline static const std::map<std::string_view, Fault> kFaults = {
      {"/sleep", sleep},          // ?ms=N or ?us=N
      {"/spin", spin},            // ?ms=N: burns CPU
      {"/deadlock", deadlock},    // never returns
      {"/throw", throw_exception},
      {"/crash", crash_now},      // SIGSEGV
      {"/abort", abort_now},      // SIGABRT
      {"/exit", exit_now},        // ?code=N
      {"/leak", leak},            // ?kib=N: kept for good
      {"/alloc", allocate},       // ?mib=N&ms=N: touched, held, freed
      {"/print", print},          // ?lines=N on standard output and as many on standard error
      {"/body", body},            // ?bytes=N
      {"/badheader", bad_header}, // CR and LF in a header value
      {"/spawn", spawn},          // a child process that outlives the request
  };

  std::map<std::string, std::string> arguments_ = {{"preload", "ok"}, {"start", "ok"}, {"ready", "yes"}};
  int generation_;
  steady_clock::time_point started_;
};
SERVAL_APP(Faulty)
