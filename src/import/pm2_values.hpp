#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What the values in PM2's file mean. Pure.
namespace serval::import {

/// As PM2 gives values to an environment.
std::string as_text(const boost::json::value& value);
/// Also of a text of digits.
std::optional<std::int64_t> as_number(const boost::json::value& value);
bool is_true(const boost::json::value* value);
/// A list, or a text that is parted as a shell does.
std::vector<std::string> words_of(const boost::json::value& value);

/// "300M" and bytes, as PM2 takes them, as serval does.
std::optional<std::string> pm2_size(const boost::json::value& value);
/// Milliseconds, or "5s", "1m", "1h", as PM2 takes them, as serval does.
std::optional<std::string> pm2_duration(const boost::json::value& value);

/// One, or a list of them; what is none is left out.
std::vector<std::string> exit_codes_in(const boost::json::value& value);

}  // namespace serval::import
