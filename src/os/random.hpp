#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

/// Bits from the kernel that nobody can guess (getrandom(2)). Any thread, also in a process that was forked.
namespace serval::os {

/// A seed.
std::uint64_t random_bits();

/// So many bytes, at most 256, as hex digits.
std::string random_hex(std::size_t bytes);

}  // namespace serval::os
