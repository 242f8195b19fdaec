#pragma once

#include <string>

#include "config/options.hpp"

namespace serval::config {

/// One line of text that stands for any value: lists and tables as JSON, texts as they are, units as people write them.
std::string encode(const Option& option, const Config& config);
/// The same as a TOML value (it is read back as the same value; "${" is kept from being replaced).
std::string encode_toml(const Option& option, const Config& config);
/// Likewise, but each text of a secret option is kHidden; the names in a table are not.
std::string encode_toml_hidden(const Option& option, const Config& config);

}  // namespace serval::config
