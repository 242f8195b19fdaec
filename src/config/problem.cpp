#include "config/problem.hpp"

namespace serval::config {

std::string Origin::text() const {
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
    out += problem.at.kind == Origin::Kind::defaulted ? "serval" : problem.at.text();
    out += ": " + std::string(severity) + ": " + problem.what + '\n';
    if (!problem.hint.empty()) out += "  hint: " + problem.hint + '\n';
  }
  return out;
}

}  // namespace serval::config
