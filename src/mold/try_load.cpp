#include "mold/try_load.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <utility>

#include "base/errno_text.hpp"
#include "base/task_name.hpp"
#include "base/units.hpp"
#include "ipc/channel.hpp"
#include "ipc/exec_mold.hpp"
#include "ipc/messages.hpp"
#include "os/spawn.hpp"
#include "os/wait.hpp"

namespace serval::mold {
namespace {

struct Attempt {
  enum class Outcome { loaded, failed, ended, overdue } outcome;
  std::string why;
  std::vector<std::string> tasks{};
};

/// Waits for the mold to say that it has loaded the app, or that it has not.
Attempt wait_for_word(ipc::Channel& channel, Duration limit) {
  const TimePoint deadline = Clock::now() + limit;
  std::vector<std::string> tasks;
  for (;;) {
    ipc::Channel::Received received;
    const auto state = channel.receive(received);
    if (state == ipc::Channel::State::closed) return {Attempt::Outcome::ended, ""};
    if (state == ipc::Channel::State::malformed) continue;
    if (state == ipc::Channel::State::received) {
      const auto message = ipc::decode<ipc::FromMold>(received.packet);
      if (!message) continue;
      if (std::holds_alternative<ipc::Loaded>(*message)) return {Attempt::Outcome::loaded, "", std::move(tasks)};
      if (const auto* more = std::get_if<ipc::Registers>(&*message)) {
        add_task_names(more->tasks, tasks);
        continue;
      }
      if (const auto* failed = std::get_if<ipc::LoadFailed>(&*message)) return {Attempt::Outcome::failed, failed->why};
      continue;
    }
    const auto left = std::chrono::ceil<Duration>(deadline - Clock::now());
    if (limit > Duration::zero() && left <= Duration::zero()) return {Attempt::Outcome::overdue, ""};
    pollfd readable = {channel.in_fd(), POLLIN, 0};
    ::poll(&readable, 1, limit > Duration::zero() ? static_cast<int>(left.count()) : -1);
  }
}

}  // namespace

Result<std::vector<std::string>> try_load(const config::Config& config) {
  const auto program = os::own_program();
  if (!program) return Error{program.error()};
  auto channels = ipc::Channel::pair();
  if (!channels) return Error{channels.error()};
  int life[2];
  if (::pipe2(life, O_CLOEXEC) != 0) return Error{"cannot make a pipe: " + errno_text()};
  const UniqueFd life_read(life[0]);
  const UniqueFd life_write(life[1]);

  ipc::Heritage heritage;
  heritage.config = config;
  heritage.config.programs.clear();
  heritage.config.log.file = "-";
  heritage.config.log.access = "off";
  heritage.generation = 1;
  heritage.orders_fd = channels->second.in_fd();
  heritage.reports_fd = channels->second.out_fd();
  heritage.life_fd = life_read.get();
  const auto pid = ipc::exec_mold(*program, heritage, {});
  if (!pid) return Error{pid.error()};
  channels->second.close();

  Attempt attempt = wait_for_word(channels->first, config.workers.boot_timeout);
  if (attempt.outcome != Attempt::Outcome::ended) os::kill_child(*pid, SIGKILL);
  const auto exit = os::wait_for(*pid);
  switch (attempt.outcome) {
    case Attempt::Outcome::loaded: return attempt.tasks;
    case Attempt::Outcome::failed: return Error{attempt.why};
    case Attempt::Outcome::ended:
      return Error{"the process that loaded the app ended: " + (exit ? exit->text() : "unknown how")};
    case Attempt::Outcome::overdue:
      return Error{"the app did not load within " + format_duration(config.workers.boot_timeout) +
                   " (workers.boot_timeout)"};
  }
  return Error{"nothing came of it"};
}

}  // namespace serval::mold
