#include "http1/head_writer.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <vector>

#include "http/response.hpp"

namespace serval::http1 {
namespace {

using http::Field;

constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

std::string head(const Framing& framing, int status, const std::vector<Field>& fields, std::size_t body_size,
                 bool closes = false, const Field& added = {}) {
  std::string out;
  append_head(out, framing, {status, fields, body_size, closes, added}, kDate);
  return out;
}

TEST(HeadWriter, TheHeadIsWrittenInOrder) {
  EXPECT_EQ(head({}, 200, {{"Content-Type", "text/plain"}, {"X", "1"}, {"X", "2"}}, 5),
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\nX: 1\r\nX: "
            "2\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(head({}, 404, {{"Date", "today"}}, 0, true),
            "HTTP/1.1 404 Not Found\r\nDate: today\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(head({}, 599, {}, 0).substr(0, 16), "HTTP/1.1 599 \r\nD");
  EXPECT_EQ(head({}, 404, {{"Date", "today"}}, 0, true, {"X-Request-Id", std::string(300, 'x')}),
            "HTTP/1.1 404 Not Found\r\nDate: today\r\nX-Request-Id: " + std::string(300, 'x') +
                "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
}

struct Row {
  const char* what;
  Framing framing;
  int status;
  const char* app_length;  ///< null: the app gave none
  std::size_t body_size;
  const char* length_sent;  ///< null: none
  bool body_sent;
};

TEST(HeadWriter, FramingFollowsMethodAndStatus) {
  const Framing get{};
  const Framing head_request{.head_request = true};
  const Row rows[] = {
      {"a body", get, 200, nullptr, 7, "7", true},
      {"an empty body", get, 200, nullptr, 0, "0", true},
      {"the app says it too", get, 200, "7", 7, "7", true},
      {"an error", get, 500, nullptr, 7, "7", true},
      {"HEAD", head_request, 200, nullptr, 7, "7", false},
      {"HEAD, the app knows better", head_request, 200, "1234", 0, "1234", false},
      {"204", get, 204, nullptr, 0, nullptr, false},
      {"204 with a length", get, 204, "0", 0, nullptr, false},
      {"204 to HEAD", head_request, 204, nullptr, 0, nullptr, false},
      {"205", get, 205, nullptr, 7, "0", false},
      {"304", get, 304, nullptr, 0, nullptr, false},
      {"304 with the length of the 200", get, 304, "1234", 0, "1234", false},
      {"103", get, 103, nullptr, 0, nullptr, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    std::vector<Field> fields;
    if (row.app_length != nullptr) fields.push_back({"content-length", row.app_length});
    const std::string out = head(row.framing, row.status, fields, row.body_size);
    std::size_t count = 0;
    std::string lower = out;
    for (char& byte : lower) byte = static_cast<char>(std::tolower(static_cast<unsigned char>(byte)));
    for (std::size_t at = lower.find("content-length"); at != std::string::npos;
         at = lower.find("content-length", at + 1))
      ++count;
    EXPECT_EQ(count, row.length_sent == nullptr ? 0u : 1u) << out;
    if (row.length_sent != nullptr) {
      EXPECT_NE(lower.find("content-length: " + std::string(row.length_sent) + "\r\n"), std::string::npos) << out;
    }
    EXPECT_EQ(http::carries_body({row.framing.head_request, row.status}), row.body_sent);
    EXPECT_TRUE(out.ends_with("\r\n\r\n"));
  }
}

TEST(HeadWriter, ConnectionIsSaidOnlyIfItMustBe) {
  const auto says = [](const Framing& framing, bool closes = false) {
    const std::string out = head(framing, 200, {}, 0, closes);
    const std::size_t at = out.find("Connection: ");
    return at == std::string::npos ? std::string() : out.substr(at + 12, out.find('\r', at) - at - 12);
  };
  EXPECT_EQ(says({}), "");
  EXPECT_EQ(says({}, true), "close");
  EXPECT_EQ(says({.minor_version = 0, .asked_keep_alive_1_0 = true}), "keep-alive");
  EXPECT_EQ(says({.minor_version = 0, .asked_keep_alive_1_0 = true}, true), "close");
  EXPECT_EQ(says({.minor_version = 0}, true), "close");
}

}  // namespace
}  // namespace serval::http1
