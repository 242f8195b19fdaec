#include "admin/machine.hpp"

namespace serval::admin {

MachineFigures look_at_machine(const std::vector<NamedProcess>& processes) {
  MachineFigures figures;
  for (const NamedProcess& process : processes) {
    if (const auto files = os::open_files(process.pid)) figures.processes.push_back({process.name, *files});
  }
  for (const char* resource : {"cpu", "memory", "io"}) {
    if (const auto pressure = os::pressure(resource)) figures.resources.push_back({resource, *pressure});
  }
  figures.throttling = os::throttling();
  figures.drops = os::listen_drops();
  return figures;
}

}  // namespace serval::admin
