#include "control/meant.hpp"

namespace serval::control {

Result<void> check_meant(const ConfigFile& meant, const Owner& owner) {
  const ConfigFile& own = owner.config;
  if (!own.path.empty() && (meant.path == own.path || meant.real_path == own.real_path)) return {};
  const std::string whose = own.path.empty() ? "started without a configuration file" : "of " + own.path;
  const std::string real = own.real_path.empty() || own.real_path == own.path ? "" : " (" + own.real_path + ")";
  return Error{"the server here is " + owner.name + ", pid " + std::to_string(owner.pid) + ", " + whose + real +
               ", not the one of " + meant.path + "; --socket PATH names a server whatever its configuration"};
}

}  // namespace serval::control
