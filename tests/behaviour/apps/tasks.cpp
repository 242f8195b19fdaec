// An app with tasks, each of which does one thing.
//
// [app] args: lacks=NAME (this task is not registered), also=NAME (one more, which does nothing), version=TEXT
#include <serval/serval.hpp>
#include <serval/tasks.hpp>

#include <dirent.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <stdexcept>
#include <thread>

using namespace std::chrono_literals;

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "-" : value;
}

void say(const std::string& text) {
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

/// Numbers of open files.
std::string open_files() {
  std::string numbers;
  DIR* folder = ::opendir("/proc/self/fd");
  while (const dirent* entry = ::readdir(folder)) {
    char target[256] = {};
    const std::string path = std::string("/proc/self/fd/") + entry->d_name;
    if (entry->d_name[0] == '.' || ::readlink(path.c_str(), target, sizeof target - 1) < 0) continue;
    if (std::atoi(entry->d_name) != ::dirfd(folder)) numbers += std::string(" ") + target;
  }
  ::closedir(folder);
  return numbers;
}

}  // namespace

class Tasks : public serval::App {
 public:
  explicit Tasks(serval::Preload& preload) {
    for (const std::string& arg : preload.args()) args_[arg.substr(0, arg.find('='))] = arg.substr(arg.find('=') + 1);
    table_ = new std::string("made by " + std::to_string(::getpid()));
    generation_ = preload.generation();
    add("loop", [this](serval::Job& job) { return loop(job); });
    add("late", [](serval::Job& job) { return late(job); });
    add("deaf", [](serval::Job&) {
      say("deaf");
      for (;;) std::this_thread::sleep_for(1h);
      return 0;
    });
    add("env", [](serval::Job& job) {
      for (const char* name : {"SERVAL_PROGRAM", "SERVAL_INSTANCE", "OWN", "APP", "OUTER", "LISTEN_FDS", "LISTEN_PID"})
        say(std::string(name) + "=" + variable(name));
      say("exec pid " + std::string(variable("SERVAL_EXEC_PID") == std::to_string(::getpid()) ? "ours" : "not ours"));
      say("open" + open_files());
      job.wait_for(1h);
      return 0;
    });
    add("throws", [](serval::Job&) -> int { throw std::runtime_error("no such queue"); });
    add("logs", [](serval::Job& job) {
      serval::log(serval::LogLevel::warning, "said by the task");
      job.wait_for(1h);
      return 0;
    });
    add("child", [](serval::Job& job) {
      if (::fork() == 0) {
        ::signal(SIGTERM, SIG_IGN);
        ::setenv("MARK", "child", 1);
        ::execlp("sleep", "sleep", "1000", nullptr);
        ::_exit(1);
      }
      say("has a child");
      job.wait_for(1h);
      return 0;
    });
    add("once", [this](serval::Job& job) {
      say("once " + std::to_string(job.instance()) + " generation " + std::to_string(generation_));
      for (const std::string& argument : job.arguments()) say("[" + argument + "]");
      say("APP=" + variable("APP") + " in " + working_folder());
      return job.arguments().empty() ? 0 : std::atoi(job.arguments().front().c_str());
    });
    add("waits", [](serval::Job& job) {
      say("waits");
      return job.wait_for(1h) ? 9 : 0;
    });
    if (args_.contains("also")) serval::task(args_["also"], [](serval::Job&) { return 0; });
  }

  serval::Response handle(const serval::Request& request) override {
    if (request.path() == "/slow") std::this_thread::sleep_for(5s);
    return *table_ + " " + args_["version"];
  }

 private:
  void add(const std::string& name, std::function<int(serval::Job&)> function) {
    if (args_["lacks"] != name) serval::task(name, std::move(function));
  }

  static std::string working_folder() {
    char folder[4096];
    return ::getcwd(folder, sizeof folder) == nullptr ? "?" : folder;
  }

  int loop(serval::Job& job) {
    say("loop " + std::to_string(job.instance()) + " has what was " + *table_ + ", version " + args_["version"]);
    job.ready();
    job.wait_for(1h);
    say("loop " + std::to_string(job.instance()) + " ends");
    return 0;
  }

  /// Has a job of 1.5s in hand when it is told to stop.
  static int late(serval::Job& job) {
    say("late begins");
    job.ready();
    while (!job.stopping()) job.wait_for(1h);
    std::this_thread::sleep_for(1500ms);
    say("late has finished its job");
    return 0;
  }

  std::map<std::string, std::string> args_;
  const std::string* table_;
  int generation_ = 0;
};
SERVAL_APP(Tasks)
