#include "cli/server_list.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <map>

#include "base/log_text.hpp"
#include "base/text.hpp"
#include "control/protocol.hpp"
#include "control/shown.hpp"
#include "control/values.hpp"

namespace serval::cli {
namespace {

namespace json = boost::json;
using Answer = ListedServer::Answer;
using control::text_or_null;

std::string escaped(std::string_view text) {
  std::string out;
  log::append_text(out, text, false);
  return out;
}

std::string_view problem_of(Answer answer) {
  switch (answer) {
    case Answer::given: return "";
    case Answer::none: return "does not answer";
    case Answer::not_allowed: return "its control socket is another user's";
    case Answer::no_socket: return "no control socket to ask it by";
  }
  return "";
}

json::value copied(const json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  return value == nullptr ? json::value(nullptr) : *value;
}

/// Instances of a program by their states.
std::map<std::string, int> states_of(const json::object& program) {
  std::map<std::string, int> states;
  for (const auto* instance : control::objects_in(program, "instances")) ++states[control::text_at(*instance, "state")];
  return states;
}

bool has_app(const json::object& status) { return !control::objects_in(status, "generations").empty(); }

int serving_in(const json::object& status) {
  const auto workers = control::objects_in(status, "workers");
  return static_cast<int>(std::count_if(workers.begin(), workers.end(), [](const auto* worker) {
    return control::text_at(*worker, "state") == "serving";
  }));
}

json::array programs_of(const json::object& status) {
  json::array programs;
  for (const auto* program : control::objects_in(status, "programs")) {
    json::object states;
    const auto counted = states_of(*program);
    for (const auto& [state, number] : counted) states.emplace(state, number);
    const auto ready = counted.find("ready");
    programs.push_back(json::object{{"name", copied(*program, "name")},
                                    {"wanted", copied(*program, "wanted")},
                                    {"ready", ready == counted.end() ? 0 : ready->second},
                                    {"up", copied(*program, "up")},
                                    {"on", copied(*program, "on")},
                                    {"instances", std::move(states)}});
  }
  return programs;
}

json::array addresses_of(const json::object& status) {
  json::array addresses;
  for (const auto* listener : control::objects_in(status, "listeners"))
    addresses.push_back(copied(*listener, "address"));
  return addresses;
}

json::object to_json(const ListedServer& server) {
  const bool known = server.answer == Answer::given;
  const json::value null(nullptr);
  const json::object& status = server.status;
  return {{"name", known ? copied(status, "name") : text_or_null(server.name)},
          {"pid", server.pid > 0 ? json::value(server.pid) : null},
          {"user", text_or_null(server.user)},
          {"state", copied(status, "state")},
          {"ready", copied(status, "ready")},
          {"version", copied(status, "version")},
          {"uptime_s", copied(status, "uptime_s")},
          {"config_file", copied(status, "config_file")},
          {"socket", text_or_null(server.socket)},
          {"listeners", known ? json::value(addresses_of(status)) : null},
          {"workers", known && has_app(status) ? json::value(json::object{{"wanted", copied(status, "workers_wanted")},
                                                                          {"serving", serving_in(status)}})
                                               : null},
          {"programs", known ? json::value(programs_of(status)) : null},
          {"problem", text_or_null(std::string(problem_of(server.answer)))}};
}

// --- for people

std::string state_text(const ListedServer& server) {
  if (server.answer != Answer::given) return std::string(problem_of(server.answer));
  std::string state = control::text_at(server.status, "state");
  if (const auto why = control::maybe_text_at(server.status, "unready"); why && state == "serving")
    state += ", not ready: " + *why;
  return state + ", up for " + control::time_in(server.status, "uptime_s", 1000);
}

/// "2 of 2 ready", "3 of 4 ready, 1 waiting", "scheduled: every 5m", "stopped".
std::string program_text(const json::object& program) {
  if (!control::flag_at(program, "on")) return "stopped";
  if (const auto* schedule = control::object_in(program, "schedule")) {
    const bool runs = !control::objects_in(program, "instances").empty();
    return (runs ? "runs now, by its schedule: " : "scheduled: ") + control::text_at(*schedule, "when");
  }
  auto states = states_of(program);
  const int ready = states["ready"];
  states.erase("ready");
  const auto wanted = control::number(program, "wanted");
  const bool done = ready == 0 && control::flag_at(program, "up") && states["ended"] > 0;
  if (done) return "done";
  std::string text = std::to_string(ready) + " of " + wanted + " ready";
  for (const auto& [state, number] : states) {
    if (number > 0) text += ", " + std::to_string(number) + " " + state;
  }
  return text;
}

std::vector<std::string> details_of(const json::object& status) {
  std::vector<std::string> lines;
  if (const auto file = control::maybe_text_at(status, "config_file")) lines.push_back(*file);
  std::vector<std::string> addresses;
  for (const auto* listener : control::objects_in(status, "listeners"))
    addresses.push_back(control::text_at(*listener, "address"));
  if (!addresses.empty()) lines.push_back("listens on " + join(addresses, ", "));
  if (has_app(status)) {
    lines.push_back(std::to_string(serving_in(status)) + " of " + control::number(status, "workers_wanted") +
                    " workers serve");
  }
  for (const auto* program : control::objects_in(status, "programs"))
    lines.push_back(control::text_at(*program, "name") + ": " + program_text(*program));
  return lines;
}

struct Row {
  std::string name, pid, user, state;
  std::vector<std::string> details;
};

Row row_of(const ListedServer& server) {
  const bool known = server.answer == Answer::given;
  Row row;
  row.name = known ? control::text_at(server.status, "name") : escaped(server.name.empty() ? "-" : server.name);
  row.pid = server.pid > 0 ? std::to_string(server.pid) : "-";
  row.user = server.user.empty() ? "-" : escaped(server.user);
  row.state = state_text(server);
  if (known) row.details = details_of(server.status);
  if (!known && !server.socket.empty()) row.details.push_back(escaped(server.socket));
  return row;
}

std::string left(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text + ' ';
}

}  // namespace

json::object list_to_json(const std::vector<ListedServer>& servers) {
  json::array list;
  for (const ListedServer& server : servers) list.push_back(to_json(server));
  return {{"servers", std::move(list)}};
}

std::string format_list(const std::vector<ListedServer>& servers) {
  if (servers.empty()) return "no server runs here that you may see\n";
  std::vector<Row> rows = {{"NAME", "PID", "USER", "STATE", {}}};
  for (const ListedServer& server : servers) rows.push_back(row_of(server));
  std::size_t name = 0, pid = 0, user = 0;
  for (const Row& row : rows) {
    name = std::max(name, row.name.size());
    pid = std::max(pid, row.pid.size());
    user = std::max(user, row.user.size());
  }
  std::string text;
  for (const Row& row : rows) {
    text += left(row.name, name) + std::string(pid - row.pid.size(), ' ') + row.pid + ' ' + left(row.user, user) +
            row.state + '\n';
    for (const std::string& line : row.details) text += "  " + line + '\n';
  }
  return text;
}

}  // namespace serval::cli
