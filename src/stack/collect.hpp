#pragma once

#include <execinfo.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "stack/frames.hpp"

/// For handlers of signals alone: where the thread was that they have interrupted. Async-signal-safe, after prepare().
namespace serval::stack {

/// Our own innermost frames where the interrupted instruction is not among the addresses: collect, handler, trampoline.
constexpr int kOwnFrames = 3;
/// Room for them, and for those that a sanitizer puts around a handler.
constexpr int kSpare = 12;

#if defined(__x86_64__)
inline std::uint64_t instruction_of(const ucontext_t& context) {
  return static_cast<std::uint64_t>(context.uc_mcontext.gregs[REG_RIP]);
}
/// To where the call that led to the first instruction of a function came from, less one so that it lies in the call.
inline void undo_call(ucontext_t& context) {
  greg_t& stack_pointer = context.uc_mcontext.gregs[REG_RSP];
  context.uc_mcontext.gregs[REG_RIP] = *reinterpret_cast<const greg_t*>(stack_pointer) - 1;
  stack_pointer += static_cast<greg_t>(sizeof(greg_t));
}
#elif defined(__aarch64__)
inline std::uint64_t instruction_of(const ucontext_t& context) { return context.uc_mcontext.pc; }
inline void undo_call(ucontext_t& context) { context.uc_mcontext.pc = context.uc_mcontext.regs[30] - 1; }
#else
inline std::uint64_t instruction_of(const ucontext_t&) { return 0; }
inline void undo_call(ucontext_t&) {}
#endif

inline void append(Frames& frames, std::uint64_t address) {
  if (frames.count < kMaxFrames) frames.address[static_cast<std::size_t>(frames.count++)] = address;
}

/// Call it from a handler itself. backtrace(3) is safe there once it has been called before: since glibc 2.35 and GCC
/// 12 the unwinder finds its tables without a lock (_dl_find_object).
template <std::size_t kMax>
[[gnu::always_inline]] inline int collect_up_to(const ucontext_t& context, std::array<std::uint64_t, kMax>& addresses) {
  std::array<void*, kMax + kSpare> raw;
  const int count = std::max(::backtrace(raw.data(), static_cast<int>(raw.size())), 0);
  const auto end = raw.begin() + count;
  const std::uint64_t interrupted = instruction_of(context);
  auto from = std::find(raw.begin(), end, reinterpret_cast<void*>(interrupted));
  std::size_t found = 0;
  if (from == end) {  // an unknown processor, or ThreadSanitizer, which calls handlers when it suits it
    if (interrupted != 0) addresses[found++] = interrupted;
    from = raw.begin() + std::min(kOwnFrames, count);
  }
  for (; from != end && found < kMax; ++from) addresses[found++] = reinterpret_cast<std::uint64_t>(*from);
  return static_cast<int>(found);
}

[[gnu::noinline]] inline Frames collect(const ucontext_t& context) {
  Frames frames;
  frames.thread = ::gettid();
  frames.count = collect_up_to(context, frames.address);
  return frames;
}

}  // namespace serval::stack
