#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "config/programs.hpp"
#include "control/protocol.hpp"
#include "master/control.hpp"
#include "supervisor/program_rules.hpp"

/// The commands of master/control that are about one program.
namespace serval::master {
namespace {

using Group = supervisor::ProgramGroupRecord;
using Order = supervisor::ProgramOrdered::Order;

const Group* find(const supervisor::Snapshot& snapshot, const std::string& name) {
  const auto found = std::find_if(snapshot.programs.begin(), snapshot.programs.end(),
                                  [&](const Group& group) { return group.name == name && !group.removed; });
  return found == snapshot.programs.end() ? nullptr : &*found;
}

std::string no_such_program(const supervisor::Snapshot& snapshot, const std::string& name) {
  std::vector<std::string_view> names;
  for (const Group& group : snapshot.programs) names.push_back(group.name);
  const std::string what = "there is no program " + quoted(shortened(name, 80));
  const auto near = nearest(name, names);
  if (near) return what + ", did you mean " + std::string(*near) + "?";
  return names.empty() ? what + ": the configuration has none" : what;
}

/// One that waits to be tried again has none.
bool has_process(const Group& group) {
  return std::any_of(group.instances.begin(), group.instances.end(),
                     [](const auto& instance) { return instance.state != supervisor::ProgramState::waiting; });
}

}  // namespace

std::string Control::program_in(const boost::json::object& arguments) {
  const auto* name = arguments.if_contains("program");
  return name == nullptr ? std::string() : std::string(name->as_string().data(), name->as_string().size());
}

/// The events of a command are handled when this returns, so the snapshot that is looked at has them.
void Control::await_program(const std::string& name, boost::json::object result, const control::Responder& responder) {
  waiting_.push_back({.done =
                          [name](const supervisor::Snapshot& now) {
                            const Group* group = find(now, name);
                            return group == nullptr || supervisor::is_settled(*group);
                          },
                      .result = std::move(result),
                      .responder = responder,
                      .hopeless =
                          [name](const supervisor::Snapshot& now) {
                            const Group* group = find(now, name);
                            return group == nullptr ? std::string() : group->failure;
                          }});
}

void Control::order_program(Order order, const std::string& name, const std::string& by,
                            const control::Responder& responder) {
  const supervisor::Snapshot before = supervisor_.snapshot();
  const Group* group = find(before, name);
  if (group == nullptr) return responder.refuse(no_such_program(before, name), exit_code::app_failed);
  if (before.stopping) return responder.refuse("the server is stopping", exit_code::app_failed);
  if (order == Order::replace && !group->on)
    return responder.refuse(name + " is stopped: serval start " + name + " starts it", exit_code::app_failed);
  if (order == Order::start && group->scheduled && !group->overlaps && has_process(*group))
    return responder.refuse("a run of " + name + " goes on already", exit_code::app_failed);
  operations_.tell(supervisor::ProgramOrdered{order, name, by});
  await_program(name, {{"program", control::utf8(name)}}, responder);
  look_again();
}

void Control::scale_program(const std::string& name, const boost::json::object& arguments,
                            const control::Responder& responder) {
  const auto* to = arguments.if_contains("to");
  const auto* by = arguments.if_contains("by");
  if ((to == nullptr) == (by == nullptr)) return responder.refuse("expected either `to` or `by`", exit_code::usage);
  const supervisor::Snapshot before = supervisor_.snapshot();
  const Group* group = find(before, name);
  if (group == nullptr) return responder.refuse(no_such_program(before, name), exit_code::app_failed);
  if (group->scheduled)
    return responder.refuse(name + " has a schedule: there is one run at a time", exit_code::app_failed);
  const std::int64_t wanted = to != nullptr ? to->as_int64() : group->wanted + by->as_int64();
  if (wanted < 0 || wanted > config::kMostInstances) {
    return responder.refuse(
        std::to_string(wanted) + " instances: expected 0 to " + std::to_string(config::kMostInstances),
        exit_code::app_failed);
  }
  responder.progress("from " + std::to_string(group->wanted) + " to " + std::to_string(wanted) + " instances of " +
                     name);
  operations_.tell(supervisor::ProgramScaled{name, static_cast<int>(wanted), "serval scale"});
  await_program(name, {{"program", control::utf8(name)}, {"instances", wanted}}, responder);
  look_again();
}

/// A reload has ended well; its programs follow the new configuration by now, and may take a while.
void Control::await_programs(boost::json::object result, const control::Responder& responder) {
  std::set<std::string> failed_before;
  for (const Group& group : supervisor_.snapshot().programs) {
    if (!group.failure.empty()) failed_before.insert(group.name);
  }
  const auto concerns = [failed_before](const Group& group) { return !failed_before.contains(group.name); };
  waiting_.push_back(
      {.done =
           [concerns](const supervisor::Snapshot& now) {
             return std::all_of(now.programs.begin(), now.programs.end(),
                                [&](const Group& group) { return !concerns(group) || supervisor::is_settled(group); });
           },
       .result = std::move(result),
       .responder = responder,
       .hopeless =
           [concerns](const supervisor::Snapshot& now) {
             const auto failed = std::find_if(now.programs.begin(), now.programs.end(), [&](const Group& group) {
               return concerns(group) && !group.failure.empty();
             });
             return failed == now.programs.end() ? std::string()
                                                 : "the new configuration is in force, but of the program " +
                                                       failed->name + " " + failed->failure;
           }});
}

}  // namespace serval::master
