#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

#include "script.hpp"

/// What tests of programs tell the supervisor. The instance of an id has the pid 500 + id.
namespace serval::supervisor {

/// A server without an app.
inline Settings only(config::Programs programs) {
  Settings result = settings(0);
  result.has_app = false;
  result.programs = std::move(programs);
  return result;
}

inline pid_t pid_of_program(int id) { return 500 + id; }
inline Event started(int id) { return ProgramStarted{id, pid_of_program(id)}; }
inline Event is_ready(int id) { return ProgramReady{id}; }
inline Event ends(int id, int code = 0, int leftovers = 0) {
  return ChildExited{pid_of_program(id),
                     {.code = code, .text = "exit code " + std::to_string(code), .leftovers = leftovers}};
}
inline Event order(ProgramOrdered::Order what, const std::string& name = "it") {
  return ProgramOrdered{what, name, "serval test"};
}

}  // namespace serval::supervisor
