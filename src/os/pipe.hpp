#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <optional>

#include "os/unique_fd.hpp"

namespace serval::os {

struct Pipe {
  UniqueFd read_end;  ///< non-blocking
  UniqueFd write_end;
};

/// Both ends close-on-exec; none, with errno, if there is no descriptor left.
inline std::optional<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
  Pipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  ::fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

}  // namespace serval::os
