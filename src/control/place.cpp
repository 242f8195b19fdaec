#include "control/place.hpp"

#include "base/text.hpp"

namespace serval::control {
namespace {

std::string folder_from(const config::Environment& environment, std::string_view variable) {
  const auto found = environment.find(variable);
  if (found == environment.end()) return {};
  const std::string_view first = split(found->second, ':').front();
  return first.starts_with('/') ? std::string(first) : std::string();
}

}  // namespace

Place find_place(const config::Control& control, std::string_view name, const config::Environment& environment, uid_t uid) {
  if (control.socket == "off") return {};
  if (!control.socket.empty()) return {.path = control.socket, .automatic = false, .folder = {}};
  if (const auto folder = folder_from(environment, "RUNTIME_DIRECTORY"); !folder.empty()) {
    return {.path = folder + "/serval.sock", .automatic = true, .folder = {}};
  }
  if (const auto folder = folder_from(environment, "XDG_RUNTIME_DIR"); !folder.empty()) {
    return {.path = folder + "/serval-" + std::string(name) + ".sock", .automatic = true, .folder = {}};
  }
  const std::string folder = "/tmp/serval-" + std::to_string(uid);
  return {.path = folder + "/" + std::string(name) + ".sock", .automatic = true, .folder = folder};
}

}  // namespace serval::control
