#include "control/socket_location.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.hpp"

namespace serval::control {
namespace {

std::string folder_from(const config::Environment& environment, std::string_view variable) {
  const auto found = environment.find(variable);
  if (found == environment.end()) return {};
  const std::string_view first = split(found->second, ':').front();
  return first.starts_with('/') ? std::string(first) : std::string();
}

/// The user that has become root by sudo(8).
std::optional<uid_t> user_behind(const config::Environment& environment, uid_t uid) {
  const auto found = environment.find("SUDO_UID");
  if (uid != 0 || found == environment.end()) return std::nullopt;
  const std::string& digits = found->second;
  uid_t user = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), user);
  if (error != std::errc{} || end != digits.data() + digits.size() || user == 0) return std::nullopt;
  return user;
}

SocketLocation in_session(const std::string& folder, std::string_view name) {
  return {.path = folder + "/serval-" + std::string(name) + ".sock", .automatic = true, .folder = {}};
}

SocketLocation in_session_of(uid_t uid, std::string_view name) {
  return in_session("/run/user/" + std::to_string(uid), name);
}

SocketLocation in_tmp(uid_t uid, std::string_view name) {
  const std::string folder = "/tmp/serval-" + std::to_string(uid);
  return {.path = folder + "/" + std::string(name) + ".sock", .automatic = true, .folder = folder, .owner = uid};
}

SocketLocation of_unit(std::string_view unit) {
  return {.path = "/run/serval-" + std::string(unit) + "/serval.sock", .automatic = true, .folder = {}};
}

}  // namespace

std::vector<SocketLocation> places_to_bind(const config::Control& control, std::string_view name,
                                           const config::Environment& environment, uid_t uid) {
  if (control.socket == "off") return {};
  if (!control.socket.empty()) return {{.path = control.socket, .automatic = false, .folder = {}}};
  std::vector<SocketLocation> places;
  if (const auto folder = folder_from(environment, "RUNTIME_DIRECTORY"); !folder.empty()) {
    places.push_back({.path = folder + "/serval.sock", .automatic = true, .folder = {}});
  }
  if (const auto folder = folder_from(environment, "XDG_RUNTIME_DIR"); !folder.empty()) {
    places.push_back(in_session(folder, name));
  }
  places.push_back(in_tmp(uid, name));
  return places;
}

std::vector<SocketLocation> places_to_look(const config::Control& control, std::string_view name, std::string_view unit,
                                           const config::Environment& environment, uid_t uid) {
  auto places = places_to_bind(control, name, environment, uid);
  if (places.empty() || !places.front().automatic) return places;
  const auto add = [&places](SocketLocation place) {
    const bool known = std::any_of(places.begin(), places.end(),
                                   [&](const SocketLocation& other) { return other.path == place.path; });
    if (!known) places.push_back(std::move(place));
  };
  add(in_session_of(uid, name));
  add(of_unit(name));
  if (!unit.empty()) add(of_unit(unit));
  if (const auto user = user_behind(environment, uid)) {
    add(in_session_of(*user, name));
    add(in_tmp(*user, name));
  }
  return places;
}

}  // namespace serval::control
