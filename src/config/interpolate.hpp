#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace serval::config {

/// The value of an environment variable; none if it is not set.
using Lookup = std::function<std::optional<std::string>(std::string_view name)>;

/// Replaces ${VAR} and ${VAR:-default} in `text`, as a shell does: the default stands in for a variable that is unset
/// or empty. $${ is a literal ${. What a variable holds is not looked at again. A variable that is unset and has no
/// default is an error. With `secret` errors name variables, but quote nothing else of the text.
Result<std::string> interpolate(std::string_view text, const Lookup& lookup, bool secret = false);

}  // namespace serval::config
