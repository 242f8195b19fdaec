#pragma once

#include <functional>

#include "base/time.hpp"
#include "cli/asked.hpp"
#include "cli/invocation.hpp"
#include "control/protocol.hpp"
#include "os/unique_fd.hpp"

namespace serval::cli {

/// Has the server that the command line means do something; waits for its reply, `patience` long for each line of it.
/// Where there is no server or it refuses, the code is what to exit with. Messages name the command that was typed. A
/// request that does more than look is refused where nothing says which server is meant, whether there is only one or
/// not. Nothing is written anywhere.
Asked try_server(const Invocation& invocation, const control::Request& request, Duration patience);

/// The same; standard error has been told what went wrong, or which server has been asked if nothing said it, and
/// meanwhile, if it is a terminal, how far the server is. `on_file` gets what comes with the reply.
using OnFile = std::function<void(UniqueFd)>;
Asked ask_server(
    const Invocation& invocation, const control::Request& request, Duration patience,
    const OnFile& on_file = [](auto) {});

}  // namespace serval::cli
