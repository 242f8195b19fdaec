#include "master/json_line.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <cstdint>
#include <utility>

#include "base/log_text.hpp"

namespace serval::master {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kMaxKeys = 64;
constexpr std::string_view kPrefix = "app_";

/// Spells the values of an object's members anew as they are parsed. No tree of values is made: it would turn numbers
/// into a double's, and 0.25 into 2.5E-1.
class Respelling {
 public:
  // What the parser asks of a handler; the line's length is the limit.
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;

  using Error = json::error_code;
  using View = json::string_view;

  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_object_begin(Error&) { return open('{'); }
  bool on_object_end(std::size_t, Error&) { return close('}'); }
  bool on_array_begin(Error&) { return open('['); }
  bool on_array_end(std::size_t, Error&) { return close(']'); }
  bool on_key_part(View part, std::size_t, Error&) { return keep(part); }
  bool on_key(View rest, std::size_t, Error& error) {
    keep(rest);
    if (depth_ == 1) {
      key_ = std::exchange(scratch_, {});
      if (members_.size() < kMaxKeys) return true;
      error = json::error::object_too_large;
      return false;
    }
    separate();
    put_scratch();
    value_ += ':';
    after_key_ = true;
    return true;
  }
  bool on_string_part(View part, std::size_t, Error&) { return keep(part); }
  bool on_string(View rest, std::size_t, Error&) {
    keep(rest);
    separate();
    if (depth_ == 1) text_ = scratch_;
    is_text_ = depth_ == 1;
    put_scratch();
    return end_value();
  }
  bool on_number_part(View part, Error&) { return keep(part); }
  bool on_int64(std::int64_t, View rest, Error&) { return number(rest); }
  bool on_uint64(std::uint64_t, View rest, Error&) { return number(rest); }
  bool on_double(double, View rest, Error&) { return number(rest); }
  bool on_bool(bool value, Error&) { return word(value ? "true" : "false"); }
  bool on_null(Error&) { return word("null"); }
  bool on_comment_part(View, Error&) { return true; }
  bool on_comment(View, Error&) { return true; }

  struct Member {
    std::string key, value;
    std::optional<std::string> text;  ///< if the value is one
  };
  std::vector<Member> take_members() { return std::move(members_); }

 private:
  bool open(char bracket) {
    if (depth_ > 0) {
      separate();
      value_ += bracket;
    }
    ++depth_;
    return true;
  }
  bool close(char bracket) {
    --depth_;
    if (depth_ == 0) return true;
    value_ += bracket;
    return end_value();
  }
  bool keep(View part) {
    scratch_.append(part.data(), part.size());
    return true;
  }
  bool number(View rest) {
    keep(rest);
    separate();
    value_ += scratch_;
    scratch_.clear();
    return end_value();
  }
  bool word(std::string_view text) {
    separate();
    value_ += text;
    return end_value();
  }
  void put_scratch() {
    value_ += '"';
    log::append_json(value_, scratch_);
    value_ += '"';
    scratch_.clear();
  }
  /// A comma where one belongs: not first in a bracket, and not behind a key.
  void separate() {
    if (depth_ > 1 && !after_key_ && value_.back() != '{' && value_.back() != '[') value_ += ',';
    after_key_ = false;
  }
  bool end_value() {
    if (depth_ != 1) return true;
    auto same = std::find_if(members_.begin(), members_.end(),
                             [this](const Member& member) { return member.key == key_; });
    if (same == members_.end()) same = members_.insert(members_.end(), Member{std::move(key_), {}, {}});
    same->value = std::exchange(value_, {});
    same->text = is_text_ ? std::optional(std::exchange(text_, {})) : std::nullopt;
    is_text_ = false;
    return true;
  }

  std::vector<Member> members_;
  std::size_t depth_ = 0;
  bool after_key_ = false;
  bool is_text_ = false;
  std::string key_;      ///< of the member that is read
  std::string value_;    ///< of that member, as far as it has been read
  std::string text_;     ///< the same, of a text as such
  std::string scratch_;  ///< a key, text or number may come in parts
};

std::optional<std::vector<Respelling::Member>> parse(std::string_view line) {
  if (line.empty() || line.front() != '{') return std::nullopt;  // most lines
  json::parse_options limits;
  limits.max_depth = kMaxDepth;
  json::basic_parser<Respelling> parser(limits);
  json::error_code error;
  const std::size_t used = parser.write_some(false, line.data(), line.size(), error);
  if (error || used != line.size()) return std::nullopt;
  return parser.handler().take_members();
}

}  // namespace

std::vector<log::Field> JsonLine::fields() const {
  std::vector<log::Field> views;
  for (const Member& member : members) views.push_back(log::Field::verbatim(member.key, member.value));
  return views;
}

std::optional<JsonLine> read_json_line(std::string_view line, const std::function<bool(std::string_view)>& is_ours) {
  auto members = parse(line);
  if (!members) return std::nullopt;
  JsonLine result;
  for (const std::string_view key : {"msg", "message"}) {
    const auto said = std::find_if(members->begin(), members->end(),
                                   [key](const auto& member) { return member.key == key && member.text; });
    if (said == members->end()) continue;
    result.message = *std::move(said->text);
    members->erase(said);
    break;
  }
  const auto is_taken = [&](std::string_view key) {
    const auto is_it = [key](const auto& member) { return member.key == key; };
    return is_ours(key) || std::any_of(members->begin(), members->end(), is_it);
  };
  for (auto& member : *members) {
    if (is_ours(member.key)) {
      std::string key = std::string(kPrefix) + member.key;
      while (is_taken(key)) key.insert(0, kPrefix);
      member.key = std::move(key);
    }
    result.members.push_back({member.key, std::move(member.value)});
  }
  return result;
}

}  // namespace serval::master
