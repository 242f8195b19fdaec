#include "master/signals.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace serval::master {
namespace {

TEST(SignalOrder, IsWhatTheTableSays) {
  for (const SignalRow& row : kSignalTable) {
    const auto order = order_of(row.number, false);
    ASSERT_TRUE(order) << row.name;
    EXPECT_EQ(order->action, row.action) << row.name;
    EXPECT_EQ(order->by, row.name);
  }
}

TEST(SignalOrder, AHangupOfATerminalThatClosesStops) {
  EXPECT_EQ(order_of(SIGHUP, false)->action, SignalAction::reload);
  const auto order = order_of(SIGHUP, true);
  EXPECT_EQ(order->action, SignalAction::stop);
  EXPECT_EQ(order->by, "HUP, the terminal has closed");
}

TEST(SignalOrder, ThereIsNoneForOtherSignals) { EXPECT_FALSE(order_of(SIGWINCH, false)); }

}  // namespace
}  // namespace serval::master
