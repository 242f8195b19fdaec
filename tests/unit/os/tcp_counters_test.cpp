#include "os/tcp_counters.hpp"

#include <gtest/gtest.h>

namespace serval::os {
namespace {

TEST(ListenDrops, ReadsTheColumnsByTheirNames) {
  const auto drops = parse_listen_drops(
      "TcpExt: SyncookiesSent ListenOverflows ListenDrops X\nTcpExt: 1 22 333 4\nIpExt: A ListenDrops\nIpExt: 9 9\n");
  ASSERT_TRUE(drops);
  EXPECT_EQ(drops->overflows, 22U);
  EXPECT_EQ(drops->drops, 333U);
  for (const char* text :
       {"", "TcpExt: ListenOverflows ListenDrops\n", "TcpExt: ListenOverflows ListenDrops\nTcpExt: 1\n"})
    EXPECT_FALSE(parse_listen_drops(text)) << text;
  EXPECT_TRUE(listen_drops());
}

}  // namespace
}  // namespace serval::os
