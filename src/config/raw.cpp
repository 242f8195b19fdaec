#include "config/raw.hpp"

#include <algorithm>

#include <boost/json.hpp>

#include "base/text.hpp"

namespace serval::config {

namespace {

namespace json = boost::json;

bool takes_codes(const Option& option) { return std::holds_alternative<Access<Codes>>(option.field); }
bool takes_table(const Option& option) { return std::holds_alternative<Access<Pairs>>(option.field); }

Raw text_at(std::string_view text, const ValueSource& at) {
  Raw raw;
  raw.text = text;
  raw.at = at;
  return raw;
}

// A JSON array or object of strings, or an array of exit codes; none if it is anything else.
std::optional<Raw> raw_from_json(std::string_view text, const ValueSource& at, bool of_codes = false) {
  json::parse_options settings;
  settings.allow_invalid_utf8 = true;  // environment and paths are bytes, not always UTF-8
  json::error_code error;
  const auto value = json::parse({text.data(), text.size()}, error, {}, settings);
  if (error) return std::nullopt;
  Raw raw;
  raw.at = at;
  const auto as_text = [](const json::value& item) {
    return item.is_string() ? std::string_view(item.get_string()) : std::string_view();
  };
  if (const auto* list = value.if_array()) {
    raw.kind = Raw::Kind::list;
    for (const auto& item : *list) {
      if (of_codes && item.is_int64()) {
        raw.items.push_back(text_at(std::to_string(item.get_int64()), at));
        raw.items.back().kind = Raw::Kind::integer;
        continue;
      }
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

bool names_variables(const Raw& raw) {
  return raw.written || std::any_of(raw.items.begin(), raw.items.end(), names_variables);
}

Raw raw_from_word(const Option& option, std::string_view word, const ValueSource& at) {
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

Raw raw_from_encoded(const Option& option, std::string_view text, const ValueSource& at) {
  if (takes_list(option) || takes_table(option) || takes_codes(option)) {
    if (auto raw = raw_from_json(text, at, takes_codes(option))) return *std::move(raw);
  }
  return text_at(text, at);
}

}  // namespace serval::config
