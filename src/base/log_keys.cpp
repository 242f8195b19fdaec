#include "base/log_keys.hpp"

#include <algorithm>
#include <iterator>

namespace serval::log {
namespace {

/// What every line may have in front of its fields.
constexpr std::string_view kOwnKeys[] = {"time", "level", "process", "gen", "pid", "stream", "msg"};

std::string_view name_in(const KeyRow& row, Keys keys) {
  switch (keys) {
    case Keys::serval: return row.serval;
    case Keys::ecs: return row.ecs;
    case Keys::datadog: return row.datadog;
    case Keys::gcp: return row.gcp;
  }
  return row.serval;
}

bool is_inside(std::string_view inner, std::string_view outer) {
  return inner.size() > outer.size() && inner.starts_with(outer) && inner[outer.size()] == '.';
}

bool collide(std::string_view a, std::string_view b) { return a == b || is_inside(a, b) || is_inside(b, a); }

std::string find_name(Keys keys, std::string_view serval, bool access) {
  if (keys == Keys::serval) return std::string(serval);
  const auto row = std::find_if(std::begin(kKeyTable), std::end(kKeyTable), [&](const KeyRow& known) {
    return known.serval == serval && (access || !known.access_only);
  });
  if (row != std::end(kKeyTable)) {
    if (const std::string_view name = name_in(*row, keys); !name.empty()) return std::string(name);
  }
  return (keys == Keys::ecs ? "serval." : "") + std::string(serval);
}

}  // namespace

std::string key_name(Keys keys, std::string_view serval) { return find_name(keys, serval, false); }
std::string access_key_name(Keys keys, std::string_view serval) { return find_name(keys, serval, true); }

/// "ecs.version" is the one field besides "@timestamp" that ECS requires.
std::string_view constant_members(Keys keys) { return keys == Keys::ecs ? R"(,"ecs.version":"8.11.0")" : ""; }

bool is_own_key(Keys keys, std::string_view key) {
  return std::any_of(std::begin(kOwnKeys), std::end(kOwnKeys),
                     [&](std::string_view own) { return collide(key_name(keys, own), key); }) ||
         (keys == Keys::ecs && collide("ecs.version", key));
}

}  // namespace serval::log
