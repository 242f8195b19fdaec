#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

namespace serval::cli {

/// Which files `serval logs` shows.
struct LogPaths {
  std::vector<std::string> paths;  ///< each once; none: `why` and `hint` say what to do instead
  bool of_program = false;         ///< files of its own, and not serval's log
  std::string why{};
  std::string hint{};
};

/// From the status of a server (control/status.hpp): the log; with a program, the files of its instances' output if it
/// has such. Pure.
LogPaths log_paths(const boost::json::object& status, const std::string& program);

}  // namespace serval::cli
