#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.hpp"
#include "os/unique_fd.hpp"
#include "profile/profile.hpp"

/// A profile's samples become a file in a process that is thrown away, the hidden `serval draw FD`: workers have
/// written them, and what names them is files of the app's.
namespace serval::cli {

struct Drawing {
  int samples_fd = -1;     ///< a region for each worker, as a profile's samples are (profile/samples.hpp)
  std::size_t region = 0;  ///< bytes of each
  std::size_t workers = 0;
  bool cpu = false;
  int hz = 100;
  bool all = false;  ///< with serval's own frames
  profile::Format format = profile::Format::table;
  std::string title;
  /// Whose rights are enough.
  uid_t uid = 0;
  gid_t gid = 0;
};

/// A sealed memfd at offset 0 holding it.
Result<UniqueFd> write_drawing(const Drawing& drawing);

/// Reads the Drawing behind `drawing_fd`, and writes the profile to standard output, what it has cost or what is wrong
/// to standard error. Returns the exit code; app_failed: there are no samples.
int draw_profile(int drawing_fd);

}  // namespace serval::cli
