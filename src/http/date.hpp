#pragma once

#include <chrono>
#include <string_view>

namespace serval::http {

/// IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7). Formatted once per second and thread; the view is
/// valid until the same thread calls again.
std::string_view date_text(std::chrono::system_clock::time_point when);
/// date_text of now.
std::string_view date_now();

}  // namespace serval::http
