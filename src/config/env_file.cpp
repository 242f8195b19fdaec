#include "config/env_file.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.hpp"

namespace serval::config {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool is_name(std::string_view name) {
  const auto part = [](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-'; };
  return !name.empty() && is_letter(name.front()) && std::all_of(name.begin(), name.end(), part);
}

/// `${NAME` somewhere.
bool has_reference(std::string_view value) {
  for (auto at = value.find("${"); at != value.npos; at = value.find("${", at + 2)) {
    if (at + 2 < value.size() && is_letter(value[at + 2])) return true;
  }
  return false;
}

/// Reads the text from its beginning to its end.
class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  EnvFile run() {
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
    while (!rest_.empty() && result_.problems.size() < kMaxEnvFileProblems) read_entry();
    return std::move(result_);
  }

 private:
  /// What is left of this line, without its end.
  std::string_view line() const {
    std::string_view text = rest_.substr(0, rest_.find('\n'));
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
  }

  void next_line() {
    const auto end = rest_.find('\n');
    rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 1);
    ++line_;
  }

  void take(std::size_t size) {
    line_ += static_cast<int>(std::count(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(size), '\n'));
    rest_.remove_prefix(size);
  }

  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  }

  void refuse(int at_line, std::string what, std::string hint = {}) {
    result_.problems.push_back({at_line, std::move(what), std::move(hint)});
  }

  void read_entry() {
    skip_blanks();
    if (line().empty() || line().front() == '#') return next_line();
    const int begun = line_;
    const auto equals = line().find('=');
    if (equals == std::string_view::npos) {
      refuse(begun, "expected NAME=VALUE",
             "what serval itself was started with is handed on anyway; a value of several lines stands in quotes");
      return next_line();
    }
    std::string_view name = trim(line().substr(0, equals));
    constexpr std::string_view kExport = "export";
    if (name.starts_with(kExport) && name.size() > kExport.size() && is_blank(name[kExport.size()]))
      name = trim(name.substr(kExport.size()));
    if (!is_name(name)) {
      refuse(begun, "what stands before the '=' is no name of a variable",
             "a name is letters, digits, '_', '.' and '-', and begins with a letter or '_'");
      return next_line();
    }
    rest_.remove_prefix(equals + 1);
    const bool after_blank = !rest_.empty() && is_blank(rest_.front());
    skip_blanks();
    const bool literal = rest_.starts_with('\'');
    auto value = read_value(begun, after_blank);
    if (!value) return;
    if (value->find('\0') != std::string::npos) return refuse(begun, "a NUL byte cannot be handed over");
    std::erase(result_.with_references, name);
    if (!literal && has_reference(*value)) result_.with_references.emplace_back(name);
    result_.variables[std::string(name)] = *std::move(value);
  }

  /// None: it is refused. The next line is reached either way.
  std::optional<std::string> read_value(int begun, bool after_blank) {
    if (line().starts_with('\'') || line().starts_with('"')) return read_quoted(begun);
    std::string_view text = line();
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool begins = i == 0 ? after_blank : is_blank(text[i - 1]);
      if (text[i] == '#' && begins) text = text.substr(0, i);
    }
    std::string value(trim(text));
    next_line();
    return value;
  }

  std::optional<std::string> read_quoted(int begun) {
    const char quote = rest_.front();
    std::string value;
    std::size_t at = 1;
    for (; at < rest_.size() && rest_[at] != quote; ++at) {
      if (rest_[at] == '\r' && rest_.substr(at).starts_with("\r\n")) continue;
      if (quote == '"' && rest_[at] == '\\' && at + 1 < rest_.size()) {
        add_escaped(rest_[++at], value);
      } else {
        value += rest_[at];
      }
    }
    if (at >= rest_.size()) {
      refuse(begun, std::string("the quote ") + quote + " that begins here has no end");
      next_line();  // to find what else is wrong, as if it were text
      return std::nullopt;
    }
    take(at + 1);
    skip_blanks();
    const bool over = line().empty() || line().front() == '#';
    if (!over) refuse(line_, "expected the end of the line, or a comment, behind the closing quote");
    next_line();
    return over ? std::optional(std::move(value)) : std::nullopt;
  }

  static void add_escaped(char c, std::string& value) {
    switch (c) {
      case 'n': value += '\n'; return;
      case 'r': value += '\r'; return;
      case 't': value += '\t'; return;
      case '"':
      case '\\':
      case '$': value += c; return;
    }
    value += '\\';
    value += c;
  }

  std::string_view rest_;
  int line_ = 1;
  EnvFile result_;
};

}  // namespace

Result<void> check_env_file(std::string_view text) {
  if (may_be_missing(text)) text.remove_prefix(1);
  if (text.empty()) return Error{"expected a path, or '-' and a path"};
  if (text.find('\0') != std::string_view::npos) return Error{"a NUL byte cannot be part of a path"};
  return {};
}

EnvFile parse_env_file(std::string_view text) { return Parser(text).run(); }

}  // namespace serval::config
