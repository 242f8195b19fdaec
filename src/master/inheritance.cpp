#include "master/inheritance.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/errno_text.hpp"
#include "base/exit_code.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "metrics/memory.hpp"
#include "supervisor/settings.hpp"

namespace serval::master {
namespace {

/// The scoreboard is made once; a reload may bring more threads. Unused rows cost nothing.
constexpr int kMinRows = 64;

scoreboard::Memory make_scoreboard(const config::Config& config) {
  auto memory = scoreboard::Memory::create(
      {.slots = supervisor::Settings().slots, .rows = std::max(config.workers.threads + 1, kMinRows)});
  if (!memory) throw StartupError(exit_code::cannot_create, memory.error());  // by a limit, or for want of memory
  return std::move(*memory);
}

scoreboard::Memory map_scoreboard(int fd) {
  const UniqueFd theirs(fd);
  auto memory = scoreboard::Memory::map(theirs.get());
  if (!memory) throw StartupError(exit_code::internal, memory.error());
  return std::move(*memory);
}

/// Without it the server gets along: what the app counts is dropped.
UniqueFd make_app_metrics() {
  auto file = metrics::make_file(supervisor::Settings().slots);
  if (file) return std::move(*file);
  log::warning("the app's own metrics are not counted", {{"why", file.error()}});
  return {};
}

/// Of an older version, or one that lays it out in another way, the generations that live go on without.
UniqueFd app_metrics_of(int fd) {
  UniqueFd theirs(fd);
  return theirs && metrics::check_file(theirs.get()) ? std::move(theirs) : make_app_metrics();
}

ipc::Lobby make_lobby() {
  auto lobby = ipc::make_lobby();
  if (!lobby) throw StartupError(exit_code::internal, lobby.error());
  return std::move(*lobby);
}

/// An older version knew none.
ipc::Lobby lobby_of(const Handover& handover) {
  if (handover.lobby_entry_fd >= 0 && handover.lobby_exit_fd >= 0)
    return {UniqueFd(handover.lobby_entry_fd), UniqueFd(handover.lobby_exit_fd)};
  auto made = ipc::make_lobby();
  return made ? std::move(*made) : ipc::Lobby{};
}

}  // namespace

Inheritance::Inheritance(const config::Config& config)
    : lobby(make_lobby()), scoreboard(make_scoreboard(config)), app_metrics(make_app_metrics()) {
  int life[2];
  if (::pipe2(life, O_CLOEXEC) != 0) throw StartupError(exit_code::internal, "cannot make a pipe: " + errno_text());
  life_read.reset(life[0]);
  life_write.reset(life[1]);
  prepare_traces(config.admin);
}

Inheritance::Inheritance(const Handover& handover)
    : life_read(handover.life_read_fd),
      life_write(handover.life_write_fd),
      lobby(lobby_of(handover)),
      scoreboard(map_scoreboard(handover.scoreboard_fd)),
      app_metrics(app_metrics_of(handover.app_metrics_fd)),
      telemetry(config::telemetry_from(config::process_environment())),
      spans{UniqueFd(handover.spans_read_fd), UniqueFd(handover.spans_write_fd)} {}

/// Without a pipe the server gets along: nothing is traced.
void Inheritance::prepare_traces(const config::Admin& admin) {
  telemetry = config::telemetry_from(config::process_environment());
  for (const std::string& problem : telemetry.problems) log::warning(problem);
  if (!telemetry.traces) return;
  if (!admin.on()) {
    log::warning("no traces: the admin process would send them, and admin.bind is \"off\"",
                 {{"collector", telemetry.host + ":" + telemetry.port}});
    return;
  }
  if (auto pipe = ipc::make_span_pipe()) {
    spans = std::move(*pipe);
    log::info("tracing", {{"collector", telemetry.host + ":" + telemetry.port}});
  } else {
    log::warning("nothing is traced", {{"why", pipe.error()}});
  }
}

/// What still lies in the lobby is closed with it, and a close may take as long as the sender likes (socket(7),
/// SO_LINGER). Not so when the process ends: the kernel does not linger for those.
Inheritance::~Inheritance() {
  lobby.entry.release();
  lobby.exit.release();
}

void Inheritance::record(Handover& handover) const {
  handover.life_read_fd = life_read.get();
  handover.life_write_fd = life_write.get();
  handover.lobby_entry_fd = lobby.entry.get();
  handover.lobby_exit_fd = lobby.exit.get();
  handover.scoreboard_fd = scoreboard.fd();
  handover.app_metrics_fd = app_metrics.get();
  handover.spans_read_fd = spans.read_end.get();
  handover.spans_write_fd = spans.write_end.get();
}

void Inheritance::put_into(ipc::Heritage& heritage) const {
  heritage.life_fd = life_read.get();
  heritage.scoreboard_fd = scoreboard.fd();
  heritage.app_metrics_fd = app_metrics.get();
  heritage.lobby_entry_fd = lobby.entry.get();
  heritage.lobby_exit_fd = lobby.exit.get();
  heritage.spans_fd = spans.write_end.get();
  heritage.sampler = telemetry.sampler;
}

}  // namespace serval::master
