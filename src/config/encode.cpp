#include "config/encode.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "base/text.hpp"
#include "base/units.hpp"
#include "config/raw.hpp"

namespace serval::config {

namespace {

namespace json = boost::json;

std::string json_text(const json::value& value) { return json::serialize(value); }

json::value json_of(const Texts& texts) { return json::array(texts.begin(), texts.end()); }

json::value json_of(const Pairs& pairs) {
  json::object object;
  for (const auto& [key, value] : pairs) object[key] = value;
  return object;
}

struct Encoder {
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(int value) const { return std::to_string(value); }
  std::string operator()(const std::optional<int>& value) const { return value ? std::to_string(*value) : "auto"; }
  std::string operator()(double value) const {
    std::array<char, 32> text{};
    return {text.data(), std::to_chars(text.begin(), text.end(), value).ptr};
  }
  std::string operator()(const Portion& value) const {
    return std::to_string(value.number) + (value.percent ? "%" : "");
  }
  std::string operator()(unsigned value) const { return format_mode(value); }
  std::string operator()(std::size_t value) const { return format_size(value); }
  std::string operator()(Duration value) const { return format_duration(value); }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(const Texts& value) const { return json_text(json_of(value)); }
  std::string operator()(const Pairs& value) const { return json_text(json_of(value)); }
  std::string operator()(const Codes& value) const {
    std::vector<std::string> items;
    for (const int code : value) items.push_back(std::to_string(code));
    return "[" + join(items, ", ") + "]";
  }
  std::string operator()(Choice auto value) const { return std::string(name_of(value)); }
};

// A TOML basic string that the loader reads back as `text`: "${" would be replaced, so it is written "$${".
std::string toml_text(std::string_view text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "${") escaped += '$';
    escaped += text[i];
  }
  return quoted(escaped);
}

bool is_bare_key(std::string_view key) {
  const auto bare = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !key.empty() && std::all_of(key.begin(), key.end(), bare);
}

struct TomlEncoder {
  template <class T>
  std::string operator()(const T& value) const {
    return toml_text(Encoder{}(value));
  }
  std::string operator()(bool value) const { return Encoder{}(value); }
  std::string operator()(int value) const { return Encoder{}(value); }
  std::string operator()(const std::optional<int>& value) const { return value ? std::to_string(*value) : "\"auto\""; }
  std::string operator()(double value) const { return Encoder{}(value); }
  std::string operator()(const Portion& value) const {
    return value.percent ? quoted(Encoder{}(value)) : Encoder{}(value);
  }
  std::string operator()(std::size_t value) const {
    const auto text = format_size(value);
    return text.back() == 'B' ? quoted(text) : text;
  }
  std::string operator()(const Texts& value) const {
    std::vector<std::string> items;
    for (const auto& text : value) items.push_back(toml_text(text));
    return "[" + join(items, ", ") + "]";
  }
  std::string operator()(const Codes& value) const { return Encoder{}(value); }
  std::string operator()(const Pairs& value) const {
    if (value.empty()) return "{}";
    std::vector<std::string> items;
    for (const auto& [key, text] : value) {
      items.push_back((is_bare_key(key) ? key : quoted(key)) + " = " + toml_text(text));
    }
    return "{ " + join(items, ", ") + " }";
  }
};

template <class Visitor>
std::string encode_with(const Option& option, const Config& config, const Visitor& visitor) {
  return std::visit([&](auto access) { return visitor(read(access, config)); }, option.field);
}

template <class T>
void hide(T&) {}  // numbers and choices are no secrets
void hide(std::string& text) {
  if (!text.empty()) text = kHidden;
}
void hide(Texts& texts) { std::fill(texts.begin(), texts.end(), kHidden); }
void hide(Pairs& pairs) {
  for (auto& [key, text] : pairs) text = kHidden;
}

}  // namespace

std::string encode(const Option& option, const Config& config) { return encode_with(option, config, Encoder{}); }
std::string encode_toml(const Option& option, const Config& config) {
  return encode_with(option, config, TomlEncoder{});
}

std::string encode_toml_hidden(const Option& option, const Config& config) {
  if (!option.secret) return encode_toml(option, config);
  Config masked = config;
  std::visit([&](auto access) { hide(access(masked)); }, option.field);
  return encode_toml(option, masked);
}

}  // namespace serval::config
