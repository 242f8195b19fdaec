#include "cli/read_config.hpp"

#include <iostream>

#include "base/exit_code.hpp"
#include "config/reading.hpp"
#include "os/memory_file.hpp"

namespace serval::cli {
namespace {

int refuse(const std::string& why) {
  std::cerr << "serval read: " << why << '\n';
  return exit_code::internal;
}

}  // namespace

int read_config(int sources_fd) {
  const auto text = os::read_memory_file(sources_fd, "where the configuration comes from");
  if (!text) return refuse(text.error());
  const auto sources = config::read_sources(*text);
  if (!sources) return refuse(sources.error());
  std::cout << config::write_reading(config::read(*sources)) << std::flush;
  return std::cout ? exit_code::ok : refuse("cannot write what has been read");
}

}  // namespace serval::cli
