#pragma once

#include <string>

#include "admin/master_link.hpp"

namespace serval::admin {

/// What /livez, /readyz and /startupz look at.
enum class HealthQuestion {
  live,     ///< the master answers, and a worker beats
  ready,    ///< new traffic should be sent here
  started,  ///< the app is loaded, and workers have served
};

struct HealthAnswer {
  int status = 200;  ///< or 503
  std::string text;  ///< one line; `verbose`: one for each thing that was looked at, as Kubernetes' own endpoints do
};

/// Pure. `status`: as control/status has it; null: the master does not answer.
HealthAnswer health_answer(HealthQuestion question, const Status& status, bool verbose);

}  // namespace serval::admin
