#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "base/exit_code.hpp"
#include "base/time.hpp"
#include "cli/commands.hpp"
#include "control/protocol.hpp"

namespace serval::cli {

struct Asked {
  int code = exit_code::ok;
  boost::json::object result;  ///< if ok
  std::string why;             ///< if not: in one line, without its end
  std::string message;         ///< if not: all that there is to say on standard error, hints and other problems too, in whole lines
};

/// Has the server that the command line means do something; waits for its reply, `patience` long for each line of it. Progress goes to standard
/// error if that is a terminal. Where there is no server or it refuses, the code is what to exit with.
Asked try_server(const Invocation& invocation, const control::Request& request, Duration patience);

/// The same; standard error has been told what went wrong.
Asked ask_server(const Invocation& invocation, const control::Request& request, Duration patience = std::chrono::seconds(10));

}  // namespace serval::cli
