#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <utility>

#include "base/errno_text.hpp"
#include "base/exit_code.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "ipc/heritage.hpp"
#include "master/adoption_proof.hpp"
#include "master/master.hpp"
#include "master/settings.hpp"
#include "os/pipe.hpp"
#include "os/spawn.hpp"

// serval replaces itself: the new program looks at what it would go on with, in a process of its own; then this process
// execs it. Pid, children, sockets and counters stay. What a successor needs is in one struct (master/handover.hpp).
namespace serval::master {
namespace {

constexpr auto kCheckPatience = std::chrono::seconds(20);
constexpr std::size_t kLongestText = 4096;

void record_captures(ProcessRecord& record, const std::optional<Captures>& captures) {
  if (!captures) return;
  record.output_fd = captures->output.fd();
  record.error_fd = captures->error.fd();
}

OutputPipes pipes_of(const ProcessRecord& record) {
  OutputPipes pipes;
  pipes.output_read.reset(record.output_fd);
  pipes.error_read.reset(record.error_fd);
  return pipes;
}

ipc::Channel channel_of(const ProcessRecord& record) {
  return {ipc::Channel::End::master, UniqueFd(record.reports_fd), UniqueFd(record.orders_fd)};
}

/// What it said before its end; the rest of a longer text is lost.
std::string text_in(int fd) {
  std::string text(kLongestText, '\0');
  const ssize_t size = ::read(fd, text.data(), text.size());
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

scoreboard::Memory map_scoreboard(int fd) {
  const UniqueFd theirs(fd);
  auto memory = scoreboard::Memory::map(theirs.get());
  if (!memory) throw StartupError(exit_code::internal, memory.error());
  return std::move(*memory);
}

}  // namespace

// --- the new program, before

void Master::perform(const supervisor::CheckUpgrade&) {
  const auto fail = [this](const std::string& why) { handle(supervisor::UpgradeChecked{false, why}); };
  successor_.reset();
  auto program = os::ProgramFile::open(arguments_.front());
  if (!program) return fail(program.error());
  Handover told = hand_over();
  told.nonce = make_nonce();
  const auto handover = write_handover(told);
  if (!handover) return fail(handover.error());
  const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  auto proof = os::make_pipe();
  auto complaint = os::make_pipe();
  if (!nothing || !proof || !complaint) return fail("cannot start the check: " + errno_text());

  const int fd = handover->get();
  os::Spawn what;
  what.program = program->executable();
  what.called = program->path();
  what.arguments = {"adopt", std::to_string(fd), "check"};
  what.fds = {{nothing.get(), 0}, {proof->write_end.get(), 1}, {complaint->write_end.get(), 2}, {fd, fd},
              {scoreboard_.fd(), scoreboard_.fd()}};
  const auto pid = os::spawn(what);
  if (!pid) return fail(pid.error());
  check_.emplace(*pid, std::move(*program), told.nonce, std::move(proof->read_end), std::move(complaint->read_end),
                 boost::asio::steady_timer(io_, kCheckPatience));
  reaper_.await(*pid, [this](const os::Exit& exit) { check_ended(exit); });
  check_->timer.async_wait([this, pid = *pid](const auto& error) {
    if (error || !check_ || check_->pid != pid) return;
    check_->timed_out = true;
    os::kill_child(pid, SIGKILL);
  });
}

void Master::check_ended(const os::Exit& exit) {
  const std::string path = check_->program.path();
  FailedCheck failed{.program = path, .end = exit.text(), .output = text_in(check_->error_fd.get())};
  if (check_->timed_out) failed.patience = kCheckPatience;
  const auto version = version_in_proof(text_in(check_->proof_fd.get()), kHandoverProtocol, check_->nonce);
  if (exit.clean() && version) successor_ = Successor{std::move(check_->program), *version};
  check_.reset();
  if (successor_) return handle(supervisor::UpgradeChecked{true, ""});
  if (exit.clean()) return handle(supervisor::UpgradeChecked{false, path + ": " + version.error()});
  handle(supervisor::UpgradeChecked{false, why_not(failed)});
}

void Master::perform(const supervisor::UpgradeRefused& action) { control_.upgrade_refused(action.why); }

// --- the exec

void Master::upgrade_if_possible() {
  if (handling_ || !supervisor_.may_upgrade_now() || control_.owes_answers() || reader_.busy()) return;
  const auto failed = exec_successor();  // else we are gone
  handle(supervisor::UpgradeFailed{failed.error()});
}

/// Returns only if it failed, and then nothing has changed.
Result<void> Master::exec_successor() {
  if (!successor_) return Error{"no program has been checked"};
  const Successor next = std::move(*successor_);
  successor_.reset();
  if (!next.program.unchanged()) return Error{next.program.path() + " has been written to since it was checked"};
  for (const auto& [generation, mold] : children_.molds()) {
    if (mold->captures) mold->captures->drain();  // what has been read of a line is in our memory
  }
  for (const auto& [slot, worker] : children_.workers()) {
    if (worker->captures) worker->captures->drain();
  }
  const Handover handover = hand_over();
  const auto written = write_handover(handover);
  if (!written) return Error{written.error()};
  for (const supervisor::Log& line : supervisor_.folded()) perform(line);
  log::info("upgrading", {{"program", next.program.path()}, {"from", SERVAL_VERSION}, {"to", next.version}});

  std::vector<int> fds = handover.fds();
  fds.push_back(written->get());
  const auto failed =
      os::become(next.program.executable(), {arguments_.front(), "adopt", std::to_string(written->get())}, fds);
  return Error{"cannot run " + next.program.path() + ": " + failed.error()};
}

Handover Master::hand_over() {
  Handover result{.protocol = kHandoverProtocol,
                  .version = SERVAL_VERSION,
                  .arguments = arguments_,
                  .working_directory = reloads_.sources().working_directory,
                  .begun = control_.begun(),
                  .supervisor = supervisor_.state(),
                  .life_read_fd = life_read_.get(),
                  .life_write_fd = life_write_.get(),
                  .lobby_entry_fd = lobby_.entry.get(),
                  .lobby_exit_fd = lobby_.exit.get(),
                  .scoreboard_fd = scoreboard_.fd(),
                  .control = control_.record(),
                  .pidfile_fd = pidfile_->fd()};
  generations_.record(result);
  for (const auto& [generation, mold] : children_.molds()) {
    const AppFile& file = mold->app_file;
    ProcessRecord& record = result.molds.emplace_back(ProcessRecord{.generation = generation,
                                                                    .pid = mold->pid,
                                                                    .reports_fd = mold->line->in_fd(),
                                                                    .orders_fd = mold->line->out_fd(),
                                                                    .app_device = file.device,
                                                                    .app_inode = file.inode,
                                                                    .app_size = file.size,
                                                                    .app_modified_ns = file.modified_ns});
    record_captures(record, mold->captures);
  }
  for (const auto& [slot, worker] : children_.workers()) {
    ProcessRecord& record = result.workers.emplace_back(ProcessRecord{.slot = slot,
                                                                      .known_as = worker->known_as,
                                                                      .generation = worker->generation,
                                                                      .pid = worker->pid,
                                                                      .max_requests = worker->max_requests,
                                                                      .reports_fd = worker->line->in_fd(),
                                                                      .orders_fd = worker->line->out_fd()});
    record_captures(record, worker->captures);
  }
  if (cgroups_) {
    result.cgroups.folder = cgroups_->folder();
    for (const auto& [slot, events] : cgroups_->seated()) result.cgroups.seated[slot] = {events.oom, events.oom_kill};
  }
  return result;
}

// --- the new program, after

namespace {

/// An older version knew none.
ipc::Lobby lobby_of(const Handover& handover) {
  if (handover.lobby_entry_fd >= 0 && handover.lobby_exit_fd >= 0)
    return {UniqueFd(handover.lobby_entry_fd), UniqueFd(handover.lobby_exit_fd)};
  auto made = ipc::make_lobby();
  return made ? std::move(*made) : ipc::Lobby{};
}

}  // namespace

Master::Master(Beginning beginning, const Handover& handover)
    : arguments_(std::move(beginning.arguments)),
      pidfile_(std::move(beginning.pidfile)),
      life_read_(handover.life_read_fd),
      life_write_(handover.life_write_fd),
      lobby_(lobby_of(handover)),
      scoreboard_(map_scoreboard(handover.scoreboard_fd)),
      supervisor_(settings_of(*beginning.first.config, beginning.workers), handover.supervisor, Clock::now()),
      stacks_(io_, os::kOwnProgram),
      worker_stacks_(io_, stacks_, scoreboard_, ways_to_workers()),
      measure_(beginning.first.config->memory),
      oom_kills_(oom_.read().value_or(0)),
      generations_(std::move(beginning.first), std::move(beginning.others)),
      reader_(io_, reaper_, os::kOwnProgram),
      reloads_(reader_, std::move(beginning.sources), generations_, children_, supervisor_, reload_hooks()),
      taken_over_(true),
      control_(io_, handover.control, handover.begun, supervisor_, scoreboard_, operations()) {
  take_over(handover);
  listen_to_signals();
}

void Master::take_over(const Handover& handover) {
  for (const ProcessRecord& record : handover.molds) {
    auto mold = std::make_unique<MoldProcess>();
    const int generation = mold->generation = record.generation;
    mold->pid = record.pid;
    mold->app_file = {static_cast<dev_t>(record.app_device), static_cast<ino_t>(record.app_inode),
                      static_cast<off_t>(record.app_size), record.app_modified_ns};
    OutputPipes pipes = pipes_of(record);
    if (record.output_fd >= 0) mold->captures.emplace(io_, pipes, "mold", generation, record.pid);
    mold->line.emplace(io_, channel_of(record),
                       [this, generation](const ipc::Packet& packet) { on_mold_message(generation, packet); });
    reaper_.await(record.pid, [this, generation](const os::Exit& exit) { mold_exited(generation, exit); });
    children_.add(std::move(mold));
  }
  for (const ProcessRecord& record : handover.workers) {
    auto worker = std::make_unique<WorkerProcess>();
    const int slot = worker->slot = record.slot;
    worker->known_as = record.known_as;
    worker->generation = record.generation;
    worker->max_requests = record.max_requests;
    worker->pid = record.pid;
    OutputPipes pipes = pipes_of(record);
    if (record.output_fd >= 0) worker->captures.emplace(io_, pipes, worker->name(), record.generation, record.pid);
    worker->line.emplace(io_, channel_of(record),
                         [this, slot](const ipc::Packet& packet) { on_worker_message(slot, packet); });
    reaper_.await(record.pid, [this, slot](const os::Exit& exit) { worker_exited(slot, exit); });
    children_.add(std::move(worker));
  }
  if (!handover.cgroups.folder.empty()) {
    std::map<int, os::WorkerCgroups::Events> seated;
    for (const auto& [slot, events] : handover.cgroups.seated) seated[slot] = {events.first, events.second};
    cgroups_.emplace(handover.cgroups.folder, generations_.newest().config->memory.hard, std::move(seated));
  }
}

}  // namespace serval::master
