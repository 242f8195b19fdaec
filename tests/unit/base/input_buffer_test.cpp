#include "base/input_buffer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace serval {
namespace {

void put(InputBuffer& buffer, std::string_view bytes) {
  for (const char byte : bytes) {
    buffer.make_room(4);
    *buffer.free_space() = byte;
    buffer.commit(1);
  }
}

TEST(InputBuffer, GrowsByDoublingAndKeepsWhatIsUnread) {
  InputBuffer buffer;
  put(buffer, "0123456789");
  EXPECT_EQ(buffer.unread(), "0123456789");
  EXPECT_EQ(buffer.capacity(), 16u);
}

TEST(InputBuffer, ConsumedBytesStayInPlaceUntilRoomIsMade) {
  InputBuffer buffer;
  put(buffer, "head body");
  const std::string_view head = buffer.unread().substr(0, 4);
  buffer.consume(5);
  EXPECT_EQ(head, "head");
  EXPECT_EQ(buffer.unread(), "body");
  buffer.make_room(4);
  EXPECT_EQ(buffer.unread(), "body");
  EXPECT_EQ(buffer.free_size(), buffer.capacity() - 4);
}

TEST(InputBuffer, AssignTakesBytesLargerThanTheLeastSize) {
  InputBuffer buffer;
  const std::string bytes(100, 'x');
  buffer.assign(bytes, 10);
  EXPECT_EQ(buffer.unread(), bytes);
  buffer.consume(bytes.size());
  buffer.assign("y", 10);
  EXPECT_EQ(buffer.unread(), "y");
}

TEST(InputBuffer, ClearKeepsSmallMemoryAndGivesLargeMemoryBack) {
  InputBuffer buffer;
  put(buffer, "0123");
  buffer.clear(4);
  EXPECT_EQ(buffer.capacity(), 4u);
  put(buffer, "0123456789");
  buffer.clear(4);
  EXPECT_EQ(buffer.capacity(), 0u);
  EXPECT_TRUE(buffer.unread().empty());
}

}  // namespace
}  // namespace serval
