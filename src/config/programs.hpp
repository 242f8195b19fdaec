#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/file.hpp"
#include "config/loaded.hpp"
#include "config/options.hpp"

/// The [programs.NAME] tables: one option table (options.hpp: program_options) for as many programs as there are.
namespace serval::config {

/// Variables that serval tells a program things by: one that is a program of another serval finds them.
inline constexpr std::string_view kGivenToPrograms[] = {"SERVAL_PROGRAM", "SERVAL_INSTANCE", "SERVAL_EXEC_PID",
                                                        "SERVAL_READY_FD"};

/// Instances of one.
inline constexpr int kMostInstances = 1024;

/// "programs.mailer.count".
std::string program_path(std::string_view name, std::string_view key);

/// A row of program_options() as it is for one program: its path names that one. Not to be kept beyond this object.
class ProgramOption {
 public:
  ProgramOption(const Option& row, std::string_view name) : path_(program_path(name, key_of(row.path))), option_(row) {
    option_.path = path_;
  }
  ProgramOption(const ProgramOption&) = delete;
  ProgramOption& operator=(const ProgramOption&) = delete;
  const Option& get() const { return option_; }

 private:
  std::string path_;
  Option option_;
};

/// A configuration in which this program has the place that the options of programs lead to.
Config with_program(const Program& program);

/// What the file says of programs; relative folders start from `folder`.
void read_programs(const FileValues& values, const std::string& folder, Loaded& loaded);

/// Rules among a program's options, and among programs and the app.
void validate_programs(Loaded& loaded);

/// Why a library that registers these tasks does not do for these programs; empty: it does.
std::string why_tasks_missing(const Programs& programs, const std::vector<std::string>& tasks);

/// As to_text() and from_text() have it: "programs.mailer.count" and a line of text.
std::vector<std::pair<std::string, std::string>> programs_to_text(const Config& config);
/// False: the path is no program's option. Problems are added.
bool program_from_text(std::string_view path, std::string_view text, Config& config, std::vector<Problem>& problems);

}  // namespace serval::config
