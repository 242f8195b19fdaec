#include "ipc/messages.hpp"

#include <gtest/gtest.h>

namespace serval::ipc {
namespace {

TEST(Messages, CarryText) {
  EXPECT_EQ(text_of(with_text({.kind = Kind::load_failed}, "no such file")), "no such file");
  EXPECT_EQ(text_of(with_text({.kind = Kind::load_failed}, "")), "");
}

TEST(Messages, CutTextThatDoesNotFit) {
  const std::string longer(5000, 'x');
  EXPECT_EQ(text_of(with_text({}, longer)), longer.substr(0, sizeof(Message::text)));
}

TEST(Messages, DoNotBelieveASizeBeyondTheText) {
  Message message = with_text({}, "abc");
  message.text_size = 4'000'000'000;
  EXPECT_EQ(text_of(message).size(), sizeof message.text);
}

}  // namespace
}  // namespace serval::ipc
