#pragma once

namespace serval::cli {

/// Goes on as the server whose state the descriptor holds (master/handover.hpp); with the word "check": only says
/// whether that would work.
int adopt(int handover_fd, bool check);

}  // namespace serval::cli
