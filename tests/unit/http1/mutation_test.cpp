#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "feeding.hpp"

namespace serval::http1::test {
namespace {

std::size_t below(std::size_t limit, std::mt19937& random) {
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}

/// What parsers trip over.
constexpr std::array<std::string_view, 24> kNasty = {"\r\n",
                                                     "\r",
                                                     "\n",
                                                     " ",
                                                     "\t",
                                                     ":",
                                                     ",",
                                                     ";",
                                                     "\"",
                                                     "0\r\n\r\n",
                                                     "Host:",
                                                     "HTTP/1.0",
                                                     "GET /",
                                                     "http://x",
                                                     "Transfer-Encoding: chunked\r\n",
                                                     "Content-Length: 1\r\n",
                                                     "_",
                                                     "%",
                                                     "[::1]",
                                                     "\r\n\r\n",
                                                     "\x7f",
                                                     "\xff",
                                                     "ffffffffffffffff",
                                                     "Expect: 100-continue\r\n"};

std::string mutate(std::string bytes, const std::vector<Sample>& others, std::mt19937& random) {
  for (std::size_t change = 0, changes = 1 + below(4, random); change < changes && !bytes.empty(); ++change) {
    const std::size_t at = below(bytes.size(), random);
    switch (below(6, random)) {
      case 0: bytes[at] = static_cast<char>(below(256, random)); break;
      case 1: bytes.erase(at, 1 + below(8, random)); break;
      case 2: bytes.insert(at, kNasty[below(kNasty.size(), random)]); break;
      case 3: bytes.insert(at, bytes.substr(at, 1 + below(30, random))); break;
      case 4: std::swap(bytes[at], bytes[below(bytes.size(), random)]); break;
      case 5: {
        const std::string& other = others[below(others.size(), random)].bytes;
        bytes = bytes.substr(0, at) + other.substr(below(other.size(), random));
        break;
      }
    }
  }
  return bytes;
}

TEST(Mutation, DamagedRequestsHaveOneOutcomeHoweverTheyAreCut) {
  std::vector<Sample> samples = load_corpus("valid");
  for (Sample& sample : load_corpus("invalid")) samples.push_back(std::move(sample));
  std::erase_if(samples, [](const Sample& sample) { return sample.bytes.size() > 600; });
  std::ranges::sort(samples, {}, &Sample::name);  // directories have no order, the test shall
  const http::Limits tight{.max_header = 300, .max_headers = 6, .max_target = 40, .max_body = 20};
  std::mt19937 random(42);
  for (int round = 0; round < 4000; ++round) {
    const http::Limits limits = round % 2 == 0 ? http::Limits{} : tight;
    const std::string bytes = mutate(samples[below(samples.size(), random)].bytes, samples, random);
    const Reading whole = read_whole(bytes, limits);
    ASSERT_EQ(read_pieces(single_bytes(bytes), limits), whole)
        << "round " << round << ": " << testing::PrintToString(bytes);
    ASSERT_EQ(read_pieces(random_pieces(bytes, random), limits), whole)
        << "round " << round << ": " << testing::PrintToString(bytes);
    for (const Message& message : whole.messages) {
      ASSERT_LE(message.fields.size(), limits.max_headers);
      ASSERT_LE(message.target.size(), limits.max_target);
      ASSERT_LE(message.body.size(), limits.max_body);
    }
  }
}

}  // namespace
}  // namespace serval::http1::test
