#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The text of a serval.toml, as `serval init` prints it.
namespace serval::import {

/// As TOML has it, and so that serval replaces no variable in it.
std::string toml_text(std::string_view text);
std::string toml_list(const std::vector<std::string>& texts);
std::string toml_table(const std::map<std::string, std::string>& entries);

/// Lines that begin with "# ", of a hundred columns at most.
std::string comment(std::string_view text);

/// A [programs.NAME] table: its keys in the order in which they were given, and what has to be said about it.
class ProgramText {
 public:
  explicit ProgramText(std::string name) : name_(std::move(name)) {}

  /// `value` is TOML.
  void set(std::string key, std::string value) { keys_.emplace_back(std::move(key), std::move(value)); }
  void note(std::string text) { notes_.push_back(std::move(text)); }
  std::string text() const;

 private:
  std::string name_;
  std::vector<std::pair<std::string, std::string>> keys_;
  std::vector<std::string> notes_;
};

/// Names of programs that are allowed and that no other has.
class ProgramNames {
 public:
  /// `wanted`, or what is nearest to it.
  std::string take(std::string_view wanted);

 private:
  std::set<std::string> taken_;
};

}  // namespace serval::import
