#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Numbers and texts for narrow places. Pure.
namespace serval::top {

/// 0 for what is none, or negative.
std::int64_t count_at(const boost::json::object& object, std::string_view key);
std::string with_digits(double value, int digits);
/// "0.3" "47" "12.3k": four characters or so.
std::string amount(double value);
std::string without_blanks(std::string text);
/// In characters.
std::size_t length(const std::string& text);
/// At least so wide, with a blank behind it that counts.
std::string padded(const std::string& text, std::size_t width, bool right);
/// Cut to so many characters; bytes of UTF-8 that belong together stay so.
std::string cut(const std::string& text, std::size_t characters);

}  // namespace serval::top
