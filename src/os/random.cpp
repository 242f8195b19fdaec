#include "os/random.hpp"

#include <sys/random.h>

#include <cerrno>

#include "base/check.hpp"
#include "base/text.hpp"

namespace serval::os {
namespace {

/// Short requests are answered whole, once the kernel's generator has been seeded, long before a server starts.
void fill(void* bytes, std::size_t size) {
  ssize_t got = 0;
  do got = ::getrandom(bytes, size, 0);
  while (got < 0 && errno == EINTR);
  SERVAL_CHECK(got == static_cast<ssize_t>(size));
}

}  // namespace

std::uint64_t random_bits() {
  std::uint64_t bits = 0;
  fill(&bits, sizeof bits);
  return bits;
}

std::string random_hex(std::size_t bytes) {
  std::string bits(bytes, '\0');
  fill(bits.data(), bits.size());
  return hex(bits);
}

}  // namespace serval::os
