#pragma once

#include <memory>

#include "config/config.hpp"
#include "master/listeners.hpp"
#include "master/log_files.hpp"

namespace serval::master {

/// What the processes of one generation go by. Its parts are shared with other generations that have the same.
struct Generation {
  std::shared_ptr<const config::Config> config;
  std::shared_ptr<LogFiles> logs;
  Listeners listeners;
};

}  // namespace serval::master
