#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "master/handover.hpp"
#include "master/reaper.hpp"
#include "master/tell.hpp"
#include "os/program_file.hpp"
#include "os/unique_fd.hpp"
#include "os/wait.hpp"
#include "supervisor/actions.hpp"

namespace serval::master {

/// serval replaces itself: the new program looks at what it would go on with, in a process of its own; then this
/// process execs it. Pid, children, sockets and counters stay. What a successor needs is in one struct
/// (master/handover.hpp). One thread, that of the io_context, which outlives this, as the reaper does.
class Upgrades {
 public:
  struct Hooks {
    Tell tell;
    std::function<Handover()> hand_over;  ///< all that a successor needs, as it is now
    std::function<void()> about_to_exec;  ///< a last chance to log
  };
  /// `arguments`: the command line of the server, whose first says which program is its successor.
  Upgrades(boost::asio::io_context& io, Reaper& reaper, std::vector<std::string> arguments, Hooks hooks)
      : io_(io), reaper_(reaper), arguments_(std::move(arguments)), hooks_(std::move(hooks)) {}
  Upgrades(const Upgrades&) = delete;
  Upgrades& operator=(const Upgrades&) = delete;

  const std::vector<std::string>& arguments() const { return arguments_; }

  /// Answered by UpgradeChecked.
  void perform(const supervisor::CheckUpgrade& action);
  /// Becomes the program that was checked. Returns only if that failed, and then nothing has changed.
  Result<void> exec_successor();

 private:
  /// A new program that looks at what it would go on with.
  struct Check {
    pid_t pid = 0;
    os::ProgramFile program;
    std::string nonce;
    UniqueFd proof_fd;
    UniqueFd error_fd;  ///< what it complains of
    boost::asio::steady_timer timer;
    bool timed_out = false;  ///< it has been killed for that
  };
  /// One that has proved that it can take over.
  struct Successor {
    os::ProgramFile program;
    std::string version;
  };
  Result<void> start_check();
  void check_ended(const os::ChildExit& exit);
  Result<Successor> judge(const os::ChildExit& exit);

  boost::asio::io_context& io_;
  Reaper& reaper_;
  const std::vector<std::string> arguments_;
  const Hooks hooks_;
  std::optional<Check> check_;
  std::optional<Successor> successor_;
};

}  // namespace serval::master
