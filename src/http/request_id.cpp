#include "http/request_id.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/check.hpp"
#include "http/ascii.hpp"

namespace serval::http {
namespace {

constexpr std::size_t kMaxSize = 128;

std::uint64_t seed = 0;
std::atomic<std::uint64_t> count = 0;

void append_hex(std::string& out, std::uint64_t number) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<char, 16> text{};
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, number >>= 4) *digit = digits[number & 15];
  out.append(text.data(), text.size());
}

}  // namespace

void reseed_request_ids() {
  do {
    // GRND_NONBLOCK: early at boot the pool may not be ready (getrandom(2)); time and pid still keep processes apart.
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != static_cast<ssize_t>(sizeof seed)) {
      seed = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()) ^ static_cast<std::uint64_t>(getpid()) << 40;
    }
  } while (seed == 0);  // 0 means: not seeded yet
  count.store(0, std::memory_order_relaxed);
}

void append_request_id(std::string& out) {
  SERVAL_CHECK(seed != 0);
  append_hex(out, seed);
  append_hex(out, count.fetch_add(1, std::memory_order_relaxed) + 1);
}

bool is_usable_request_id(std::string_view id) { return !id.empty() && id.size() <= kMaxSize && ascii::all(id, ascii::id); }

}  // namespace serval::http
