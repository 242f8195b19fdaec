#include "os/program_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "base/errno_text.hpp"
#include "base/text.hpp"
#include "os/spawn.hpp"

namespace serval::os {
namespace {

/// Why find_program() has found nothing, for a name that leads to a place.
std::string reason_against(const std::string& name) {
  struct stat status = {};
  if (name.find('/') == std::string::npos) return "there is no such program in PATH";
  if (::stat(name.c_str(), &status) != 0) return errno_text();
  if (S_ISDIR(status.st_mode)) return "it is a folder";
  if (!S_ISREG(status.st_mode)) return "it is no regular file";
  return "it may not be executed: " + errno_text(EACCES);
}

/// Empty, or why the kernel would run something else in its place. One that may be executed but not read is run as it
/// is.
std::string complaint_about(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno == EACCES ? "" : errno_text();
  std::array<char, 4> magic{};
  const ssize_t size = ::read(fd.get(), magic.data(), magic.size());
  const std::string_view start(magic.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  if (start == "\177ELF") return "";  // elf(5)
  return start.starts_with("#!") ? "it is a script" : "it is no machine code (ELF)";
}

}  // namespace

Result<ProgramFile> ProgramFile::open(const std::string& name) {
  const auto refuse = [](const std::string& what, const std::string& why) {
    return Error{"cannot run " + what + ": " + why};
  };
  auto path = find_program(name);
  if (!path) return refuse(quoted(name), reason_against(name));
  ProgramFile program;
  program.path_ = std::move(*path);
  program.fd_.reset(::open(program.path_.c_str(), O_PATH | O_CLOEXEC));
  struct stat status = {};
  if (!program.fd_ || ::fstat(program.fd_.get(), &status) != 0) return refuse(program.path_, errno_text());
  if (!S_ISREG(status.st_mode)) return refuse(program.path_, "it is no regular file");
  if (const std::string why = complaint_about(program.executable()); !why.empty()) return refuse(program.path_, why);
  program.identity_ = identity_of(status);
  return program;
}

bool ProgramFile::unchanged() const {
  struct stat status = {};
  return ::fstat(fd_.get(), &status) == 0 && identity_of(status) == identity_;
}

}  // namespace serval::os
