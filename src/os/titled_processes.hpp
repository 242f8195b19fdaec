#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Processes that can be found by what they call themselves (os/process_title.hpp), as far as /proc shows them to us.
/// Any process may call itself anything.
namespace serval::os {

struct TitledProcess {
  pid_t pid = 0;
  uid_t uid = 0;
  std::string title;  ///< the whole command line, as one text; may hold any byte
};

/// Those whose titles begin so, by pid; but for children that were forked a moment ago and have still the title of
/// their parent.
std::vector<TitledProcess> processes_titled(std::string_view beginning);

/// Files of the unix sockets that this process listens on and none of its children has: absolute paths. None: we may
/// not look, or it has ended.
std::optional<std::vector<std::string>> own_unix_listeners(pid_t pid);

}  // namespace serval::os
