#pragma once

#include "control/server.hpp"
#include "master/reload_plan.hpp"

namespace serval::master {

/// What the command is told that has asked for a reload, or to go back.
/// Of one that was good.
boost::json::object result_of(const ReloadReport& report);

void answer(const ReloadReport& report, const control::Responder& responder);

}  // namespace serval::master
