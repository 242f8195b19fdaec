#include "config/value.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>

#include <boost/json.hpp>

#include "base/text.hpp"
#include "base/units.hpp"
#include "config/peer_words.hpp"

namespace serval::config {
namespace {

namespace json = boost::json;

// What a decoder finds wrong with one scalar: the reason after the colon, and the hint.
struct Complaint {
  std::string reason;
  std::string hint;
};

std::string format_number(std::int64_t number) { return std::to_string(number); }
std::string format_milliseconds(std::int64_t number) { return format_duration(Duration{number}); }
std::string format_bytes(std::int64_t number) { return format_size(static_cast<std::size_t>(number)); }
std::string format_bits(std::int64_t number) { return format_mode(static_cast<unsigned>(number)); }

std::string from_to(const Range& range, std::string (*format)(std::int64_t)) {
  return "from " + format(range.least) + " to " + format(range.most);
}

std::string or_none(const Range& range, std::string_view zero) { return range.or_none ? ", or " + std::string(zero) + " for none" : ""; }

bool inside(const Range& range, std::int64_t number) {
  return (number >= range.least && number <= range.most) || (range.or_none && number == 0);
}

std::string one_of(std::span<const std::string_view> words) {
  std::string text = "one of ";
  for (std::size_t i = 0; i < words.size(); ++i) text += (i == 0 ? "" : ", ") + quoted(words[i]);
  return text;
}

// expected(option) by type.
struct Expected {
  const Option& option;
  std::string operator()(Access<bool>) const { return "true or false"; }
  std::string operator()(Access<int>) const { return "a whole number " + from_to(option.range, format_number) + or_none(option.range, "0"); }
  std::string operator()(Access<std::optional<int>>) const { return "\"auto\" or a whole number " + from_to(option.range, format_number); }
  std::string operator()(Access<unsigned>) const { return "octal permission bits in quotes " + from_to(option.range, format_bits); }
  std::string operator()(Access<std::size_t>) const { return "a size " + from_to(option.range, format_bytes) + or_none(option.range, "0"); }
  std::string operator()(Access<Duration>) const {
    return "a duration " + from_to(option.range, format_milliseconds) + or_none(option.range, "\"0\"");
  }
  std::string operator()(Access<std::string>) const { return "a text in quotes"; }
  std::string operator()(Access<Texts>) const { return "a list of texts"; }
  std::string operator()(Access<Pairs>) const { return "a table of texts"; }
  std::string operator()(Access<LogLevel>) const { return one_of(choices(LogLevel{})); }
  std::string operator()(Access<LogFormat>) const { return one_of(choices(LogFormat{})); }
  std::string operator()(Access<MemoryMeasure>) const { return one_of(choices(MemoryMeasure{})); }
};

struct Limits {
  const Option& option;
  std::string operator()(Access<int>) const { return bounds(format_number); }
  std::string operator()(Access<std::optional<int>>) const { return bounds(format_number); }
  std::string operator()(Access<unsigned>) const { return bounds(format_bits); }
  std::string operator()(Access<std::size_t>) const { return bounds(format_bytes); }
  std::string operator()(Access<Duration>) const { return bounds(format_milliseconds); }
  std::string operator()(Access<LogLevel>) const { return words(choices(LogLevel{})); }
  std::string operator()(Access<LogFormat>) const { return words(choices(LogFormat{})); }
  std::string operator()(Access<MemoryMeasure>) const { return words(choices(MemoryMeasure{})); }
  template <class T>
  std::string operator()(Access<T>) const {
    return {};
  }
  std::string bounds(std::string (*format)(std::int64_t)) const {
    return format(option.range.least) + " to " + format(option.range.most) + (option.range.or_none ? ", or 0" : "");
  }
  static std::string words(std::span<const std::string_view> names) {
    std::vector<std::string> copies(names.begin(), names.end());
    return join(copies, ", ");
  }
};

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string lower_case(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

bool is_scalar(const Raw& raw) { return raw.kind == Raw::Kind::text || raw.kind == Raw::Kind::integer; }

const std::string kDurationUnits = "units are ms, s, m and h, for example ";
const std::string kSizeUnits = "units are KiB, MiB, GiB and TiB (or KB, MB, GB and TB for powers of 1000), for example ";

// Puts the value of `raw` into the option's place, or says what is wrong with it.
struct Decoder {
  const Option& option;
  const Raw& raw;
  Config& config;
  std::vector<Problem>& problems;

  bool operator()(Access<bool> access) const {
    if (raw.text != "true" && raw.text != "false") return refuse({expectation(), {}});
    access(config) = raw.text == "true";
    return true;
  }

  bool operator()(Access<int> access) const {
    const auto number = is_scalar(raw) ? parse_number(trim(raw.text)) : std::nullopt;
    if (!number || !inside(option.range, *number)) return refuse({expectation(), raw.written ? "" : std::string(hint_for_number(raw.text))});
    access(config) = static_cast<int>(*number);
    return true;
  }

  bool operator()(Access<std::optional<int>> access) const {
    if (raw.kind == Raw::Kind::text && trim(raw.text) == "auto") {
      access(config) = std::nullopt;
      return true;
    }
    const auto number = is_scalar(raw) ? parse_number(trim(raw.text)) : std::nullopt;
    if (!number || !inside(option.range, *number)) return refuse({expectation(), raw.written ? "" : std::string(hint_for_number(raw.text))});
    access(config) = static_cast<int>(*number);
    return true;
  }

  bool operator()(Access<unsigned> access) const {
    // A TOML integer is not octal whatever it looks like, so it cannot be what was meant.
    const auto mode = raw.kind == Raw::Kind::text ? parse_mode(raw.text) : Result<unsigned>(Error{});
    if (!mode || !inside(option.range, *mode)) return refuse({expectation(), "write it as " + std::string(option.example)});
    access(config) = *mode;
    return true;
  }

  bool operator()(Access<std::size_t> access) const {
    const auto size = is_scalar(raw) ? parse_size(raw.text) : Result<std::size_t>(Error{});
    if (!size || !inside(option.range, static_cast<std::int64_t>(*size))) return refuse({expectation(), kSizeUnits + "\"64KiB\""});
    access(config) = *size;
    return true;
  }

  bool operator()(Access<Duration> access) const {
    const auto duration = is_scalar(raw) ? parse_duration(raw.text) : Result<Duration>(Error{});
    if (!duration || !inside(option.range, duration->count())) {
      const bool bare = is_scalar(raw) && !raw.written && parse_number(trim(raw.text)).value_or(0) > 0;
      return refuse({expectation(), bare ? "without a unit it could be anything; did you mean " + quoted(std::string(trim(raw.text)) + "s") + "?"
                                         : kDurationUnits + std::string(option.example)});
    }
    access(config) = *duration;
    return true;
  }

  bool operator()(Access<std::string> access) const {
    if (raw.kind != Raw::Kind::text) return refuse({expectation(), "for example " + std::string(option.example)});
    if (!accept(raw, std::string(option.path))) return false;
    access(config) = raw.text;
    return true;
  }

  bool operator()(Access<Texts> access) const {
    if (raw.kind != Raw::Kind::list) return refuse({expectation(), "for example " + std::string(option.example)});
    Texts texts;
    bool good = true;
    for (const auto& item : raw.items) {
      const auto name = std::string(option.path) + "[" + std::to_string(texts.size()) + "]";
      good = element(item, name) && good;
      texts.push_back(item.text);
    }
    if (good) access(config) = std::move(texts);
    return good;
  }

  bool operator()(Access<Pairs> access) const {
    if (raw.kind != Raw::Kind::table) return refuse({expectation(), "for example " + std::string(option.example)});
    Pairs pairs;
    bool good = true;
    for (std::size_t i = 0; i < raw.items.size(); ++i) {
      const auto& key = raw.keys[i];
      const auto& value = raw.items[i];
      if (key.empty() || key.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
        // Behind the '=' is a part of a value, most likely.
        const std::string name = quoted(option.secret ? key.substr(0, key.find_first_of(std::string_view("=\0", 2))) : key);
        problems.push_back({value.at, std::string(option.path) + " has a name " + name + ": expected one without '=' that is not empty", {}});
        good = false;
      }
      good = element(value, std::string(option.path) + "." + key) && good;
      pairs[key] = value.text;
    }
    if (good) access(config) = std::move(pairs);
    return good;
  }

  bool operator()(Access<LogLevel> access) const { return choice(access); }
  bool operator()(Access<LogFormat> access) const { return choice(access); }
  bool operator()(Access<MemoryMeasure> access) const { return choice(access); }

  template <class Enum>
  bool choice(Access<Enum> access) const {
    const auto names = choices(Enum{});
    const auto found = std::find(names.begin(), names.end(), raw.text);
    if (raw.kind != Raw::Kind::text || found == names.end()) {
      const auto near = raw.written ? std::nullopt : nearest(lower_case(raw.text), names);
      return refuse({expectation(), near ? "did you mean " + quoted(*near) + "?" : ""});
    }
    access(config) = static_cast<Enum>(found - names.begin());
    return true;
  }

  bool element(const Raw& item, const std::string& name) const {
    if (item.kind == Raw::Kind::text) return accept(item, name);
    std::string in_quotes;
    if (is_scalar(item) || item.kind == Raw::Kind::boolean) in_quotes = option.secret ? "put it in quotes" : "put it in quotes: " + quoted(item.text);
    problems.push_back({item.at, name + " = " + shown(option, item) + ": expected a text", in_quotes});
    return false;
  }

  bool accept(const Raw& text, const std::string& name) const {
    if (!option.check) return true;
    const auto verdict = option.check(text.text);
    if (verdict) return true;
    // The reason may quote a piece of the value.
    const std::string reason = text.written ? "what its variables hold does not fit" : verdict.error();
    problems.push_back({text.at, name + " = " + shown(option, text) + ": " + reason, "for example " + std::string(option.example)});
    return false;
  }

  std::string expectation() const { return "expected " + expected(option); }

  bool refuse(const Complaint& complaint) const {
    problems.push_back({raw.at, std::string(option.path) + " = " + shown(option, raw) + ": " + complaint.reason, complaint.hint});
    return false;
  }
};

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
  std::string operator()(unsigned value) const { return format_mode(value); }
  std::string operator()(std::size_t value) const { return format_size(value); }
  std::string operator()(Duration value) const { return format_duration(value); }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(const Texts& value) const { return json_text(json_of(value)); }
  std::string operator()(const Pairs& value) const { return json_text(json_of(value)); }
  std::string operator()(LogLevel value) const { return std::string(name_of(value)); }
  std::string operator()(LogFormat value) const { return std::string(name_of(value)); }
  std::string operator()(MemoryMeasure value) const { return std::string(name_of(value)); }
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
  const auto bare = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
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
  std::string operator()(std::size_t value) const {
    const auto text = format_size(value);
    return text.back() == 'B' ? quoted(text) : text;
  }
  std::string operator()(const Texts& value) const {
    std::vector<std::string> items;
    for (const auto& text : value) items.push_back(toml_text(text));
    return "[" + join(items, ", ") + "]";
  }
  std::string operator()(const Pairs& value) const {
    if (value.empty()) return "{}";
    std::vector<std::string> items;
    for (const auto& [key, text] : value) items.push_back((is_bare_key(key) ? key : quoted(key)) + " = " + toml_text(text));
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

bool takes_table(const Option& option) { return std::holds_alternative<Access<Pairs>>(option.field); }

Raw text_at(std::string_view text, const Origin& at) {
  Raw raw;
  raw.text = text;
  raw.at = at;
  return raw;
}

// A JSON array or object of strings; none if it is anything else.
std::optional<Raw> raw_from_json(std::string_view text, const Origin& at) {
  json::parse_options settings;
  settings.allow_invalid_utf8 = true;  // environment and paths are bytes, not always UTF-8
  json::error_code error;
  const auto value = json::parse({text.data(), text.size()}, error, {}, settings);
  if (error) return std::nullopt;
  Raw raw;
  raw.at = at;
  const auto as_text = [](const json::value& item) { return item.is_string() ? std::string_view(item.get_string()) : std::string_view(); };
  if (const auto* list = value.if_array()) {
    raw.kind = Raw::Kind::list;
    for (const auto& item : *list) {
      if (!item.is_string()) return std::nullopt;
      raw.items.push_back(text_at(as_text(item), at));
    }
    return raw;
  }
  if (const auto* table = value.if_object()) {
    raw.kind = Raw::Kind::table;
    for (const auto& entry : *table) {
      if (!entry.value().is_string()) return std::nullopt;
      raw.keys.emplace_back(entry.key());
      raw.items.push_back(text_at(as_text(entry.value()), at));
    }
    return raw;
  }
  return std::nullopt;
}

}  // namespace

std::string shown(const Option& option, const Raw& raw) {
  if (option.secret) return std::string(kHidden);
  constexpr std::size_t limit = 80;
  switch (raw.kind) {
    case Raw::Kind::text: return quoted(shortened(raw.written.value_or(raw.text), limit));
    case Raw::Kind::integer:
    case Raw::Kind::boolean:
    case Raw::Kind::other: return shortened(raw.text, limit);
    case Raw::Kind::list: return "[...]";
    case Raw::Kind::table: return "{...}";
  }
  return {};
}

std::string expected(const Option& option) { return std::visit(Expected{option}, option.field); }
std::string limits(const Option& option) { return std::visit(Limits{option}, option.field); }

bool decode(const Option& option, const Raw& raw, Config& config, std::vector<Problem>& problems) {
  return std::visit(Decoder{option, raw, config, problems}, option.field);
}

std::string encode(const Option& option, const Config& config) { return encode_with(option, config, Encoder{}); }
std::string encode_toml(const Option& option, const Config& config) { return encode_with(option, config, TomlEncoder{}); }

std::string encode_toml_hidden(const Option& option, const Config& config) {
  if (!option.secret) return encode_toml(option, config);
  Config masked = config;
  std::visit([&](auto access) { hide(access(masked)); }, option.field);
  return encode_toml(option, masked);
}

Raw raw_from_word(const Option& option, std::string_view word, const Origin& at) {
  if (!takes_list(option) && !takes_table(option)) return text_at(word, at);
  // "[::]:8000" is an address and "[]" or "[\"..." is JSON.
  const auto bare = trim(word);
  if (bare.starts_with("[\"") || bare.starts_with("{\"") || bare == "[]" || bare == "{}") {
    if (auto raw = raw_from_json(bare, at)) return *std::move(raw);
    return text_at(word, at);
  }
  Raw raw;
  raw.at = at;
  raw.kind = takes_list(option) ? Raw::Kind::list : Raw::Kind::table;
  if (bare.empty()) return raw;
  for (const auto piece : split(word, ',')) {
    const auto item = trim(piece);
    if (takes_list(option)) {
      raw.items.push_back(text_at(item, at));
      continue;
    }
    const auto equals = item.find('=');
    if (equals == std::string_view::npos) return text_at(word, at);
    raw.keys.emplace_back(item.substr(0, equals));
    raw.items.push_back(text_at(item.substr(equals + 1), at));
  }
  return raw;
}

Raw raw_from_encoded(const Option& option, std::string_view text, const Origin& at) {
  if (takes_list(option) || takes_table(option)) {
    if (auto raw = raw_from_json(text, at)) return *std::move(raw);
  }
  return text_at(text, at);
}

}  // namespace serval::config
