#pragma once

#include <signal.h>

#include <cstddef>

namespace serval::stack {

/// The calling thread's alternate signal stack (sigaltstack(2)) while this lives, with a guard page below. Made and
/// destroyed by the same thread. The one that was there before, a sanitizer's or a run-time's, comes back afterwards.
/// If there is no memory for it the thread goes without.
class AlternateStack {
 public:
  AlternateStack();
  ~AlternateStack();
  AlternateStack(const AlternateStack&) = delete;
  AlternateStack& operator=(const AlternateStack&) = delete;

 private:
  void* memory_ = nullptr;
  std::size_t size_ = 0;  ///< with the guard page
  stack_t before_{};
};

}  // namespace serval::stack
