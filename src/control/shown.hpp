#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// For texts that are made of an answer: what is in a JSON object under a key, which may be missing, or of another
/// kind, if another serval has sent it. No control byte gets through.
namespace serval::control {

inline constexpr std::string_view kUnknown = "-";

std::optional<std::int64_t> number_at(const boost::json::object& object, std::string_view key);
/// Of what is counted: 0 for none, and for less.
std::uint64_t count_at(const boost::json::object& object, std::string_view key);
/// A number that may have a fraction; none for what is no number.
std::optional<double> decimal_at(const boost::json::object& object, std::string_view key);
/// Of the whole numbers in the object under the key; 0 for none.
std::int64_t sum_in(const boost::json::object& object, std::string_view key);
/// kUnknown for none, and for an empty one.
std::string text_at(const boost::json::object& object, std::string_view key);
/// None also for an empty one.
std::optional<std::string> maybe_text_at(const boost::json::object& object, std::string_view key);
bool flag_at(const boost::json::object& object, std::string_view key);  ///< false for none
const boost::json::object* object_in(const boost::json::object& object, std::string_view key);
/// The objects of a list; others in it are not ours.
std::vector<const boost::json::object*> objects_in(const boost::json::object& object, std::string_view key);
/// The texts of a list.
std::vector<std::string> texts_in(const boost::json::object& object, std::string_view key);
/// As a text; kUnknown for none.
std::string number(const boost::json::object& object, std::string_view key);
/// The sentence with what is under the key for each {key}: a text or a number; kUnknown for none.
std::string fill_in(std::string_view sentence, const boost::json::object& values);
/// As show_time() has it; the number counts so many milliseconds. "<1s" for 0 seconds.
std::string time_in(const boost::json::object& object, std::string_view key, std::int64_t unit_ms);

/// As show_size() has it; kUnknown for none.
std::string size_in(const boost::json::object& object, std::string_view key);

/// For eyes, the two largest units: "350ms" "1.2s" "42s" "2m 5s" "2h 5m" "3d 4h".
std::string show_time(std::int64_t milliseconds);
/// "512B" "14.2MiB"; powers of 1024.
std::string show_size(std::uint64_t bytes);

}  // namespace serval::control
