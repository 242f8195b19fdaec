#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "config/config.hpp"

namespace serval::master {

/// Looks at the memory of workers, as config.memory says. One thread.
class Measure {
 public:
  explicit Measure(const config::Memory& memory) : memory_(memory) {}
  /// After a reload.
  void use(const config::Memory& memory) { memory_ = memory; }

  /// Bytes; none if the process is gone. Where rss is below every ceiling it is the answer, whatever was asked for: pss
  /// and uss are less, and cost a walk through the page tables. Where those cannot be read, rss stands in for them, and
  /// the log says so once.
  std::optional<std::uint64_t> look(pid_t worker);

 private:
  config::Memory memory_;
  bool complained_ = false;
};

}  // namespace serval::master
