#pragma once

#include <boost/json/object.hpp>
#include <span>
#include <string_view>

namespace serval::import {

/// What becomes of a key of an app in PM2's ecosystem file.
enum class Pm2Fate {
  mapped,       ///< it becomes keys of the program's table (import/pm2_app.cpp)
  meaningless,  ///< it is about PM2 itself, and serval has nothing that it could change
  left_out,     ///< serval has nothing of the kind, or something else; `why` says what is nearest
};

/// ONE table of the keys that PM2 7 knows (its lib/API/schema.json). What is in a file and not in here is none of its
/// keys.
struct Pm2Field {
  std::string_view name;
  std::string_view aliases;  ///< with blanks between them
  Pm2Fate fate;
  std::string_view why{};  ///< for the comment, without the key
};
std::span<const Pm2Field> pm2_fields();
/// By its name or an alias; nullptr: PM2 has no such key.
const Pm2Field* find_pm2_field(std::string_view key);

/// What an app says by this field's name or an alias; nullptr also for null and undefined.
const boost::json::value* pm2_value(const boost::json::object& app, std::string_view name);

}  // namespace serval::import
