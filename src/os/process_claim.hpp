#pragma once

namespace serval::os {

namespace detail {
/// Points to a page that the kernel clears in every child of a fork; null as long as nothing is claimed.
extern const volatile unsigned char* process_mark;
}  // namespace detail

/// The calling process says that it is what it is meant to be: from here on every child that is forked from it is none
/// of serval's, unless it claims itself. Called by a process with one thread.
void claim_process();

/// This process was forked from one that had claimed itself, and has not done so. Any thread; two loads, no system
/// call.
inline bool is_unclaimed_child() { return detail::process_mark != nullptr && *detail::process_mark == 0; }

}  // namespace serval::os
