#pragma once

namespace serval::cli {

/// Reads the stack::Question behind `question_fd` and prints its answer. Returns the exit code.
int name_stacks(int question_fd);

}  // namespace serval::cli
