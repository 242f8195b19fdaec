#pragma once

#include <string>

#include "config/options.hpp"

namespace serval::config {

/// What an option takes, for messages: "a whole number from 1 to 1024".
std::string expected(const Option& option);
/// The same in few words for help texts: "1 to 1024"; empty if the placeholder says all.
std::string limits(const Option& option);

}  // namespace serval::config
