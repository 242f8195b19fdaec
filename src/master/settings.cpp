#include "master/settings.hpp"

#include <random>

#include "os/systemd.hpp"
#include "os/time_zone.hpp"

namespace serval::master {

supervisor::Settings settings_of(const config::Config& config, int workers) {
  supervisor::Settings settings;
  settings.workers = workers;
  settings.limits = config.workers;
  settings.memory = config.memory;
  settings.delay = config.shutdown.delay;
  settings.grace = config.shutdown.grace;
  settings.restart = config.restart;
  settings.reload = config.reload;
  settings.has_app = config.has_app();
  settings.programs = config.programs;
  settings.offset_at = os::offset_at;
  settings.seed = std::random_device{}();
  settings.notified = os::has_notify_socket();
  settings.watchdog = os::watchdog_interval();
  return settings;
}

}  // namespace serval::master
