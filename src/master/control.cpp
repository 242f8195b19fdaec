#include "master/control.hpp"

#include <unistd.h>

#include <chrono>
#include <optional>
#include <utility>

#include "base/exit_code.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "config/load.hpp"
#include "control/place.hpp"
#include "control/private_folder.hpp"
#include "control/status.hpp"
#include "os/process_memory.hpp"

namespace serval::master {
namespace {

/// For one status. The kernel takes milliseconds to add up a large worker's share, and meanwhile the master does nothing else.
constexpr auto kMeasuringTime = std::chrono::milliseconds(50);

Result<std::unique_ptr<control::Server>> listen(boost::asio::io_context& io, const control::Place& place, unsigned mode) {
  if (!place.folder.empty()) {
    if (const auto made = control::make_private_folder(place.folder, ::geteuid()); !made) return Error{made.error()};
  }
  return control::Server::listen(io, place.path, mode);
}

/// pss, or rss where that cannot be read or the time is up.
std::optional<control::MemoryReading> measure(pid_t worker, TimePoint until) {
  if (Clock::now() < until) {
    if (const auto bytes = os::proportional_bytes(worker)) return control::MemoryReading{*bytes, "pss"};
  }
  const auto bytes = os::resident_bytes(worker);
  if (!bytes) return std::nullopt;
  return control::MemoryReading{*bytes, "rss"};
}

}  // namespace

Control::Control(boost::asio::io_context& io, const config::Config& config, const supervisor::Supervisor& supervisor,
                 const scoreboard::Memory& scoreboard)
    : config_(config), supervisor_(supervisor), scoreboard_(scoreboard) {
  const control::Place place = control::find_place(config.control, config.server.name, config::process_environment(), ::geteuid());
  if (place.path.empty()) return;
  auto server = listen(io, place, config.control.mode);
  if (!server) {
    if (!place.automatic) throw StartupError(exit_code::cannot_create, "control.socket: " + server.error());
    log::warning("no control socket, going on without it; control.socket names another place", {{"why", server.error()}});
    return;
  }
  server_ = std::move(*server);
  log::info("control socket", {{"path", server_->path()}});
  server_->serve("status", [this](const auto&, const control::Responder& responder) { status(responder); });
}

void Control::status(const control::Responder& responder) const {
  const TimePoint now = Clock::now();
  const supervisor::Snapshot snapshot = supervisor_.snapshot();
  responder.finish(control::make_status({.name = config_.server.name,
                                         .version = SERVAL_VERSION,
                                         .pid = ::getpid(),
                                         .threads = config_.workers.threads,
                                         .begun = begun_,
                                         .snapshot = snapshot,
                                         .scoreboard = scoreboard_,
                                         .memory = [until = now + kMeasuringTime](pid_t worker) { return measure(worker, until); }},
                                        now));
}

}  // namespace serval::master
