#include "master/programs.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

#include "base/address.hpp"
#include "base/errno_text.hpp"
#include "config/load.hpp"
#include "config/program_values.hpp"
#include "master/exits.hpp"
#include "master/notify_socket.hpp"
#include "master/program_launch.hpp"
#include "os/process_memory.hpp"
#include "os/process_tree.hpp"
#include "os/spawn.hpp"
#include "os/systemd.hpp"
#include "os/thread_stat.hpp"

namespace serval::master {
namespace {

/// ':' parts the names in LISTEN_FDNAMES.
std::string socket_name(const std::string& bind, const std::string& program) {
  const auto address = Address::parse(bind);
  return address && address->kind == Address::Kind::systemd ? address->name : program;
}

/// 0 for one that has just ended.
std::uint64_t resident(pid_t pid) {
  const auto bytes = os::resident_bytes(pid);
  return bytes ? *bytes : 0;
}

}  // namespace

void Programs::perform(const supervisor::LaunchProgram& action) {
  auto process = launch(action);
  if (!process) return tell_(supervisor::ProgramNotStarted{action.id, process.error()});
  if (*process != nullptr) begin(std::move(*process), action.program);
}

void Programs::begin(std::unique_ptr<ProgramProcess> process, const config::Program& program) {
  ProgramProcess& one = *process;
  processes_[one.id] = std::move(process);
  listen_for_ready(one);
  listen_for_notifications(one);
  await(one);
  guard_.add(one.pid);
  tell_(supervisor::ProgramStarted{one.id, one.pid});
  start_prober(one, program);
}

/// None yet: a mold has been asked for it (on_forked).
Result<std::unique_ptr<ProgramProcess>> Programs::launch(const supervisor::LaunchProgram& action) {
  const Generation& generation = parts_.generations.in_force();
  const config::Program& program = action.program;
  auto process = std::make_unique<ProgramProcess>();
  process->id = action.id;
  process->name = action.name;
  process->number = action.number;
  process->is_task = program.is_task();
  process->log = program.log_of(action.number);

  os::Spawn what;
  ProgramWords words{.name = action.name, .number = action.number};
  const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!nothing) return Error{"cannot open /dev/null: " + errno_text()};
  what.fds.emplace_back(nothing.get(), 0);
  int next_fd = os::kFirstPassedFd;
  if (const auto listeners = generation.program_listeners.find(action.name);
      listeners != generation.program_listeners.end()) {
    for (const auto& listener : listeners->second) {
      what.fds.emplace_back(listener->inherited().fd, next_fd++);
      words.sockets.push_back(socket_name(listener->bind(), action.name));
    }
  }
  const auto rule = config::parse_ready(program.ready);
  UniqueFd ready_write;
  using Kind = config::ReadyRule::Kind;
  // A task says it by a call (serval_host.job_ready), by whichever of the two.
  if (rule && (rule->kind == Kind::fd || (process->is_task && rule->kind == Kind::notify))) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return Error{"cannot make a pipe for its readiness: " + errno_text()};
    process->ready_fd.reset(ends[0]);
    ready_write.reset(ends[1]);
    if (!process->is_task) words.ready_fd = next_fd;
    what.fds.emplace_back(ready_write.get(), next_fd++);
  }
  auto notify = NotifySocket::open();
  if (!notify) return Error{notify.error()};
  words.notify_address = notify->address;
  process->notify_fd = std::move(notify->fd);
  OutputPipes pipes;
  std::shared_ptr<OutputFile> file;
  if (!process->log.empty()) {
    auto opened = files_.open(process->log);
    if (!opened) return Error{opened.error()};
    file = *std::move(opened);
  }
  const bool captured = file || generation.config->log.capture;
  if (captured) {
    auto made = OutputPipes::make();
    if (!made) return Error{made.error()};
    pipes = std::move(*made);
    what.fds.emplace_back(pipes.output_write.get(), 1);
    what.fds.emplace_back(pipes.error_write.get(), 2);
  }

  auto traits = traits_of(program, generation.config->server);
  if (!traits) return Error{traits.error()};
  what.traits = *std::move(traits);
  if (process->is_task) {
    Forking forking{std::move(process), std::move(pipes), program, std::move(file)};
    if (const auto asked = ask_mold(action, std::move(forking), what, words, std::move(ready_write)); !asked)
      return Error{asked.error()};
    return std::unique_ptr<ProgramProcess>();
  }
  what.environment = program_environment(config::process_environment(), program, words);
  auto path = find_command(program, *what.environment);
  if (!path) return Error{path.error()};
  what.program = *std::move(path);
  what.arguments.assign(program.command.begin() + 1, program.command.end());
  what.working_directory = program.working_directory;
  const auto pid = os::spawn(what);
  if (!pid) return Error{pid.error()};

  process->pid = *pid;
  if (captured) capture(*process, pipes, std::move(file));
  return process;
}

