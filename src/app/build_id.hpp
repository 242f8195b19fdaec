#pragma once

#include <string>

namespace serval::app {

/// By what the linker tells one build from another (`readelf -n`): the GNU build id of a library that is loaded, as
/// hexadecimal digits. Empty if it has none, or is not loaded. Of the code in memory, whatever lies at `path` by now.
std::string build_id(const std::string& path);

}  // namespace serval::app
