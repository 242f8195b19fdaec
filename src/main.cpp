#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string>

#include "base/exit_code.hpp"
#include "base/journal.hpp"
#include "base/result.hpp"
#include "cli/cli.hpp"
#include "os/process_title.hpp"

namespace {

/// Whoever started us may have closed 0, 1 or 2; a listener or a log must not end up with such a number.
void occupy_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) == -1) ::open("/dev/null", O_RDWR);
  }
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_descriptors();
  serval::os::init_title(argc, argv);
  try {
    return serval::cli::run_cli(argc, argv);
  } catch (const serval::StartupError& error) {
    std::fputs(serval::stderr_lines(serval::log::Level::error, "serval: " + std::string(error.what()) + "\n").c_str(),
               stderr);
    return error.exit_code;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "serval: a fault of serval itself: %s\n", error.what());
    return serval::exit_code::internal;
  }
}
