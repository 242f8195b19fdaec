#pragma once

#include "control/server.hpp"
#include "master/reload_plan.hpp"

namespace serval::master {

/// What the command is told that has asked for a reload, or to go back.
void answer(const ReloadReport& report, const control::Responder& responder);

}  // namespace serval::master
