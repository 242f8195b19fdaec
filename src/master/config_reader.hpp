#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "config/reading.hpp"
#include "master/reaper.hpp"
#include "os/unique_fd.hpp"
#include "os/wait.hpp"

namespace serval::master {

/// Has the configuration read in a process that is thrown away (`serval read FD`): what is in the file can kill no
/// other process, and a file that is a pipe, or on a disk that is gone, keeps no other process waiting. One reading at
/// a time. One thread, that of the io_context, which outlives this, as the reaper does.
class ConfigReader {
 public:
  using Done = std::function<void(Result<config::Reading>)>;

  /// `program`: the serval to run (os::kOwnProgram).
  ConfigReader(boost::asio::io_context& io, Reaper& reaper, std::string program)
      : io_(io), reaper_(reaper), program_(std::move(program)) {}
  ConfigReader(const ConfigReader&) = delete;
  ConfigReader& operator=(const ConfigReader&) = delete;
  ~ConfigReader() { give_up(); }

  bool busy() const { return reading_.has_value(); }
  /// `done` is called once, on the loop or before this returns; after give_up() never. An error: there is no process to
  /// be had, it died, or it has not come to an end in time.
  void read(const config::Sources& sources, Done done);
  /// Kills the reader. cancel() calls `done` with this reason, give_up() does not.
  void cancel(const std::string& why);
  void give_up();

 private:
  struct Reading {
    pid_t pid = 0;
    UniqueFd answer;  ///< a memory file that the reader writes into
    Done done;
    boost::asio::steady_timer timer;
  };
  Result<void> start(const config::Sources& sources, Done& done);
  void on_exit(const os::ChildExit& exit);
  void kill();
  void end(Result<config::Reading> result);

  boost::asio::io_context& io_;
  Reaper& reaper_;
  std::string program_;
  std::optional<Reading> reading_;
};

}  // namespace serval::master
