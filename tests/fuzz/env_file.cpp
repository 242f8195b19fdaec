// An env file: problems without its text, or variables that can be handed over; and what is read is the same when it is
// written in quotes and read again.
#include "config/env_file.hpp"

#include "fuzz.hpp"

namespace serval::fuzz {
namespace {

std::string in_double_quotes(const std::string& value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\' || c == '$') text += '\\';
    if (c == '\r') {
      text += "\\r";  // before the end of a line it would be that
    } else {
      text += c;
    }
  }
  return text + "\"";
}

}  // namespace

void fuzz_one(std::string_view bytes) {
  const config::EnvFile file = config::parse_env_file(bytes);
  SERVAL_CHECK(file.problems.size() <= config::kMaxEnvFileProblems);
  for (const config::EnvFileProblem& problem : file.problems) SERVAL_CHECK(problem.line > 0 && !problem.what.empty());
  std::string again;
  std::size_t size = 0;
  for (const auto& [name, value] : file.variables) {
    SERVAL_CHECK(!name.empty() && name.find_first_of(std::string_view("=\0\n", 3)) == std::string::npos);
    SERVAL_CHECK(value.find('\0') == std::string::npos);
    size += name.size() + value.size();
    again += "export " + name + "=" + in_double_quotes(value) + "  # as it was\n";
  }
  SERVAL_CHECK(size <= bytes.size());
  for (const std::string& name : file.with_references) SERVAL_CHECK(file.variables.contains(name));
  const config::EnvFile back = config::parse_env_file(again);
  SERVAL_CHECK(back.problems.empty() && back.variables == file.variables);
}

}  // namespace serval::fuzz
