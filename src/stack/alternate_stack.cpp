#include "stack/alternate_stack.hpp"

#include <sys/mman.h>
#include <unistd.h>

namespace serval::stack {
namespace {

/// For the unwinder, which takes some 10 KiB, and for a crash within it. What the kernel puts there (all registers)
/// comes on top.
constexpr std::size_t kForHandlers = 64 * 1024;

std::size_t page() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

std::size_t size_with_guard() {
  const long kernels = ::sysconf(_SC_MINSIGSTKSZ);
  const std::size_t wanted = kForHandlers + (kernels > 0 ? static_cast<std::size_t>(kernels) : 0);
  return (wanted + page() - 1) / page() * page() + page();
}

}  // namespace

AlternateStack::AlternateStack() : size_(size_with_guard()) {
  void* const memory =
      ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return;
  ::mprotect(memory, page(), PROT_NONE);
  stack_t ours{};
  ours.ss_sp = static_cast<char*>(memory) + page();
  ours.ss_size = size_ - page();
  if (::sigaltstack(&ours, &before_) == 0) {
    memory_ = memory;
  } else {
    ::munmap(memory, size_);
  }
}

AlternateStack::~AlternateStack() {
  if (memory_ == nullptr) return;
  stack_t now{};
  if (::sigaltstack(nullptr, &now) != 0) return;
  const bool still_ours = now.ss_sp == static_cast<char*>(memory_) + page();
  if (still_ours && ::sigaltstack(&before_, nullptr) != 0) return;  // EPERM: a handler on it ends the thread; it stays
  ::munmap(memory_, size_);
}

}  // namespace serval::stack
