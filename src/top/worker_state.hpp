#pragma once

#include <boost/json/object.hpp>
#include <string>

namespace serval::top {

/// As the status has it, but one that has been stopped, or that should serve and says nothing, is shown as that: until
/// the supervisor does something about it, it has the state of one that serves.
std::string state_of(const boost::json::object& worker);

}  // namespace serval::top
