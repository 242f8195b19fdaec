#pragma once

#include <string>
#include <string_view>

namespace serval::app {

/// Text from the app or the loader made fit for a sentence of the log: control bytes become \xHH, but white space at
/// the end goes.
std::string one_line(std::string_view text);

}  // namespace serval::app
