#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "app/app.hpp"
#include "base/time.hpp"
#include "http1/request_parser.hpp"
#include "http1/head_writer.hpp"
#include "scoreboard/writer.hpp"
#include "worker/body_store.hpp"
#include "worker/crew.hpp"
#include "worker/input_buffer.hpp"

namespace serval::worker {

class Connection;
class Service;
struct Peer;

/// One request and its answer, with all the memory that the app's thread may touch. If the client is answered before the handler has returned
/// (504) or is gone, the exchange is abandoned: the connection lets go of it, and it lives on until the handler is done.
/// Reused: begin() starts the next request, memory stays. Loop only, but for run(), respond() and fail(), which the app's thread calls.
class Exchange final : public Job, private app::Answer {
 public:
  explicit Exchange(Service& service);

  void begin(Connection& owner, TimePoint now);
  /// The request is complete, the `nth` on its connection: fills in what the app is shown and decides whether the connection goes on.
  void prepare(const Peer& peer, int nth);

  // The request.
  http1::RequestParser parser;
  InputBuffer input;       ///< the connection's bytes, the head among them; handed back when the answer is on its way
  std::size_t head_at = 0;  ///< where in `input` the request begins
  std::size_t head_size = 0;
  InputBuffer body_input;  ///< what is read after a head whose body was not all there: the head must not move
  BodyStore body;
  std::string_view body_in_place;  ///< the whole body as it lies in `input`, if it needed no copy
  std::string request_id;
  std::string peer_address;  ///< a copy: the handler may outlive the connection
  app::Request request;
  TimePoint first_byte;
  TimePoint handed_over;   ///< the request was complete and given to the crew
  std::uint64_t body_bytes = 0;
  bool close_after = false;        ///< decided before the handler ran: the client's wish, limits

  // The answer: `out` whole, then `tail`.
  std::string out;
  std::string_view tail;
  int status = 0;
  std::uint64_t body_out = 0;      ///< body bytes of the answer
  std::string_view reason;         ///< why it is serval's own; a static text
  bool closes = false;             ///< the answer says `Connection: close`
  bool failed = false;             ///< the app failed; it is a 500

  /// When the handler began; none while the request waits for a thread. Any thread.
  TimePoint started() const { return TimePoint(Clock::duration(started_.load(std::memory_order_acquire))); }
  bool has_started() const { return started_.load(std::memory_order_acquire) != 0; }

  /// When the handler is to be given up, as extended so far; max(): never. Any thread.
  TimePoint due() const { return TimePoint(Clock::duration(due_.load())); }
  pid_t thread() const { return thread_.load(std::memory_order_relaxed); }  ///< that runs the handler, once it has started

  Connection* owner() const { return owner_; }
  /// Gives the handler up, unless it has just got an extension. The client is the caller's business from then on.
  bool expire(TimePoint now);
  bool expired() const { return expired_; }
  /// The connection goes its own way; done() takes the exchange back.
  void abandon();
  /// Forgets the request; releases what the app lent.
  void reset();

  /// Of the request only: may be asked while the handler runs.
  http1::Framing framing(bool close) const;

  // Job
  void run(bool waited) override;
  void done() override;

 private:
  // app::Answer
  void respond(const Response& response) override;
  void fail(std::string_view why) override;
  TimePoint deadline() const override { return due(); }
  bool extend(std::chrono::nanoseconds from_now) override;
  bool cancelled() const override { return cancelled_.load(); }

  void identify(const Peer& peer);
  void hint_at_proxy(const Peer& peer);
  /// The calling app thread's; none if a reload has brought more threads than the scoreboard has room for: they are not shown, that is all.
  std::optional<scoreboard::Row> this_row() const;
  std::vector<http::Field> without_dropped(std::span<const http::Field> fields);
  void keep_tail(const Response& response);

  Service& service_;
  Connection* owner_ = nullptr;
  std::atomic<Clock::rep> started_{0};
  std::atomic<Clock::rep> due_{0};
  std::atomic<bool> cancelled_{false};
  std::atomic<pid_t> thread_{0};
  bool expired_ = false;  ///< cancelled because of its deadline
  std::string tail_copy_;
  void (*release_)(void*) = nullptr;
  void* release_context_ = nullptr;
};

}  // namespace serval::worker
