#include "top/worker_state.hpp"

#include "control/shown.hpp"

namespace serval::top {

std::string state_of(const boost::json::object& worker) {
  if (control::flag_at(worker, "stopped")) return "stopped";
  std::string state = control::text_at(worker, "state");
  return state == "serving" && control::flag_at(worker, "silent") ? "silent" : state;
}

}  // namespace serval::top
