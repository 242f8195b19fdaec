#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <span>
#include <string>

#include "base/time.hpp"
#include "http/redact.hpp"
#include "http/request.hpp"
#include "http/trace_context.hpp"
#include "ipc/heritage.hpp"
#include "os/random.hpp"
#include "scoreboard/writer.hpp"
#include "server/observer.hpp"
#include "worker/milestones.hpp"

namespace serval::worker {

/// A request's place in its trace, kept with its handler's call.
struct Trace {
  http::TraceContext context;               ///< its own span's
  std::array<std::uint8_t, 8> parent_id{};  ///< zeros: it began the trace
  std::string traceparent;                  ///< what the app sends on to others; empty: nothing is traced
};

/// Makes spans of requests and sends them to the admin process, which has them collected (OpenTelemetry). Loop only.
class Tracing {
 public:
  struct Worker {
    int known_as;
    int pid;
    int generation;
  };
  /// `spans_fd` of the heritage, borrowed; -1: nothing is traced.
  Tracing(const ipc::Heritage& heritage, scoreboard::WorkerBoard& board, const Worker& worker);

  bool on() const { return fd_ >= 0; }
  /// A request is about to be handled.
  void begin(const http::Request& request, Trace& trace);
  /// It is over.
  void end(const server::Summary& summary, const Trace& trace, const Milestones& milestones);

 private:
  void make_id(std::span<std::uint8_t> id);

  const int fd_;
  const Sampler sampler_;
  const http::Redactor redactor_;
  scoreboard::WorkerBoard& board_;
  const Worker worker_;
  /// Ids need to differ, not to be secret: no system call for each request.
  std::mt19937_64 random_{os::random_bits()};
};

}  // namespace serval::worker
