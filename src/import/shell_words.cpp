#include "import/shell_words.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace serval::import {
namespace {

/// Words that exec cannot start: of the shell itself.
constexpr std::string_view kShellWords[] = {"cd",   "export", "set",  "if",    "for",    "while", "until",
                                            "case", "{",      "!",    ".",     "source", "umask", "ulimit",
                                            "trap", "eval",   "exec", "unset", "test"};

/// Parts of ">&2" and "&>log" are no operators that end a command.
bool has_operator(std::string_view line) {
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\\' && quote != '\'') {
      ++i;
    } else if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '&') {
      const bool redirects = (i > 0 && (line[i - 1] == '>' || line[i - 1] == '<')) || line.substr(i).starts_with("&>");
      if (!redirects) return true;
    } else if (c == ';' || c == '|' || c == '(' || c == ')' || c == '\n' || c == '`' || c == '#') {
      return true;
    }
  }
  return quote != 0;
}

bool is_one_command(std::string_view line) {
  const std::string_view first = line.substr(0, line.find_first_of(" \t"));
  const bool own = std::find(std::begin(kShellWords), std::end(kShellWords), first) != std::end(kShellWords);
  return !own && first.find('=') == std::string_view::npos && !has_operator(line);
}

}  // namespace

std::vector<std::string> shell_words(std::string_view line) {
  std::vector<std::string> words;
  bool inside = false;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (quote == 0 && blank) {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    inside = true;
    if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    } else if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
      words.back() += line[++i];
    } else {
      words.back() += c;
    }
  }
  return words;
}

ShellCommand shell_command(std::string_view line) {
  const std::string text(trim(line));
  const bool one = is_one_command(text);
  return {.command = {"/bin/sh", "-c", (one ? "exec " : "") + text}, .shell_stays = !one};
}

}  // namespace serval::import
