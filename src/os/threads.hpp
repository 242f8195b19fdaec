#pragma once

#include <string>
#include <vector>

namespace serval::os {

/// The threads of this process but the caller's, as "name(tid)", sorted by tid (proc(5): /proc/self/task). A fork would
/// lose them all.
std::vector<std::string> other_threads();

/// Names the calling thread, cut to the 15 bytes that the kernel keeps (prctl(2), PR_SET_NAME).
void name_thread(const std::string& name);

}  // namespace serval::os
