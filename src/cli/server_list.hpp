#pragma once

#include <sys/types.h>

#include <boost/json/object.hpp>
#include <string>
#include <vector>

namespace serval::cli {

/// What `serval list` has found of one server.
struct ListedServer {
  enum class Answer {
    given,        ///< `status` has it
    none,         ///< it is silent
    not_allowed,  ///< its control socket is not ours to use
    no_socket,    ///< it has none, as far as can be seen
  };
  pid_t pid = 0;         ///< 0: not known
  std::string name{};    ///< as its title has it; may be cut, or empty
  std::string user{};    ///< that the master runs as
  std::string socket{};  ///< its control socket; empty: not known
  Answer answer = Answer::no_socket;
  boost::json::object status{};  ///< control/status.hpp
};

/// `{"servers": [{name, pid, user, state, ready, config_file, socket, listeners [text], workers {wanted, serving},
/// programs [{name, wanted, ready, up, on, instances {state: number}}], problem}]}`; what is not known is null. Pure.
boost::json::object list_to_json(const std::vector<ListedServer>& servers);

/// The same for people. Texts from servers have no control byte left. Pure.
std::string format_list(const std::vector<ListedServer>& servers);

}  // namespace serval::cli
