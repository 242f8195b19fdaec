#pragma once

#include <boost/json/object.hpp>

#include "admin/exposition.hpp"

namespace serval::admin {

/// The families of programs, and of those with a schedule, as far as `status` (control/status.hpp) has any.
void write_program_metrics(Exposition& out, const boost::json::object& status);

}  // namespace serval::admin
