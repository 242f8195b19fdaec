#pragma once

#include <string>

#include "base/result.hpp"
#include "os/file_identity.hpp"
#include "os/unique_fd.hpp"

namespace serval::os {

/// A program that is held open, so that what was looked at is what is run later, whatever becomes of its path
/// meanwhile.
class ProgramFile {
 public:
  /// The program that a shell would find by `name` (find_program). The error says what is there instead: nothing, a
  /// folder, a file that may not be executed, a script. Never blocks on what is no regular file.
  static Result<ProgramFile> open(const std::string& name);

  const std::string& path() const { return path_; }
  /// What to give to spawn() and become(): leads to the file itself while this object lives.
  std::string executable() const { return "/proc/self/fd/" + std::to_string(fd_.get()); }
  /// The file was neither written into nor replaced since open().
  bool unchanged() const;

 private:
  std::string path_;
  UniqueFd fd_;
  FileIdentity identity_;
};

}  // namespace serval::os
