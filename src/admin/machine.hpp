#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "os/open_files.hpp"
#include "os/pressure.hpp"
#include "os/tcp_counters.hpp"
#include "os/throttling.hpp"

namespace serval::admin {

/// What the kernel knows of the server, and of what it has to share.
struct MachineFigures {
  struct Process {
    std::string name;  ///< "master", "mold", "worker[3]"
    os::OpenFiles files;
  };
  struct Resource {
    std::string name;  ///< "cpu", "memory", "io"
    os::Pressure pressure;
  };
  std::vector<Process> processes;
  std::vector<Resource> resources;
  std::optional<os::Throttling> throttling;
  std::optional<os::ListenDrops> drops;
};

struct NamedProcess {
  std::string name;
  pid_t pid;
};
/// As it is now; what cannot be had is left out.
MachineFigures look_at_machine(const std::vector<NamedProcess>& processes);

}  // namespace serval::admin
