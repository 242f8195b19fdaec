#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"

namespace serval::master {

/// What start() would refuse to the calling user, as far as that can be tried without a trace: log files, the pid
/// file's folder, the folders of unix sockets, users and groups, addresses of this machine. Nothing is created, and a
/// running server of the same configuration is no obstacle. One sentence each, which names the option.
std::vector<std::string> obstacles(const config::Config& config);

/// The part of these that start() asks first, since the configuration is wrong then: users and groups that are not
/// known, or that only root may become.
std::vector<std::string> account_obstacles(const config::Server& server);

}  // namespace serval::master
