#include "cli/stack.hpp"

#include <cstdlib>
#include <iostream>
#include <new>

#include "base/exit_code.hpp"
#include "stack/names.hpp"

namespace serval::cli {

int name_stacks(int question_fd) try {
  ::unsetenv("DEBUGINFOD_URLS");  // names are wanted in seconds: no downloads
  const auto question = stack::read_question(question_fd);
  if (!question) {
    std::cerr << "serval stack: " << question.error() << '\n';
    return exit_code::internal;
  }
  if (const auto dropped = stack::take_rights_of(*question); !dropped) {
    std::cerr << "serval stack: " << dropped.error() << '\n';
    return exit_code::internal;
  }
  stack::bound_memory_for(*question);
  std::cout << stack::format_answer(stack::name_frames(*question)) << std::flush;
  if (std::cout) return exit_code::ok;
  std::cerr << "serval stack: cannot write the names\n";
  return exit_code::internal;
} catch (const std::bad_alloc&) {
  std::cerr << "serval stack: the debug information takes more memory than is allowed\n";
  return exit_code::internal;
}

}  // namespace serval::cli
