#pragma once

#include "http/session.hpp"
#include "http/timeouts.hpp"
#include "http1/message.hpp"

namespace serval::http1 {

/// An HTTP/1 connection (RFC 9112): one request at a time is read, answered, and followed by the next, which may have
/// come already. Knows every deadline.
class Session final : public http::Session {
 public:
  /// All are borrowed and outlive it. `streams` lends Messages only.
  Session(const http::Timeouts& timeouts, const http::Farewell& farewell, http::Streams& streams,
          const http::History& history, TimePoint now);
  /// What was read of the connection before it came here. Once, first thing.
  void put(std::string_view unread);

  Needs needs() const override;
  bool has_request() const override;
  const http::History& history() const override { return history_; }
  InputBuffer& input() override { return message_ == nullptr ? input_ : message_->unread(); }
  InputBuffer& make_room() override;
  void on_input(std::size_t count, TimePoint now) override;
  Event next(OutputQueue& out) override;
  Event refuse(const http::Refusal& refusal) override;
  Event on_end_of_input(TimePoint now) override;
  Event on_deadline(TimePoint now) override;
  void on_answer(bool closes) override;
  void on_given_up() override;
  void on_output_blocked(TimePoint now) override;
  void on_output_drained(TimePoint now) override;
  void on_resumed(TimePoint now) override { history_.last_activity = now; }
  void on_farewell(TimePoint now) override;
  void on_closed() override { enter(State::closed, TimePoint::max()); }
  std::string_view bytes_again(const http::Stream& stream, std::string_view body, std::string& memory) const override;

 private:
  enum class State {
    fresh,      ///< nothing has come yet
    idle,       ///< between two requests
    head,       ///< part of a head is there
    body,       ///< the head is complete, the body is not
    handling,   ///< the request is complete, or refused, and its answer is not known
    answering,  ///< the answer is on its way
    lingering,  ///< the answer is out and no other follows; what the client still sends is thrown away, so that no
                ///< reset overtakes the answer
    closed,
  };

  void enter(State state, TimePoint deadline);
  bool reads_request() const;
  bool idle() const;
  void begin_message();
  void on_head(std::size_t size, OutputQueue& out);
  void on_body(std::string_view piece);
  void want_more();
  Event complete();
  Event refuse_with(const http::Refusal& refusal, bool timed_out);
  void next_request(TimePoint now);

  const http::Timeouts& timeouts_;
  const http::Farewell& farewell_;
  http::Streams& streams_;
  Message* message_ = nullptr;  ///< none while fresh or idle
  InputBuffer input_;           ///< while there is no message
  http::History history_;
  TimePoint body_begin_;
  TimePoint deadline_;
  State state_;
  bool closes_ = false;         ///< after the answer that is on its way
};

}  // namespace serval::http1
