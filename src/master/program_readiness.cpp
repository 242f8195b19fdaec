#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

#include "base/log.hpp"
#include "config/program_values.hpp"
#include "master/notify_socket.hpp"
#include "master/program_launch.hpp"
#include "master/programs.hpp"
#include "os/spawn.hpp"

/// How master/programs hears whether an instance is ready: from itself, or from one that asks it.
namespace serval::master {
namespace {

constexpr int kNotificationsPerTurn = 16;
/// With what it takes from a program whose descriptor it is, a line fits.
constexpr std::size_t kMaxReadyLine = 256;

}  // namespace

void Programs::listen_for_ready(ProgramProcess& process) {
  if (!process.ready_fd) return;
  ::fcntl(process.ready_fd.get(), F_SETFL, O_NONBLOCK);
  process.ready_watch.emplace(parts_.io, process.ready_fd.get(), [this, &process] { read_ready(process); });
}

/// A newline anywhere says it, as with s6; the end of the pipe without one does not.
void Programs::read_ready(ProgramProcess& process) {
  if (!process.ready_fd) return;
  std::array<char, kMaxReadyLine> text;
  const ssize_t size = ::read(process.ready_fd.get(), text.data(), text.size());
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  const bool said = size > 0 && std::memchr(text.data(), '\n', static_cast<std::size_t>(size)) != nullptr;
  if (size > 0 && !said) return;
  process.ready_watch.reset();
  process.ready_fd.reset();
  if (said) tell_(supervisor::ProgramReady{process.id});
}

void Programs::listen_for_notifications(ProgramProcess& process) {
  if (!process.notify_fd) return;
  process.notify_watch.emplace(parts_.io, process.notify_fd.get(), [this, &process] { read_notifications(process); });
}

void Programs::read_notifications(ProgramProcess& process) {
  bool ready = false;
  for (int i = 0; i < kNotificationsPerTurn; ++i) {
    auto said = receive_notification(process.notify_fd.get(), process.pid);
    if (!said) break;
    ready = ready || said->ready;
    if (!said->status.empty()) process.status = std::move(said->status);
  }
  if (ready) tell_(supervisor::ProgramReady{process.id});
}

/// Connecting waits, and the answer of a server is bytes from outside: a process of its own does both, with the rights
/// of the program.
void Programs::start_prober(ProgramProcess& process, const config::Program& program) {
  const auto rule = config::parse_ready(program.ready);
  using Kind = config::ReadyRule::Kind;
  if (!rule || (rule->kind != Kind::tcp && rule->kind != Kind::http)) return;
  auto traits = traits_of(program, parts_.generations.in_force().config->server);
  if (!traits) return;
  os::Spawn what;
  what.program = os::kOwnProgram;
  what.arguments = {"probe", rule->address};
  if (rule->kind == Kind::http) what.arguments.push_back(rule->path);
  what.called = "the probe of " + process.title();
  what.traits.own_session = true;
  what.traits.dies_with_us = true;
  what.traits.identity = traits->identity;
  what.traits.groups = traits->groups;
  const auto pid = os::spawn(what);
  if (!pid)
    return log::error("nobody can ask the program whether it is ready",
                      {{"program", process.name}, {"why", pid.error()}});
  process.prober = *pid;
  await_prober(process);
}

void Programs::await_prober(const ProgramProcess& process) {
  parts_.reaper.await(process.prober, [this, id = process.id](const os::ChildExit& exit) { on_prober_exit(id, exit); });
}

void Programs::on_prober_exit(int id, const os::ChildExit& exit) {
  ProgramProcess* process = find(id);
  if (process == nullptr) return;
  process->prober = 0;
  if (exit.clean()) tell_(supervisor::ProgramReady{id});
}

void Programs::end_prober(ProgramProcess& process) {
  if (process.prober == 0) return;
  parts_.reaper.forget(process.prober);
  os::kill_child(process.prober, SIGKILL);
  process.prober = 0;
}

}  // namespace serval::master