void Programs::capture(ProgramProcess& process, OutputPipes& pipes, std::shared_ptr<OutputFile> file) {
  process.captures.emplace(parts_.io, pipes,
                           Writer{.process = process.title(),
                                  .pid = process.pid,
                                  .has_priorities = process.is_task,
                                  .file = std::move(file),
                                  .file_program = process.name,
                                  .instance = process.number});
}

void Programs::await(const ProgramProcess& process) {
  parts_.reaper.await(process.pid, [this, id = process.id](const os::ChildExit& exit) { on_exit(id, exit); });
}

/// What it said before its end is told before that.
void Programs::on_exit(int id, const os::ChildExit& exit) {
  ProgramProcess* process = find(id);
  if (process == nullptr) return;
  read_ready(*process);
  if (process->notify_watch) read_notifications(*process);
  if (process->captures) process->captures->drain();
  end_prober(*process);
  cpu_before_[{process->name, process->number}] += exit.cpu;
  supervisor::Exit told = exit_of(exit);
  told.leftovers = static_cast<int>(os::left_behind(exit.pid).size());
  if (told.leftovers == 0) guard_.remove(exit.pid);
  processes_.erase(id);
  tell_(supervisor::ChildExited{exit.pid, std::move(told)});
}

/// One that is stopped (SIGSTOP) would not see the signal that asks it to end.
void Programs::perform(const supervisor::SignalProgram& action) {
  if (ProgramProcess* process = find(action.id)) end_prober(*process);
  if (action.tree) {
    for (const pid_t pid : os::ProcessTree::read().all_of(action.pid)) {
      if (pid != action.pid) ::kill(pid, action.signal);
    }
  }
  if (os::kill_child(action.pid, action.signal) && action.signal != SIGKILL) os::kill_child(action.pid, SIGCONT);
}

void Programs::on_cleared(int id, pid_t leader) {
  guard_.remove(leader);
  tell_(supervisor::ProgramCleared{id});
}

void Programs::finish() {
  leftovers_.give_up();
  guard_.end();
}

void Programs::perform(const supervisor::LookAtPrograms&) {
  supervisor::LookedAtPrograms looked;
  const os::ProcessTree tree = os::ProcessTree::read();
  for (const auto& [id, process] : processes_) {
    std::uint64_t bytes = 0;
    for (const pid_t pid : tree.all_of(process->pid)) bytes += parts_.memory.look(pid).value_or(0);
    looked.samples.push_back({id, bytes});
  }
  tell_(std::move(looked));
}

std::vector<control::ProgramReading> Programs::readings(bool memory) const {
  std::vector<control::ProgramReading> readings;
  const os::ProcessTree tree = memory && !processes_.empty() ? os::ProcessTree::read() : os::ProcessTree();
  for (const auto& [id, process] : processes_) {
    control::ProgramReading reading{.id = id, .status = process->status};
    reading.cpu = std::chrono::duration_cast<std::chrono::microseconds>(
        os::process_cpu(process->pid).value_or(Clock::duration()));
    if (const auto before = cpu_before_.find({process->name, process->number}); before != cpu_before_.end())
      reading.cpu += before->second;
    if (memory) {
      reading.stopped = os::is_stopped(process->pid);
      std::uint64_t bytes = 0;
      for (const pid_t pid : tree.all_of(process->pid)) bytes += resident(pid);
      reading.memory = bytes;
    }
    readings.push_back(std::move(reading));
  }
  return readings;
}

void Programs::drain_captures() const {
  for (const auto& [id, process] : processes_) {
    if (process->captures) process->captures->drain();
  }
}

ProgramProcess* Programs::find(int id) const {
  const auto found = processes_.find(id);
  return found == processes_.end() ? nullptr : found->second.get();
}

}  // namespace serval::master
