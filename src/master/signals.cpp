#include "master/signals.hpp"

#include <algorithm>
#include <csignal>
#include <iterator>
#include <utility>

#include "base/log.hpp"
#include "os/signals.hpp"

namespace serval::master {

/// A terminal that closes ends what was started there, as anything else that runs in it.
std::optional<SignalOrder> order_of(int number, bool terminal_closes) {
  const auto* row = std::find_if(std::begin(kSignalTable), std::end(kSignalTable),
                                 [number](const SignalRow& other) { return other.number == number; });
  if (row == std::end(kSignalTable)) return std::nullopt;
  const std::string name(row->name);
  if (terminal_closes) return SignalOrder{SignalAction::stop, name + ", the terminal has closed"};
  return SignalOrder{row->action, name};
}

void Signals::listen() {
  set_.add(SIGCHLD);
  for (const SignalRow& row : kSignalTable) {
    if (row.number == SIGHUP && os::is_ignored(SIGHUP)) {
      log::info("SIGHUP was ignored at the start (nohup), and stays so", {{"next", "`serval reload` reloads"}});
      continue;
    }
    set_.add(row.number);
  }
  os::filter_terminal_signals();
  os::let_signals_in();
  await();
}

void Signals::await() {
  set_.async_wait([this](const auto& error, int number) {
    if (error) return;
    on_signal(number);
    await();
  });
}

/// A terminal may say more than once that it closes, and a second stop would cut what is in flight.
void Signals::on_signal(int number) {
  if (number == SIGCHLD) return hooks_.child_ended();
  const bool terminal_closes =
      number == SIGHUP && os::is_end_of_terminal(os::take_hangup(), had_terminal_, os::has_terminal());
  if (terminal_closes && std::exchange(terminal_closed_, true)) return;
  if (const auto order = order_of(number, terminal_closes)) hooks_.order(*order);
}

}  // namespace serval::master
