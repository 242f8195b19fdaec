#pragma once

#include <string_view>

namespace serval::http {

/// How an accepted request ended; exactly one access line each.
enum class Outcome { ok, refused, client_gone, timeout, app_failed, overload, cut };

/// "ok", "refused", ...
std::string_view outcome_text(Outcome outcome);

}  // namespace serval::http
