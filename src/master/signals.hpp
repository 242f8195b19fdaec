#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>
#include <optional>
#include <string>

#include "base/signal_table.hpp"
#include "os/terminal.hpp"

namespace serval::master {

/// What a signal asks for, and by which name the log knows it.
struct SignalOrder {
  SignalAction action;
  std::string by;
};
/// `terminal_closes`: it says that, and not what a user would say by it. None: it is not in the table of signals. Pure.
std::optional<SignalOrder> order_of(int number, bool terminal_closes);

/// The signals to the master. One thread, that of the io_context.
class Signals {
 public:
  struct Hooks {
    std::function<void()> child_ended;
    std::function<void(const SignalOrder&)> order;
  };
  Signals(boost::asio::io_context& io, Hooks hooks) : set_(io), hooks_(std::move(hooks)) {}

  /// Handlers are there from here on, and signals that were held come in; the hooks are called once the loop runs.
  void listen();

 private:
  void await();
  void on_signal(int number);

  boost::asio::signal_set set_;
  const Hooks hooks_;
  const bool had_terminal_ = os::has_terminal();
  bool terminal_closed_ = false;
};

}  // namespace serval::master
