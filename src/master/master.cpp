#include "master/master.hpp"

#include <set>
#include <span>
#include <utility>

#include "base/log.hpp"
#include "base/overloaded.hpp"
#include "control/status.hpp"
#include "master/process_records.hpp"
#include "master/settings.hpp"
#include "master/stack_command.hpp"
#include "os/file_identity.hpp"
#include "os/spawn.hpp"
#include "os/systemd.hpp"
#include "os/wait.hpp"
#include "scoreboard/writer.hpp"

namespace serval::master {
namespace {

void write(const supervisor::Log& line) {
  log::write(line.level, line.sentence, std::span<const log::Field>(line.fields));
}

}  // namespace

Master::Master(MasterSetup setup, const Handover* resumed)
    : pidfile_(std::move(setup.pidfile)),
      resumed_(resumed != nullptr),
      watching_(setup.watch),
      inheritance_(resumed != nullptr ? Inheritance(*resumed) : Inheritance(*setup.first.config)),
      supervisor_(resumed != nullptr ? supervisor::Supervisor(settings_of(*setup.first.config, setup.workers),
                                                              resumed->supervisor, Clock::now())
                                     : supervisor::Supervisor(settings_of(*setup.first.config, setup.workers))),
      generations_(std::move(setup.first), std::move(setup.others)),
      memory_(generations_.newest().config->memory),
      names_(io_, os::kOwnProgram),
      stacks_(io_, names_, inheritance_.scoreboard, ways_to_workers(children_)),
      reader_(io_, reaper_, os::kOwnProgram),
      reloads_(reader_, std::move(setup.sources), generations_, children_, supervisor_,
               {.tell = tell_,
                .configuration_read = [this] { control_.look_after_socket(); },
                .can_put_in_force = [this](const config::Config& config) { return admin_.can_use(config); },
                .put_in_force =
                    [this](const config::Config& config) {
                      memory_.use(config.memory);
                      admin_.use(config, *generations_.newest().logs);
                    }}),
      upgrades_(
          io_, reaper_, std::move(setup.arguments),
          {.tell = tell_, .hand_over = [this] { return hand_over(); }, .about_to_exec = [this] { say_last_lines(); }}),
      control_(resumed != nullptr
                   ? Control(io_, resumed->control, resumed->begun, supervisor_, inheritance_.scoreboard, operations())
                   : Control(io_, *generations_.newest().config, supervisor_, inheritance_.scoreboard, operations())) {
  if (resumed != nullptr) {
    launcher_.resume(*resumed);
    programs_.resume(*resumed);
    memory_.resume(resumed->cgroups);
    admin_.resume(resumed->admin, *generations_.newest().config, *generations_.newest().logs);
  } else {
    memory_.take_cgroups();
  }
  signals_.listen();
}

void Master::listen(Listeners listeners, ProgramListeners of_programs) {
  generations_.listen(std::move(listeners), std::move(of_programs));
  // A mold begins a generation; where there is none, its number is needed all the same.
  if (!generations_.newest().config->has_app()) generations_.begin(supervisor_.snapshot().generation);
  admin_.begin(*generations_.newest().config, *generations_.newest().logs);
}

Operations Master::operations() {
  return {
      .config = [this]() -> const config::Config& { return *generations_.newest().config; },
      .config_file =
          [this] {
            return control::ConfigFile{config::file_of(reloads_.sources()), generations_.newest().config_file};
          },
      .tell = tell_,
      .reload = [this](const std::string& by, ReloadDone done) { reloads_.request(by, std::move(done)); },
      .roll_back = [this](const std::string& by, ReloadDone done) { reloads_.roll_back(by, std::move(done)); },
      .reopen_logs = [this] { return reopen_logs(); },
      .upgrade = [this](const std::string& by) { handle(supervisor::UpgradeRequested{by}); },
      .upgrade_if_possible = [this] { upgrade_if_possible(); },
      .admin_reopening = [this] { return admin_.reopening(); },
      .admin_address = [this] { return admin_.address(); },
      .code = [this](int generation) { return generations_.code_of(generation); },
      .listeners = [this] { return readings_of(generations_.listeners()); },
      .programs = [this](bool memory) { return programs_.readings(memory); },
      .lost_program_lines = [this] { return programs_.lost_log_lines(); },
      .client_gone = [this] { profiles_.look_at_clients(); },
      .profile = [this](const WorkerProfiles::Settings& settings,
                        const control::Responder& responder) { profiles_.begin(settings, responder); },
      .stacks = [this](std::optional<int> slot,
                       const control::Responder& responder) { answer_stacks(stacks_, children_, slot, responder); }};
}

int Master::run() {
  if (watching_) rebuild_watch_.begin();  // before anything of it is loaded
  if (resumed_) {
    reaper_.reap();  // children that ended while no master looked
    handle(supervisor::Tick{});
  } else {
    handle(supervisor::Start{});
  }
  io_.run();
  return farewell_.exit_code();
}

// --- events

/// An action may fail, which is an event again: it is handled after the actions of the one in hand.
void Master::handle(supervisor::Event event) {
  events_.push_back(std::move(event));
  if (handling_) return;
  handling_ = true;
  while (!events_.empty()) {
    const supervisor::Event next = std::move(events_.front());
    events_.pop_front();
    for (const supervisor::Action& action : supervisor_.on(next, Clock::now(), std::chrono::system_clock::now()))
      perform(action);
  }
  handling_ = false;
  // For probes, also while this process cannot be asked.
  scoreboard::set_server(inheritance_.scoreboard, supervisor_.readiness());
  control_.look_again();
  upgrade_if_possible();
  if (!farewell_.begun()) arm_timer();
}

void Master::arm_timer() {
  const TimePoint next = supervisor_.next_wakeup();
  if (next == timer_.expiry()) return;
  timer_.expires_at(next);
  if (next == TimePoint::max()) return;
  timer_.async_wait([this](const auto& error) {
    if (error || farewell_.begun()) return;
    timer_.expires_at(TimePoint::max());  // so that the same time, asked for again, arms again
    handle(supervisor::Tick{});
  });
}

void Master::obey(const SignalOrder& order) {
  switch (order.action) {
    case SignalAction::stop:
      return handle(supervisor::StopRequested{
          .signal = order.by,
          .requests = control::requests_in_progress(supervisor_.snapshot(), inheritance_.scoreboard)});
    case SignalAction::reopen_logs: reopen_logs(); return;
    case SignalAction::reload: return reloads_.request(order.by);
    case SignalAction::one_worker_more: return handle(supervisor::ScaleRequested{+1, order.by});
    case SignalAction::one_worker_fewer: return handle(supervisor::ScaleRequested{-1, order.by});
    case SignalAction::upgrade: return handle(supervisor::UpgradeRequested{order.by});
  }
}

// --- rebuilds

std::vector<config::WatchedFile> Master::watched_files() const {
  return config::watched_files(*generations_.newest().config, config::file_of(reloads_.sources()),
                               [](const std::string& path) { return os::identity_of_file(path).has_value(); });
}

/// One reload for all that takes one; a program's instances are replaced by themselves.
void Master::begin_anew(const std::vector<config::WatchedFile>& files) {
  const std::string by = "serval run --watch";
  bool reload = false;
  std::set<std::string> programs;
  for (const config::WatchedFile& file : files) {
    log::info("rebuilt", {{"file", file.path}});
    if (file.program.empty()) {
      reload = true;
    } else {
      programs.insert(file.program);
    }
  }
  for (const std::string& program : programs) {
    handle(supervisor::ProgramOrdered{supervisor::ProgramOrdered::Order::renew, program, by});
  }
  if (reload) reloads_.request(by);
}

/// Why not all of them; empty: all.
std::string Master::reopen_logs() {
  std::string failures = generations_.reopen_logs();
  if (const std::string why = programs_.reopen_logs(); !why.empty()) failures += (failures.empty() ? "" : "\n") + why;
  log::reopen(generations_.in_force().logs->log());
  admin_.reopen(*generations_.in_force().logs);
  handle(supervisor::LogsReopened{});
  return failures;
}

/// At the very end the supervisor does not fold any more.
void Master::report(supervisor::Log line) {
  if (farewell_.begun()) return write(line);
  handle(supervisor::Reported{std::move(line)});
}

// --- actions

/// One line for each action of the supervisor, and the part that performs it.
void Master::perform(const supervisor::Action& action) {
  std::visit(Overloaded{
                 [this](const supervisor::StartMold& what) { launcher_.perform(what); },
                 [this](const supervisor::StopMold& what) { orders_.perform(what); },
                 [this](const supervisor::ReopenMold& what) { orders_.perform(what); },
                 [this](const supervisor::ForkWorker& what) { launcher_.perform(what); },
                 [this](const supervisor::DrainWorker& what) { orders_.perform(what); },
                 [this](const supervisor::ReopenWorker& what) { orders_.perform(what); },
                 [this](const supervisor::PauseWorker& what) { orders_.perform(what); },
                 [this](const supervisor::ResumeWorker& what) { orders_.perform(what); },
                 [this](const supervisor::LaunchProgram& what) { programs_.perform(what); },
                 [this](const supervisor::SignalProgram& what) { programs_.perform(what); },
                 [this](const supervisor::EndLeftovers& what) { programs_.perform(what); },
                 [this](const supervisor::LookAtPrograms& what) { programs_.perform(what); },
                 [](const supervisor::Kill& what) { os::kill_child(what.pid, what.signal); },
                 [this](const supervisor::LookAtWorkers& what) { looks_.perform(what); },
                 [this](const supervisor::LookAtGenerations& what) { looks_.perform(what); },
                 [this](const supervisor::InspectApp& what) { looks_.perform(what); },
                 [this](const supervisor::ReloadEnded& what) {
                   reloads_.perform(what);
                   rebuild_watch_.look_anew();
                 },
                 [this](const supervisor::ReloadAgain& what) { reloads_.perform(what); },
                 [this](const supervisor::CheckUpgrade& what) { upgrades_.perform(what); },
                 [this](const supervisor::UpgradeRefused& what) { control_.upgrade_refused(what.why); },
                 [this](const supervisor::RetireListeners&) { generations_.retire_listeners(); },
                 [this](const supervisor::RefuseConnections&) {
                   reader_.cancel("the server is stopping");
                   generations_.leave_listeners();
                 },
                 [](const supervisor::Notify& what) { os::notify(what.state); },
                 [](const supervisor::Log& what) { write(what); },
                 [this](const supervisor::Finish& what) { finish(what); },
             },
             action);
}

void Master::finish(const supervisor::Finish& action) {
  timer_.cancel();
  rebuild_watch_.end();
  reader_.give_up();
  programs_.finish();
  generations_.leave_program_listeners();
  admin_.end();
  farewell_.begin(action.exit_code);
}

// --- an upgrade

Handover Master::hand_over() const {
  Handover result{.protocol = kHandoverProtocol,
                  .version = SERVAL_VERSION,
                  .arguments = upgrades_.arguments(),
                  .working_directory = reloads_.sources().working_directory,
                  .begun = control_.begun(),
                  .supervisor = supervisor_.state(),
                  .control = control_.record(),
                  .admin = admin_.record(),
                  .pidfile_fd = pidfile_->fd(),
                  .cgroups = memory_.record()};
  inheritance_.record(result);
  generations_.record(result);
  programs_.record(result);
  record(children_, result);
  return result;
}

/// What is in our memory alone.
void Master::say_last_lines() {
  children_.drain_captures();
  programs_.drain_captures();
  for (const supervisor::Log& line : supervisor_.folded()) write(line);
}

void Master::upgrade_if_possible() {
  if (handling_ || !supervisor_.may_upgrade_now() || control_.owes_answers() || reader_.busy()) return;
  const auto failed = upgrades_.exec_successor();  // else we are gone
  handle(supervisor::UpgradeFailed{failed.error()});
}

}  // namespace serval::master
