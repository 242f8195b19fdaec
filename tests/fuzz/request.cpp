// Requests on one connection: the outcome does not depend on how the bytes were cut, and no limit is passed.
#include "fuzz.hpp"

// How the parser is fed and what is compared is that of the unit tests; there, expectations are GoogleTest's.
#include "../unit/http1/feeding.hpp"

namespace serval::fuzz {
namespace {

using http::Limits;
using http1::test::Reading;

constexpr Limits kTight{.max_header = 300, .max_headers = 6, .max_target = 40, .max_body = 20};

void check(std::string_view bytes, const Limits& limits) {
  std::mt19937 random = random_of(bytes);
  const Reading whole = http1::test::read_whole(bytes, limits);
  SERVAL_CHECK(http1::test::read_pieces(http1::test::random_pieces(bytes, random), limits) == whole);
  if (bytes.size() <= 200) SERVAL_CHECK(http1::test::read_pieces(http1::test::single_bytes(bytes), limits) == whole);
  SERVAL_CHECK(whole.status == 0 || (whole.status >= 400 && whole.status < 600 && !whole.reason.empty()));
  for (const http1::test::Message& message : whole.messages) {
    SERVAL_CHECK(!message.method.empty() && !message.path.empty());
    SERVAL_CHECK(message.fields.size() <= limits.max_headers);
    SERVAL_CHECK(message.target.size() <= limits.max_target);
    SERVAL_CHECK(message.body.size() <= limits.max_body);
    SERVAL_CHECK(message.minor_version == 0 || message.minor_version == 1);
    for (const auto& [name, value] : message.fields) {
      SERVAL_CHECK(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
    }
  }
}

}  // namespace

void fuzz_one(std::string_view bytes) {
  testing::FLAGS_gtest_break_on_failure = true;  // outside of a test an expectation that fails would only be printed
  check(bytes, {});
  check(bytes, kTight);
}

}  // namespace serval::fuzz
