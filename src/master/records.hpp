#pragma once

#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <boost/mp11/algorithm.hpp>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/time.hpp"

/// Plain structs (BOOST_DESCRIBE_STRUCT) as JSON and back, between versions: members that the text lacks keep their
/// defaults, and what the text has beyond them is passed over. Points in time are nanoseconds of the monotonic clock;
/// enums travel by the name that name_of() gives them.
namespace serval::master::records {

namespace json = boost::json;

template <class T>
concept Described = boost::describe::has_describe_members<T>::value;

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class K, class V>
struct IsMap<std::map<K, V>> : std::true_type {};
template <class T>
struct IsPair : std::false_type {};
template <class A, class B>
struct IsPair<std::pair<A, B>> : std::true_type {};

/// Its own and those of its bases.
template <class T>
using Members = boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;

/// What to_json cannot say with a type of JSON.
[[noreturn]] inline void refuse(const std::string& what) { throw std::runtime_error(what); }

template <class Enum>
Enum enum_named(std::string_view name) {
  constexpr int kMaxEnumerators = 64;
  for (int i = 0; i < kMaxEnumerators; ++i) {
    if (name_of(static_cast<Enum>(i)) == name) return static_cast<Enum>(i);
    if (name_of(static_cast<Enum>(i)) == "?") break;
  }
  refuse("\"" + std::string(name) + "\" is not known here");
}

template <class T>
json::value to_json(const T& value) {
  if constexpr (std::same_as<T, bool> || std::same_as<T, std::string>) {
    return json::value(value);
  } else if constexpr (std::integral<T>) {
    return json::value(static_cast<std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>(value));
  } else if constexpr (std::same_as<T, TimePoint>) {
    return json::value(static_cast<std::int64_t>(value.time_since_epoch().count()));
  } else if constexpr (std::is_enum_v<T>) {
    const std::string_view name = name_of(value);
    return json::value(json::string_view(name.data(), name.size()));
  } else if constexpr (IsVector<T>::value) {
    json::array array;
    for (const auto& element : value) array.push_back(to_json(element));
    return array;
  } else if constexpr (IsMap<T>::value) {
    json::array array;
    for (const auto& [key, element] : value) array.push_back(json::array{to_json(key), to_json(element)});
    return array;
  } else if constexpr (IsPair<T>::value) {
    return json::array{to_json(value.first), to_json(value.second)};
  } else {
    static_assert(Described<T>);
    json::object object;
    boost::mp11::mp_for_each<Members<T>>(
        [&](auto member) { object.emplace(member.name, to_json(value.*member.pointer)); });
    return object;
  }
}

/// Throws if the text has something else in a member's place, or a number that does not fit.
template <class T>
void from_json(const json::value& text, T& into) {
  if constexpr (std::same_as<T, bool>) {
    into = text.as_bool();
  } else if constexpr (std::same_as<T, std::string>) {
    into.assign(text.as_string().data(), text.as_string().size());
  } else if constexpr (std::integral<T>) {
    into = text.to_number<T>();
  } else if constexpr (std::same_as<T, TimePoint>) {
    into = TimePoint(Clock::duration(text.to_number<std::int64_t>()));
  } else if constexpr (std::is_enum_v<T>) {
    into = enum_named<T>({text.as_string().data(), text.as_string().size()});
  } else if constexpr (IsVector<T>::value) {
    into.clear();
    for (const json::value& element : text.as_array()) from_json(element, into.emplace_back());
  } else if constexpr (IsMap<T>::value) {
    into.clear();
    for (const json::value& element : text.as_array()) {
      std::pair<typename T::key_type, typename T::mapped_type> entry;
      from_json(element, entry);
      into.insert(std::move(entry));
    }
  } else if constexpr (IsPair<T>::value) {
    from_json(text.at(0), into.first);
    from_json(text.at(1), into.second);
  } else {
    static_assert(Described<T>);
    const json::object& object = text.as_object();
    boost::mp11::mp_for_each<Members<T>>([&](auto member) {
      if (const json::value* found = object.if_contains(member.name)) from_json(*found, into.*member.pointer);
    });
  }
}

}  // namespace serval::master::records
