#include "supervisor/notifier.hpp"

#include <chrono>

namespace serval::supervisor {

void Notifier::notify(std::string state, const Turn& turn) {
  turn.act(Notify{notices_.told() ? notices_.with_status(std::move(state), headline_(turn), turn.now)
                                  : std::move(state)});
}

void Notifier::settle(TimePoint busy_until, const Turn& turn) {
  const std::string status = notices_.told() ? headline_(turn) : "";
  for (std::string& state : notices_.due(status, busy_until, turn.now)) turn.act(Notify{std::move(state)});
}

/// A service manager that asked for a reload by a signal waits for its beginning and its end, even if there is nothing
/// in between (systemd.service(5), Type=notify-reload). That it failed can only be said in words.
void Notifier::reloading(const Turn& turn) {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(turn.now.time_since_epoch()).count();
  notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now), turn);
}

void Notifier::ready(const Turn& turn) {
  if (turn.world.complete && !turn.leaving()) notify("READY=1", turn);
}

}  // namespace serval::supervisor
