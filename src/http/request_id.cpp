#include "http/request_id.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>

#include "base/check.hpp"
#include "http/ascii.hpp"

namespace serval::http {
namespace {

constexpr std::size_t kMaxSize = 128;

constexpr std::size_t kDigits = 16;  ///< of each half

std::uint64_t seed = 0;
std::array<char, kDigits> seed_text{};
std::atomic<std::uint64_t> count = 0;

/// Of a small number nearly all digits are zero.
void write_hex(std::uint64_t number, char* end) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (; number != 0; number >>= 4) *--end = digits[number & 15];
}

}  // namespace

void reseed_request_ids() {
  do {
    // GRND_NONBLOCK: early at boot the pool may not be ready (getrandom(2)); time and pid still keep processes apart.
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != static_cast<ssize_t>(sizeof seed)) {
      seed = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()) ^
             static_cast<std::uint64_t>(getpid()) << 40;
    }
  } while (seed == 0);  // 0 means: not seeded yet
  seed_text.fill('0');
  write_hex(seed, seed_text.data() + kDigits);
  count.store(0, std::memory_order_relaxed);
}

void append_request_id(std::string& out) {
  SERVAL_CHECK(seed != 0);
  std::array<char, 2 * kDigits> text;
  std::memcpy(text.data(), seed_text.data(), kDigits);
  std::memset(text.data() + kDigits, '0', kDigits);
  write_hex(count.fetch_add(1, std::memory_order_relaxed) + 1, text.data() + text.size());
  out.append(text.data(), text.size());
}

bool is_usable_request_id(std::string_view id) {
  return !id.empty() && id.size() <= kMaxSize && ascii::all(id, ascii::id);
}

}  // namespace serval::http
