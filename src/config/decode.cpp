#include "config/decode.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/text.hpp"
#include "base/units.hpp"
#include "config/expected.hpp"
#include "config/peer_words.hpp"

namespace serval::config {

namespace {

// What a decoder finds wrong with one scalar: the reason after the colon, and the hint.
struct Complaint {
  std::string reason;
  std::string hint;
};

bool inside(const Range& range, std::int64_t number) {
  return (number >= range.min && number <= range.max) || (range.or_none && number == 0);
}

constexpr Range kPercent{1, 100};

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
const std::string kSizeUnits =
    "units are KiB, MiB, GiB and TiB (or KB, MB, GB and TB for powers of 1000), for example ";

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
    if (!number || !inside(option.range, *number)) {
      return refuse({expectation(), raw.written ? "" : std::string(hint_for_number(raw.text))});
    }
    access(config) = static_cast<int>(*number);
    return true;
  }

  bool operator()(Access<std::optional<int>> access) const {
    if (raw.kind == Raw::Kind::text && trim(raw.text) == "auto") {
      access(config) = std::nullopt;
      return true;
    }
    const auto number = is_scalar(raw) ? parse_number(trim(raw.text)) : std::nullopt;
    if (!number || !inside(option.range, *number)) {
      return refuse({expectation(), raw.written ? "" : std::string(hint_for_number(raw.text))});
    }
    access(config) = static_cast<int>(*number);
    return true;
  }

  bool operator()(Access<double> access) const {
    double ratio = 0;
    const std::string_view text = trim(raw.text);
    const bool number = is_scalar(raw) || raw.kind == Raw::Kind::other;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ratio);
    const bool whole = number && error == std::errc{} && end == text.data() + text.size();
    if (!whole || !(ratio >= static_cast<double>(option.range.min) && ratio <= static_cast<double>(option.range.max)))
      return refuse({expectation(), "for example " + std::string(option.example)});
    access(config) = ratio;
    return true;
  }

  bool operator()(Access<Portion> access) const {
    std::string_view text = trim(raw.text);
    Portion portion;
    portion.percent = raw.kind == Raw::Kind::text && text.ends_with('%');
    if (portion.percent) text.remove_suffix(1);
    const auto number = is_scalar(raw) ? parse_number(text) : std::nullopt;
    const bool good = number && inside(portion.percent ? kPercent : option.range, *number);
    if (!good) return refuse({expectation(), "for example " + std::string(option.example)});
    portion.number = static_cast<int>(*number);
    access(config) = portion;
    return true;
  }

  bool operator()(Access<unsigned> access) const {
    // A TOML integer is not octal whatever it looks like, so it cannot be what was meant.
    const auto mode = raw.kind == Raw::Kind::text ? parse_mode(raw.text) : Result<unsigned>(Error{});
    if (!mode || !inside(option.range, *mode)) {
      return refuse({expectation(), "write it as " + std::string(option.example)});
    }
    access(config) = *mode;
    return true;
  }

  bool operator()(Access<std::size_t> access) const {
    const auto size = is_scalar(raw) ? parse_size(raw.text) : Result<std::size_t>(Error{});
    if (!size || !inside(option.range, static_cast<std::int64_t>(*size))) {
      return refuse({expectation(), kSizeUnits + "\"64KiB\""});
    }
    access(config) = *size;
    return true;
  }

  bool operator()(Access<Duration> access) const {
    const auto duration = is_scalar(raw) ? parse_duration(raw.text) : Result<Duration>(Error{});
    if (!duration || !inside(option.range, duration->count())) {
      const bool bare = is_scalar(raw) && !raw.written && parse_number(trim(raw.text)).value_or(0) > 0;
      return refuse({expectation(), bare ? "without a unit it could be anything; did you mean " +
                                               quoted(std::string(trim(raw.text)) + "s") + "?"
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
        const std::string name =
            quoted(option.secret ? key.substr(0, key.find_first_of(std::string_view("=\0", 2))) : key);
        problems.push_back(
            {value.at,
             std::string(option.path) + " has a name " + name + ": expected one without '=' that is not empty",
             {}});
        good = false;
      }
      good = element(value, std::string(option.path) + "." + key) && good;
      pairs[key] = value.text;
    }
    if (good) access(config) = std::move(pairs);
    return good;
  }

  bool operator()(Access<Codes> access) const {
    if (raw.kind != Raw::Kind::list) return refuse({expectation(), "for example " + std::string(option.example)});
    Codes codes;
    bool good = true;
    for (const auto& item : raw.items) {
      const auto number = item.kind == Raw::Kind::integer ? parse_number(item.text) : std::nullopt;
      if (number && inside(option.range, *number)) {
        codes.push_back(static_cast<int>(*number));
        continue;
      }
      good = false;
      problems.push_back({item.at, std::string(option.path) + " has " + shown(option, item) + ": " + expectation(),
                          "for example " + std::string(option.example)});
    }
    if (good) access(config) = std::move(codes);
    return good;
  }

  template <Choice Enum>
  bool operator()(Access<Enum> access) const {
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
    if (is_scalar(item) || item.kind == Raw::Kind::boolean) {
      in_quotes = option.secret ? "put it in quotes" : "put it in quotes: " + quoted(item.text);
    }
    problems.push_back({item.at, name + " = " + shown(option, item) + ": expected a text", in_quotes});
    return false;
  }

  bool accept(const Raw& text, const std::string& name) const {
    if (!option.check) return true;
    const auto verdict = option.check(text.text);
    if (verdict) return true;
    // The reason may quote a piece of the value.
    const std::string reason = text.written ? "what its variables hold does not fit" : verdict.error();
    problems.push_back(
        {text.at, name + " = " + shown(option, text) + ": " + reason, "for example " + std::string(option.example)});
    return false;
  }

  std::string expectation() const { return "expected " + expected(option); }

  bool refuse(const Complaint& complaint) const {
    problems.push_back(
        {raw.at, std::string(option.path) + " = " + shown(option, raw) + ": " + complaint.reason, complaint.hint});
    return false;
  }
};

}  // namespace

bool decode(const Option& option, const Raw& raw, Config& config, std::vector<Problem>& problems) {
  return std::visit(Decoder{option, raw, config, problems}, option.field);
}

}  // namespace serval::config
