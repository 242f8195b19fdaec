// What the supervisor's decisions cost, for callgrind: workers die one after the other, and each is forked anew and becomes ready.
//
// usage: supervisor_steps WORKERS DEATHS
// The difference between two numbers of deaths is the cost of those in between; each is four events: an exit, a fork, a worker that is ready, and a
// look at what all workers use.
#include <signal.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <variant>
#include <vector>

#include "supervisor/supervisor.hpp"

namespace {

using namespace serval;
using namespace std::chrono_literals;

supervisor::Settings settings(int workers) {
  supervisor::Settings settings;
  settings.workers = workers;
  settings.forks_per_second = 1'000'000;
  return settings;
}

class Server {
 public:
  explicit Server(int workers) : supervisor_(settings(workers)), pids_(static_cast<std::size_t>(workers)) {
    tell(supervisor::Start{});
    tell(supervisor::MoldStarted{1, ++last_pid_});
    tell(supervisor::MoldLoaded{1, {}});
  }

  bool all_ready() const { return ready_ == pids_.size(); }

  void lose(std::size_t slot) {
    now_ += 10min;  // it had been healthy: no backoff
    --ready_;
    tell(supervisor::ChildExited{pids_[slot], died()});
    tell(supervisor::LookedAtWorkers{});
  }

 private:
  static supervisor::Exit died() {
    supervisor::Exit exit;
    exit.signaled = true;
    exit.code = SIGKILL;
    exit.text = "SIGKILL";
    return exit;
  }

  void tell(const supervisor::Event& event) {
    for (const supervisor::Action& action : supervisor_.on(event, now_)) {
      const auto* fork = std::get_if<supervisor::ForkWorker>(&action);
      if (fork == nullptr) continue;
      pids_[static_cast<std::size_t>(fork->slot)] = ++last_pid_;
      tell(supervisor::WorkerForked{fork->slot, last_pid_});
      tell(supervisor::WorkerReady{fork->slot});
      ++ready_;
    }
  }

  supervisor::Supervisor supervisor_;
  TimePoint now_ = TimePoint{} + 1h;
  std::vector<pid_t> pids_;
  std::size_t ready_ = 0;
  pid_t last_pid_ = 1000;
};

int number(const char* word) {
  int result = 0;
  std::from_chars(word, word + std::strlen(word), result);
  return result;
}

}  // namespace

int main(int count, char** words) {
  if (count != 3 || number(words[1]) < 1) {
    std::fputs("usage: supervisor_steps WORKERS DEATHS\n", stderr);
    return 64;
  }
  const int workers = number(words[1]);
  Server server(workers);
  for (int death = 0; death < number(words[2]); ++death) {
    server.lose(static_cast<std::size_t>(death % workers));
    if (server.all_ready()) continue;
    std::fputs("a worker that died did not come back\n", stderr);
    return 1;
  }
}
