#include "master/control.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <optional>
#include <set>
#include <utility>

#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "control/status.hpp"
#include "master/reload_answer.hpp"
#include "os/spawn.hpp"

namespace serval::master {
namespace {

/// For commands that wait for workers to start: one that cannot start will most likely not start the next time either.
std::function<std::string(const supervisor::Snapshot&)> fails_to_boot_since(const supervisor::Snapshot& before) {
  const auto failed = [](const supervisor::Snapshot& snapshot) {
    const auto found = snapshot.ended.find(Cause::boot_failed);
    return found == snapshot.ended.end() ? 0 : found->second;
  };
  return [failed, then = failed(before)](const supervisor::Snapshot& now) {
    return std::string(failed(now) > then
                           ? "a worker did not start, the log says why; it is tried again, and those that serve go on"
                           : "");
  };
}

}  // namespace

Control::Control(boost::asio::io_context& io, const config::Config& config, const supervisor::Supervisor& supervisor,
                 const scoreboard::Memory& scoreboard, Operations operations)
    : supervisor_(supervisor), scoreboard_(scoreboard), operations_(std::move(operations)), socket_(io, config) {
  serve();
}

Control::Control(boost::asio::io_context& io, const ControlRecord& record, TimePoint begun,
                 const supervisor::Supervisor& supervisor, const scoreboard::Memory& scoreboard, Operations operations)
    : supervisor_(supervisor),
      scoreboard_(scoreboard),
      operations_(std::move(operations)),
      begun_(begun),
      socket_(io, operations_.config(), record.listener) {
  serve();
  control::Server* server = socket_.server();
  if (server == nullptr) return;
  const auto own = os::own_program();
  const boost::json::string program = control::utf8(own ? *own : "");
  for (const int client : record.clients)
    server->resume(client).finish({{"pid", ::getpid()}, {"version", SERVAL_VERSION}, {"program", program}});
  for (const auto& client : record.unheard) server->hear(client.fd, client.read);
}

ControlRecord Control::record() const {
  control::Server* server = socket_.server();
  if (server == nullptr) return {};
  ControlRecord record{.listener = record_of(server->listening(), server->path())};
  record.listener.fd = server->descriptor();
  for (const control::Responder& waiter : upgrade_waiters_) {
    if (const int fd = waiter.descriptor(); fd >= 0) record.clients.push_back(fd);
  }
  for (auto& client : server->pending()) record.unheard.push_back({client.fd, std::move(client.read)});
  return record;
}

bool Control::owes_answers() const {
  const control::Server* server = socket_.server();
  if (server == nullptr) return false;
  const auto waiting = std::count_if(upgrade_waiters_.begin(), upgrade_waiters_.end(),
                                     [](const auto& waiter) { return waiter.descriptor() >= 0; });
  return server->unanswered() > static_cast<std::size_t>(waiting);
}

void Control::serve() {
  control::Server* server = socket_.server();
  if (server == nullptr) return;
  server->admit([this](const control::ConfigFile& meant) {
    return control::check_meant(
        meant, {.name = operations_.config().server.name, .pid = ::getpid(), .config = operations_.config_file()});
  });
  server->on_gone([this] {
    operations_.client_gone();
    operations_.upgrade_if_possible();
  });
  server->on_command([this](const control::Command& command, const auto& arguments,
                            const control::Responder& responder) { perform(command, arguments, responder); });
}

void Control::perform(const control::Command& command, const boost::json::object& arguments,
                      const control::Responder& responder) {
  if (!command.while_stopping && supervisor_.snapshot().stopping)
    return responder.refuse("the server is stopping", exit_code::app_failed);
  if (!command.begun.empty()) responder.progress(std::string(command.begun));
  using control::Order;
  switch (command.order) {
    case Order::status: return status(arguments, responder);
    case Order::reload: return reload(arguments, responder);
    case Order::rollback: return roll_back(responder);
    case Order::start: return start(arguments, responder);
    case Order::stop: return stop(arguments, responder);
    case Order::scale: return scale(arguments, responder);
    case Order::recycle: return recycle(arguments, responder);
    case Order::reopen: return reopen(responder);
    case Order::drain: return drain(true, responder);
    case Order::undrain: return drain(false, responder);
    case Order::pause: return pause(responder);
    case Order::resume: return resume(responder);
    case Order::upgrade: return upgrade(responder);
    case Order::stacks: return stacks(arguments, responder);
    case Order::profile: return profile(arguments, responder);
  }
}

void Control::look_again() {
  socket_.look_after_if_due();
  if (waiting_.empty()) return;
  const supervisor::Snapshot snapshot = supervisor_.snapshot();
  std::erase_if(waiting_, [&](const Waiting& waiting) {
    if (const std::string why = waiting.hopeless ? waiting.hopeless(snapshot) : ""; !why.empty()) {
      waiting.responder.refuse(why, exit_code::app_failed);
      return true;
    }
    if (!waiting.done(snapshot)) return false;
    waiting.responder.finish(waiting.result);
    return true;
  });
}

void Control::reload(const boost::json::object& arguments, const control::Responder& responder) {
  using ProgramOrder = supervisor::ProgramOrdered::Order;
  if (const std::string name = program_in(arguments); !name.empty())
    return order_program(ProgramOrder::replace, name, "serval reload", responder);
  if (operations_.config().has_app()) responder.progress("loading the next generation");
  operations_.reload("serval reload", [this, responder](const ReloadReport& report) {
    report.ended.good ? await_programs(result_of(report), responder) : answer(report, responder);
  });
}

void Control::start(const boost::json::object& arguments, const control::Responder& responder) {
  order_program(supervisor::ProgramOrdered::Order::start, program_in(arguments), "serval start", responder);
}

void Control::roll_back(const control::Responder& responder) {
  operations_.roll_back("serval rollback", [responder](const ReloadReport& report) { answer(report, responder); });
}

/// The client waits for our end by itself: no process is left here to tell it.
void Control::stop(const boost::json::object& arguments, const control::Responder& responder) {
  const auto* now = arguments.if_contains("now");
  const bool at_once = now != nullptr && now->as_bool();
  if (const std::string name = program_in(arguments); !name.empty()) {
    if (at_once)
      return responder.refuse("--now is for the whole server: a program has its own grace", exit_code::usage);
    return order_program(supervisor::ProgramOrdered::Order::stop, name, "serval stop", responder);
  }
  const int requests = control::requests_in_progress(supervisor_.snapshot(), scoreboard_);
  const supervisor::StopRequested event{at_once ? "serval stop --now" : "serval stop", at_once, requests};
  const auto effect = supervisor_.effect_of(event, Clock::now());
  if (effect == supervisor::StopEffect::at_once) {
    if (!at_once) responder.progress("asked for the second time: stopping at once");
  } else {
    const config::Shutdown& limits = operations_.config().shutdown;
    responder.progress("stopping: " + std::to_string(requests) + (requests == 1 ? " request" : " requests") +
                       " in progress, at most " + format_duration(limits.delay + limits.grace) +
                       "; serval stop --now stops at once");
  }
  boost::json::object result{{"pid", ::getpid()}};
  if (effect == supervisor::StopEffect::at_once) result["cut"] = requests;
  responder.finish(std::move(result));
  operations_.tell(event);
}

void Control::scale(const boost::json::object& arguments, const control::Responder& responder) {
  if (const std::string name = program_in(arguments); !name.empty()) return scale_program(name, arguments, responder);
  if (!operations_.config().has_app())
    return responder.refuse("there is no app: serval scale NAME=N scales a program", exit_code::app_failed);
  const auto* to = arguments.if_contains("to");
  const auto* by = arguments.if_contains("by");
  if ((to == nullptr) == (by == nullptr)) return responder.refuse("expected either `to` or `by`", exit_code::usage);
  const supervisor::Snapshot before = supervisor_.snapshot();
  const std::int64_t wanted = to != nullptr ? to->as_int64() : before.wanted + by->as_int64();
  if (wanted < 1 || wanted > supervisor::kMostWorkers) {
    return responder.refuse(
        std::to_string(wanted) + " workers: expected 1 to " + std::to_string(supervisor::kMostWorkers),
        exit_code::app_failed);
  }
  const auto serve_as_wanted = [wanted](const supervisor::Snapshot& snapshot) {
    const auto serving = std::count_if(snapshot.workers.begin(), snapshot.workers.end(), [](const auto& worker) {
      return worker.state == supervisor::SlotState::serving;
    });
    return serving == wanted || snapshot.wanted != wanted;  // or another command wants another number
  };
  responder.progress("from " + std::to_string(before.wanted) + " to " + std::to_string(wanted) + " workers");
  waiting_.push_back({serve_as_wanted, {{"workers", wanted}}, responder, fails_to_boot_since(before)});
  operations_.tell(supervisor::ScaleRequested{static_cast<int>(wanted) - before.wanted, "serval scale"});
}

void Control::recycle(const boost::json::object& arguments, const control::Responder& responder) {
  if (const std::string name = program_in(arguments); !name.empty())
    return order_program(supervisor::ProgramOrdered::Order::replace, name, "serval recycle", responder);
  const auto* slot = arguments.if_contains("slot");
  const supervisor::Snapshot before = supervisor_.snapshot();
  std::set<pid_t> leaving;
  for (const auto& worker : before.workers) {
    const bool meant = slot == nullptr || slot->as_int64() == worker.slot;
    if (meant && worker.state == supervisor::SlotState::serving) leaving.insert(worker.pid);
  }
  if (leaving.empty()) {
    return responder.refuse(
        slot != nullptr ? "no worker serves in slot " + std::to_string(slot->as_int64()) : "no worker serves",
        exit_code::app_failed);
  }
  const auto count = leaving.size();
  responder.progress("replacing " + std::to_string(count) + (count == 1 ? " worker" : " workers"));
  const auto all_gone = [leaving = std::move(leaving)](const supervisor::Snapshot& snapshot) {
    return std::none_of(snapshot.workers.begin(), snapshot.workers.end(), [&](const auto& worker) {
      // One that drains has a successor.
      return leaving.contains(worker.pid) && (worker.state == supervisor::SlotState::serving || worker.at_door);
    });
  };
  waiting_.push_back({all_gone, {{"workers", count}}, responder, fails_to_boot_since(before)});
  operations_.tell(supervisor::RecycleRequested{slot != nullptr ? std::optional<int>(static_cast<int>(slot->as_int64()))
                                                                : std::nullopt});
}

void Control::upgrade(const control::Responder& responder) {
  upgrade_waiters_.push_back(responder);
  operations_.upgrade("serval upgrade");
}

void Control::upgrade_refused(const std::string& why) {
  for (const control::Responder& waiter : std::exchange(upgrade_waiters_, {})) {
    waiter.refuse(why + "; serval " SERVAL_VERSION " goes on", exit_code::app_failed);
  }
}

void Control::reopen(const control::Responder& responder) {
  // What could be had is swapped all the same, by every process; the client, which rotates, has to hear of the rest.
  if (const std::string why = operations_.reopen_logs(); !why.empty())
    return responder.refuse(why, exit_code::app_failed);
  const auto all_have = [this](const supervisor::Snapshot& snapshot) {
    return !snapshot.reopening && !operations_.admin_reopening();
  };
  waiting_.push_back({all_have, {}, responder});
  look_again();
}

void Control::drain(bool on, const control::Responder& responder) {
  operations_.tell(supervisor::DrainRequested{on, on ? "serval drain" : "serval undrain"});
  responder.finish({});
}

void Control::pause(const control::Responder& responder) {
  const auto calm = [](const supervisor::Snapshot& now) { return now.in_progress == 0; };
  const auto ended = [](const supervisor::Snapshot& now) {
    return std::string(now.paused ? "" : "somebody has ended the pause");
  };
  waiting_.push_back({.done = calm, .result = {}, .responder = responder, .hopeless = ended});
  operations_.tell(supervisor::PauseRequested{true, "serval pause"});
}

void Control::resume(const control::Responder& responder) {
  operations_.tell(supervisor::PauseRequested{false, "serval resume"});
  responder.finish({});
}

void Control::stacks(const boost::json::object& arguments, const control::Responder& responder) const {
  const auto* slot = arguments.if_contains("slot");
  if (slot == nullptr) return operations_.stacks(std::nullopt, responder);
  operations_.stacks(static_cast<int>(slot->as_int64()), responder);
}

void Control::profile(const boost::json::object& arguments, const control::Responder& responder) const {
  WorkerProfiles::Settings settings;
  if (const auto* slot = arguments.if_contains("slot")) settings.slot = static_cast<int>(slot->as_int64());
  if (const auto* seconds = arguments.if_contains("seconds"))
    settings.length = std::chrono::seconds(seconds->as_int64());
  if (const auto* hz = arguments.if_contains("hz")) settings.hz = static_cast<int>(hz->as_int64());
  if (const auto* cpu = arguments.if_contains("cpu")) settings.cpu = cpu->as_bool();
  operations_.profile(settings, responder);
}

std::string Control::status_for_admin() { return boost::json::serialize(status_.make(StatusMaker::For::admin)); }

/// Probes come often and do without memory.
void Control::status(const boost::json::object& arguments, const control::Responder& responder) {
  const auto* memory = arguments.if_contains("memory");
  responder.finish(status_.make(memory == nullptr || memory->as_bool() ? StatusMaker::For::person : StatusMaker::For::probe));
}

}  // namespace serval::master
