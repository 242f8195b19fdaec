#pragma once

#include <boost/json/object.hpp>
#include <string>

namespace serval::control {

/// The programs of a status for eyes: a row for each instance, with a note below it where something is not as usual.
/// Empty if there are none.
std::string program_table(const boost::json::object& status);

}  // namespace serval::control
