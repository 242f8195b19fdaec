#pragma once

#include "config/config.hpp"
#include "config/telemetry.hpp"
#include "ipc/heritage.hpp"
#include "ipc/lobby.hpp"
#include "ipc/spans.hpp"
#include "master/handover.hpp"
#include "os/unique_fd.hpp"
#include "scoreboard/memory.hpp"

namespace serval::master {

/// What all molds and workers inherit, whatever their generation. Lives as long as the master.
struct Inheritance {
  /// Throws StartupError if there is no memory or descriptor left.
  explicit Inheritance(const config::Config& config);
  /// What an earlier version of serval had in this process; owns its descriptors. Throws StartupError.
  explicit Inheritance(const Handover& handover);
  Inheritance(const Inheritance&) = delete;
  Inheritance& operator=(const Inheritance&) = delete;
  ~Inheritance();

  void record(Handover& handover) const;
  void put_into(ipc::Heritage& heritage) const;

  void prepare_traces(const config::Admin& admin);

  UniqueFd life_read;   ///< inherited by all children
  UniqueFd life_write;  ///< held by us alone, and never written to: its end is our end
  ipc::Lobby lobby;
  scoreboard::Memory scoreboard;
  UniqueFd app_metrics;         ///< where the app counts (metrics/memory.hpp), which we never map; none: it does not
  config::Telemetry telemetry;  ///< as the environment says
  ipc::SpanPipe spans;          ///< if something is traced
};

}  // namespace serval::master
