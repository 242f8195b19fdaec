#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

/// Durations, sizes and file modes as people write them. Errors are short reasons without the value, which the caller
/// knows where to show.
namespace serval {

/// "500ms" "30s" "5m" "1h" "1h30m"; "0" and "off" are 0. Units may only shrink from left to right; at most 100 years.
Result<Duration> parse_duration(std::string_view text);
/// The shortest text that parse_duration reads back: seconds up to two minutes ("90s"), then the largest exact unit
/// ("5m"). 0 is "0".
std::string format_duration(Duration duration);

/// "4096" "64KiB" "512MiB" "1GiB" "2TiB" (powers of 1024) and "64KB" "512MB" "1GB" (of 1000), in any letter case; "0"
/// and "off" are 0.
Result<std::size_t> parse_size(std::string_view text);
/// With the largest exact power of 1024; plain bytes otherwise. 0 is "0".
std::string format_size(std::size_t bytes);
/// In the unit in which format_size shows `other`, with one decimal if need be, so that both can be compared at a
/// glance: "618.0MiB" beside "96MiB".
std::string format_size_like(std::size_t bytes, std::size_t other);

/// Octal permission bits: "0022" "660".
Result<unsigned> parse_mode(std::string_view text);
std::string format_mode(unsigned mode);

}  // namespace serval
