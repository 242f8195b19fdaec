#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "control/status.hpp"
#include "master/memory_figures.hpp"
#include "scoreboard/memory.hpp"
#include "supervisor/supervisor.hpp"

namespace serval::master {

/// Makes the status for whoever wants it. One thread.
class StatusMaker {
 public:
  /// All are borrowed.
  struct Parts {
    const supervisor::Supervisor& supervisor;
    const scoreboard::Memory& scoreboard;
    const TimePoint& begun;
    std::function<const config::Config&()> config;  ///< in force
    std::function<control::CodeReading(int generation)> code;
    std::function<std::vector<control::ListenerReading>()> listeners;
    std::function<std::vector<control::ProgramReading>(bool memory)> programs;
    std::function<std::string()> admin_address;
    std::function<std::string()> config_file;  ///< as it is called; empty: none
    std::function<std::uint64_t()> lost_program_lines;
  };
  explicit StatusMaker(Parts parts) : parts_(std::move(parts)) {}

  /// How long a look at the workers' memory may take, which is what takes time.
  enum class For {
    person,  ///< who has asked for it
    admin,   ///< which asks every few seconds
    probe,   ///< comes often, and does without
  };
  boost::json::object make(For whom);

 private:
  const Parts parts_;
  MemoryFigures memory_;
};

}  // namespace serval::master
