#include "ipc/packet.hpp"

#include <gtest/gtest.h>

namespace serval::ipc {
namespace {

TEST(Packet, CarriesText) {
  EXPECT_EQ(text_of(with_text({}, "no such file")), "no such file");
  EXPECT_EQ(text_of(with_text({}, "")), "");
}

TEST(Packet, CutsTextThatDoesNotFit) {
  const std::string longer(5000, 'x');
  EXPECT_EQ(text_of(with_text({}, longer)), longer.substr(0, sizeof(Packet::text)));
}

TEST(Packet, DoesNotBelieveASizeBeyondTheText) {
  Packet packet = with_text({}, "abc");
  packet.text_size = 4'000'000'000;
  EXPECT_EQ(text_of(packet).size(), sizeof packet.text);
}

}  // namespace
}  // namespace serval::ipc
