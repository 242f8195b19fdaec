#include "config/problem.hpp"

#include "base/log_text.hpp"

namespace serval::config {

std::string ValueSource::text() const {
  switch (kind) {
    case Kind::defaulted: return "default";
    case Kind::file: return line == 0 ? name : name + ":" + std::to_string(line) + ":" + std::to_string(column);
    case Kind::environment: return "environment " + name;
    case Kind::flag: return "flag " + name;
  }
  return {};
}

std::string format_problems(std::span<const Problem> problems, std::string_view severity) {
  std::string out;
  for (const auto& problem : problems) {
    // A missing value has no place to point at; the line starts with the program then, as for any other complaint.
    // Names and values come from anywhere: no control byte of theirs reaches a terminal, or breaks a line.
    log::append_text(out, problem.at.kind == ValueSource::Kind::defaulted ? "serval" : problem.at.text(), false);
    out += ": " + std::string(severity) + ": ";
    log::append_text(out, problem.what, false);
    out += '\n';
    if (problem.hint.empty()) continue;
    out += "  hint: ";
    log::append_text(out, problem.hint, false);
    out += '\n';
  }
  return out;
}

}  // namespace serval::config
