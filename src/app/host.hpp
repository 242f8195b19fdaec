#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <serval/serval.h>

#include "app/abi_text.hpp"
#include "app/answer.hpp"

/// The other side of serval_error: what host->explain writes into.
struct serval_error {
  std::string why;
};

/// The other side of serval_exchange: lives on the stack of App::handle and turns what the app does into exactly one
/// call of `answer`.
struct serval_exchange {
  serval::app::Answer& answer;
  std::string_view method, target, request_id;  ///< for log lines
  bool answered = false;
  const char* why_unanswered =
      "handle returned without an answer";  ///< what to say if `answered` is still false after handle()
};

namespace serval::app {

/// The table of functions that apps are given. Lives as long as the process.
const serval_host& host();

/// A deadline as the ABI has it, in nanoseconds of CLOCK_MONOTONIC, which is the steady_clock of libstdc++ and libc++
/// on Linux; 0: never.
std::uint64_t nanoseconds_of(std::chrono::steady_clock::time_point time);

/// While one lives, the calling thread may answer `exchange`, and no other: an app that kept an exchange beyond
/// handle(), or answers from a thread of its own, is told so in the log instead of writing to a dead stack.
class Answering {
 public:
  explicit Answering(serval_exchange& exchange);
  ~Answering();
  Answering(const Answering&) = delete;
  Answering& operator=(const Answering&) = delete;
};

}  // namespace serval::app
