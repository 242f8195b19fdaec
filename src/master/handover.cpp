#include "master/handover.hpp"

#include <boost/describe/class.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "master/records.hpp"
#include "os/memory_file.hpp"
#include "supervisor/supervisor.hpp"

namespace serval::supervisor {

BOOST_DESCRIBE_STRUCT(SlotRecord, (),
                      (state, number, generation, pid, cause, first_cause, replacing, stuck, paused, why,
                       crashes_in_a_row, started, due_since, ready_at, deadline, door_deadline, expires))
BOOST_DESCRIBE_STRUCT(MoldRecord, (),
                      (generation, state, pid, crashes_in_a_row, begun, started, loaded_at, deadline, tasks))
BOOST_DESCRIBE_STRUCT(ProgramInstanceRecord, (),
                      (id, number, state, then, pid, cause, successor, leaving, killed, good, outdated, run, overdue,
                       why, failures, started, ready_at, deadline, expires, generation))
BOOST_DESCRIBE_STRUCT(ScheduleRecord, (),
                      (begun, origin, due, seen, next, next_ms, ran, result, how, began_ms, took_ms, succeeded_ms,
                       runs))
BOOST_DESCRIBE_STRUCT(ProgramGroupRecord, (),
                      (name, wanted, on, begun, removed, task, followed, failure, failed_number, restarts, instances,
                       scheduled, overlaps, rule, schedule))
BOOST_DESCRIBE_STRUCT(ProgramsRecord, (), (next_program, programs))
BOOST_DESCRIBE_STRUCT(ReloadCounts, (), (good, failed))
BOOST_DESCRIBE_STRUCT(TrafficRecord, (), (drained, pause, pauses, paused_since, next_reminder))
BOOST_DESCRIBE_STRUCT(State, (TrafficRecord, ProgramsRecord),
                      (workers, current, newest, complete, kept, kept_until, reload_failure, reloads, crashes_in_a_row,
                       begun, ended, molds, slots))

}  // namespace serval::supervisor

namespace serval::master {

BOOST_DESCRIBE_STRUCT(ListenerRecord, (), (bind, address, fd, local, socket_file, file_device, file_inode, stored_as))
BOOST_DESCRIBE_STRUCT(LogFilesRecord, (), (file, access, log_fd, access_fd))
BOOST_DESCRIBE_STRUCT(GenerationRecord, (),
                      (number, config, logs, listeners, program_listeners, build, config_file, from_variables))
BOOST_DESCRIBE_STRUCT(ProcessRecord, (),
                      (slot, known_as, generation, pid, max_requests, reports_fd, orders_fd, output_fd, error_fd,
                       app_device, app_inode, app_size, app_modified_ns))
BOOST_DESCRIBE_STRUCT(ProgramProcessRecord, (),
                      (id, name, number, pid, output_fd, error_fd, ready_fd, notify_fd, prober, status, log, is_task))
BOOST_DESCRIBE_STRUCT(ProgramCpuRecord, (), (name, number, microseconds))
BOOST_DESCRIBE_STRUCT(PendingClientRecord, (), (fd, read))
BOOST_DESCRIBE_STRUCT(ControlRecord, (), (listener, clients, unheard))
BOOST_DESCRIBE_STRUCT(CgroupsRecord, (), (folder, seated))
BOOST_DESCRIBE_STRUCT(Handover, (),
                      (protocol, version, arguments, working_directory, nonce, begun, supervisor, life_read_fd,
                       life_write_fd, lobby_entry_fd, lobby_exit_fd, scoreboard_fd, app_metrics_fd, spans_read_fd,
                       spans_write_fd, logs, listeners, generations, molds, workers, programs, program_cpu, guard_pid,
                       guard_fd, control, admin, pidfile_fd, cgroups))

namespace {

constexpr const char* kWhat = "the state of the running server";

/// Every index leads somewhere, and what the supervisor counts on is there.
Result<void> check(const Handover& handover) {
  const auto refuse = [](const std::string& why) {
    return Error{std::string("cannot resume from ") + kWhat + ": " + why};
  };
  if (handover.protocol != kHandoverProtocol) {
    return refuse("its processes speak protocol " + std::to_string(handover.protocol) + ", this serval " +
                  std::to_string(kHandoverProtocol) + "; a restart is needed");
  }
  const auto within = [](int index, std::size_t size) { return index >= 0 && static_cast<std::size_t>(index) < size; };
  bool has_current = false;
  for (const GenerationRecord& generation : handover.generations) {
    has_current = has_current || generation.number == handover.supervisor.current;
    if (!within(generation.logs, handover.logs.size())) return refuse("a generation without log files");
    for (const int listener : generation.listeners) {
      if (!within(listener, handover.listeners.size())) return refuse("a generation with a listener that is not there");
    }
    for (const auto& [program, listeners] : generation.program_listeners) {
      for (const int listener : listeners) {
        if (!within(listener, handover.listeners.size())) return refuse("a program with a listener that is not there");
      }
    }
  }
  bool has_mold = false;
  for (const auto& mold : handover.supervisor.molds)
    has_mold = has_mold || mold.generation == handover.supervisor.current;
  if (!has_current || !has_mold) return refuse("nothing is said of the generation that serves");
  if (handover.arguments.empty()) return refuse("its command line is missing");
  return {};
}

}  // namespace

std::vector<int> Handover::fds() const {
  std::vector<int> all = {life_read_fd,  life_write_fd,  lobby_entry_fd,      lobby_exit_fd,
                          scoreboard_fd, pidfile_fd,     control.listener.fd, admin.fd,
                          spans_read_fd, spans_write_fd, app_metrics_fd,      guard_fd};
  all.insert(all.end(), control.clients.begin(), control.clients.end());
  for (const PendingClientRecord& client : control.unheard) all.push_back(client.fd);
  for (const LogFilesRecord& files : logs) all.insert(all.end(), {files.log_fd, files.access_fd});
  for (const ListenerRecord& listener : listeners) all.push_back(listener.fd);
  for (const auto* processes : {&molds, &workers}) {
    for (const ProcessRecord& process : *processes)
      all.insert(all.end(), {process.reports_fd, process.orders_fd, process.output_fd, process.error_fd});
  }
  for (const ProgramProcessRecord& process : programs)
    all.insert(all.end(), {process.output_fd, process.error_fd, process.ready_fd, process.notify_fd});
  std::erase(all, -1);
  return all;
}

Result<UniqueFd> write_handover(const Handover& handover) {
  return os::make_memory_file("serval-handover", kWhat, boost::json::serialize(records::to_json(handover)));
}

Result<Handover> read_handover(int fd) {
  const auto text = os::read_memory_file(fd, kWhat);
  if (!text) return Error{text.error()};
  Handover handover;
  try {
    boost::json::parse_options options;
    options.allow_invalid_utf8 = true;  // paths and arguments may be anything
    records::from_json(boost::json::parse(*text, {}, options), handover);
  } catch (const std::exception& error) {
    return Error{std::string(kWhat) + " cannot be read: " + error.what()};
  }
  if (const auto good = check(handover); !good) return Error{good.error()};
  return handover;
}

}  // namespace serval::master
