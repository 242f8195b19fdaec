#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/asked.hpp"
#include "cli/invocation.hpp"
#include "control/meant.hpp"
#include "control/socket_location.hpp"

namespace serval::cli {

inline constexpr const char* kNameAnother =
    "name the server with -c FILE, --name NAME or --socket PATH; its log says where its control socket is";

/// Which server is meant, or why that cannot be told.
struct Found {
  std::vector<control::SocketLocation> places;  ///< where it may be
  std::optional<control::ConfigFile> meant{};
  Asked failure{};        ///< if its code is not ok
  bool problems = false;  ///< the configuration is not right: its server may be elsewhere
  bool unnamed = false;   ///< it is only the one server that has a socket where sockets are by default
};

/// By --socket, --name, the configuration, SERVAL_CONTROL_SOCKET; by none of them, the only one that there is. Reads
/// the configuration and looks at folders; talks to no server.
Found find_server(std::string_view command, const Invocation& invocation);

/// For messages: "/run/a.sock, /run/b.sock".
std::string paths_of(const std::vector<control::SocketLocation>& places);

}  // namespace serval::cli
