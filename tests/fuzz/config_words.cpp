// Flags and environment, one on a line: "--workers.threads 5" or "SERVAL_WORKERS_THREADS=5". Values are bytes, not
// always UTF-8.
#include "configs.hpp"

namespace serval::fuzz {
namespace {

config::Sources sources_in(std::string_view bytes) {
  config::Sources sources{.file = {}, .flags = {}, .environment = {}, .working_directory = "/srv"};
  while (!bytes.empty()) {
    const std::string_view line = take_line(bytes);
    const bool is_flag = line.starts_with("--");
    const std::size_t end = line.find(is_flag ? ' ' : '=');
    if (end == std::string_view::npos || line.find('\0') != std::string_view::npos) continue;  // neither can hold a NUL
    const std::string_view value = line.substr(end + 1);
    if (is_flag) sources.flags.emplace_back(line.substr(2, end - 2), value);
    if (!is_flag) sources.environment.emplace(line.substr(0, end), value);
  }
  return sources;
}

}  // namespace

void fuzz_one(std::string_view bytes) {
  const config::Sources sources = sources_in(bytes);
  const auto again = config::read_sources(config::write_sources(sources));
  SERVAL_CHECK(again.has_value());
  SERVAL_CHECK(again->flags == sources.flags && again->environment == sources.environment);
  check_loaded(config::load(sources));
}

}  // namespace serval::fuzz
