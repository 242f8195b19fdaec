#pragma once

#include <algorithm>
#include <string>

#include "config/document.hpp"
#include "config/load.hpp"
#include "config/reading.hpp"
#include "fuzz.hpp"
#include "ipc/heritage.hpp"
#include "os/memory_file.hpp"

/// What must hold for whatever was loaded, from a file or from elsewhere.
namespace serval::fuzz {

/// A file with this text, as long as it lives.
class TextFile {
 public:
  explicit TextFile(std::string_view text) : fd_(std::move(os::make_memory_file("fuzz", "a text", text).value())) {}
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_.get()); }

 private:
  UniqueFd fd_;
};

/// As users see them: one line each and one for each hint, and no control byte besides.
inline void check_problems(const std::vector<config::Problem>& problems) {
  std::ptrdiff_t lines = 0;
  for (const config::Problem& problem : problems) {
    SERVAL_CHECK(!problem.what.empty());
    lines += problem.hint.empty() ? 1 : 2;
  }
  const std::string shown = config::format_problems(problems, "error");
  SERVAL_CHECK(std::count(shown.begin(), shown.end(), '\n') == lines);
  SERVAL_CHECK(std::none_of(shown.begin(), shown.end(), [](char byte) { return byte != '\n' && is_control(byte); }));
}

/// Whatever serval accepts crosses each border unharmed: into the process that reads configurations, to the mold, and
/// into a file of its own.
inline void check_loaded(const config::Loaded& loaded) {
  check_problems(loaded.problems);
  check_problems(loaded.notes);
  if (!loaded.problems.empty()) return;
  const auto texts = config::to_text(loaded.config);
  const auto again = config::from_text(texts);
  SERVAL_CHECK(again.has_value());
  SERVAL_CHECK(config::to_text(*again) == texts);

  const auto reading = config::read_reading(
      config::write_reading({.config = loaded.config, .problems = {}, .file = loaded.file, .real_file = {}}));
  SERVAL_CHECK(reading.has_value());
  SERVAL_CHECK(config::to_text(reading->config) == texts);

  ipc::Heritage heritage;
  heritage.config = loaded.config;
  const auto written = ipc::write_heritage(heritage);
  SERVAL_CHECK(written.has_value());
  const auto inherited = ipc::read_heritage(written->get());
  SERVAL_CHECK(inherited.has_value());
  SERVAL_CHECK(config::to_text(inherited->config) == texts);
}

/// `serval config --show-secrets` prints a file that says the same.
inline void check_effective_file(const config::Loaded& loaded) {
  const TextFile file(config::effective_file(loaded, true, true));
  const auto again = config::load({.file = file.path(), .flags = {}, .environment = {}, .working_directory = "/"});
  SERVAL_CHECK(again.problems.empty());
  SERVAL_CHECK(config::to_text(again.config) == config::to_text(loaded.config));
}

}  // namespace serval::fuzz
