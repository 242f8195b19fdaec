#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/input_buffer.hpp"
#include "base/output_queue.hpp"
#include "base/time.hpp"
#include "http/request.hpp"
#include "http/stream.hpp"

namespace serval::http {

/// Lends the memory of requests to a session.
class Streams {
 public:
  /// A request begins, whose first byte came at `first_byte`.
  virtual Stream& begin(TimePoint first_byte) = 0;
  /// It is over: the session does not touch it any more.
  virtual void end(Stream& stream) = 0;

 protected:
  ~Streams() = default;
};

/// What the whole server is about to do, as its sessions see it. Set by the loop, read by any thread.
struct Farewell {
  std::atomic<bool> draining{false};  ///< connections end or move to another worker
  std::atomic<bool> goodbye{false};  ///< no other worker takes them over: each answer is the last one on its connection
};

/// What a connection has behind it: all that another session needs to go on with one that is idle.
struct History {
  TimePoint accepted;
  TimePoint last_activity;  ///< the last byte read, or the end of the last answer
  int requests = 0;         ///< begun so far
  bool untouched = true;    ///< nothing has been read yet
};

/// The protocol of one connection as a state machine: told what happened, it says what is to be done. Pure: no socket,
/// no clock, no thread, no log; it calls no handler. Loop only.
///
/// The owner reads bytes into input() and says so, then calls next() as long as that brings events, acts on each, and
/// looks at needs().
class Session {
 public:
  struct Event {
    enum class Kind {
      none,
      request,  ///< complete: to be handled; on_answer() once the answer is known
      refused,  ///< to be answered with `refusal`, and on_answer() told; the connection closes after that
      gone,     ///< the client has left before its answer, or a limit has given it up (`timed_out`); nothing follows
    };
    Kind kind = Kind::none;
    Stream* stream = nullptr;
    const Refusal* refusal = nullptr;  ///< valid until the next call
    bool timed_out = false;            ///< a deadline has passed
  };
  struct Needs {
    bool input = false;       ///< bytes are wanted, or thrown away
    bool idle = false;        ///< it waits for a request, of which nothing has come
    bool half_close = false;  ///< nothing more will be written
    bool close = false;       ///< the connection is over
    TimePoint deadline = TimePoint::max();  ///< then on_deadline()

    friend bool operator==(const Needs&, const Needs&) = default;
  };

  virtual ~Session() = default;

  virtual Needs needs() const = 0;
  /// From the first byte of a request until its answer is out.
  virtual bool has_request() const = 0;
  virtual const History& history() const = 0;

  /// What has been read and is not understood yet.
  virtual InputBuffer& input() = 0;
  /// The same, with free space of at least one byte, where the next bytes belong. Views of unread bytes do not survive
  /// it.
  virtual InputBuffer& make_room() = 0;
  /// `count` bytes have been read into that free space.
  virtual void on_input(std::size_t count, TimePoint now) = 0;
  /// Goes on with what has been read. Interim answers are appended to `out`.
  virtual Event next(OutputQueue& out) = 0;
  /// What came before the protocol's own bytes (a PROXY prefix) makes no sense.
  virtual Event refuse(const Refusal& refusal) = 0;

  virtual Event on_end_of_input(TimePoint now) = 0;
  virtual Event on_deadline(TimePoint now) = 0;
  /// The request has an answer, which is going out from now on. `closes`: no other follows.
  virtual void on_answer(bool closes) = 0;
  /// The same, and the stream is not the session's any more: its handler runs on without a client.
  virtual void on_given_up() = 0;
  /// The client does not take what is to be sent.
  virtual void on_output_blocked(TimePoint now) = 0;
  /// All that was to be sent is out.
  virtual void on_output_drained(TimePoint now) = 0;
  /// The request was held back for a while, which is nobody's fault: it counts as if it had come now.
  virtual void on_resumed(TimePoint now) = 0;
  /// `Farewell` has changed.
  virtual void on_farewell(TimePoint now) = 0;
  /// The connection is closed, or another process has it from here: nothing is needed any more.
  virtual void on_closed() = 0;

  /// The bytes of a complete request that nobody has begun to handle, from which another session can read it again;
  /// `body`: all of it, in memory. May be put together in `memory`. Empty: there are none any more, or another session
  /// could not go on.
  virtual std::string_view bytes_again(const Stream& stream, std::string_view body, std::string& memory) const = 0;
};

}  // namespace serval::http
