#pragma once

namespace serval::cli {

/// The body of the hidden `serval stack FD`: reads the stack::Question behind `question_fd` and prints its answer. Returns the exit code.
int run_stack(int question_fd);

}  // namespace serval::cli
