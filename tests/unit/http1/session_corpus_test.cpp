#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "feeding.hpp"
#include "http1/session.hpp"

// What the parser makes of tests/corpus, a session makes of it, too, however the bytes are cut.

namespace serval::http1::test {
namespace {

using Kind = http::Session::Event::Kind;

/// Plays a connection: what the client has sent lies in its socket until the session wants it.
class Connection final : private http::Streams, private http::StreamOwner {
 public:
  explicit Connection(const http::Limits& limits)
      : limits_(limits), session_(timeouts_, farewell_, *streams(), {}, TimePoint{}) {}

  Reading read(const std::vector<std::string_view>& pieces) {
    for (const std::string_view piece : pieces) {
      socket_.append(piece);
      go_on();
    }
    return std::move(reading_);
  }

 private:
  http::Streams* streams() { return this; }

  void go_on() {
    while (!session_.needs().close) {
      act();
      if (!session_.needs().input || session_.needs().half_close || socket_.empty()) return;
      InputBuffer& in = session_.make_room();
      const std::size_t size = std::min(socket_.size(), in.free_size());
      socket_.copy(in.free_space(), size);
      socket_.erase(0, size);
      session_.on_input(size, TimePoint{});
    }
  }

  void act() {
    OutputQueue out;
    for (auto event = session_.next(out); event.kind != Kind::none; event = session_.next(out)) {
      const auto& message = static_cast<const http1::Message&>(*event.stream);
      if (event.kind == Kind::refused) {
        if (message.head_size > 0) keep(message, false);  // refused for its body
        reading_.status = event.refusal->status;
        reading_.reason = event.refusal->reason;
      } else {
        keep(message, true);
      }
      session_.on_answer(event.kind == Kind::refused || message.last);
      session_.on_output_drained(TimePoint{});
    }
  }

  void keep(const http1::Message& message, bool complete) {
    test::Message copy = copy_of(message.request, message.parser.wire());
    copy.body = std::move(body_);
    copy.complete = complete;
    body_.clear();
    reading_.messages.push_back(std::move(copy));
  }

  http::Stream& begin(TimePoint) override {
    message_ = std::make_unique<http1::Message>(limits_);
    message_->owner = this;
    return *message_;
  }
  void end(http::Stream&) override { message_.reset(); }
  void on_body(std::string_view piece) override { body_.append(piece); }
  void keep_body() override {}

  const http::Limits limits_;
  const http::Timeouts timeouts_{};
  http::Farewell farewell_;
  Session session_;
  std::unique_ptr<http1::Message> message_;
  std::string socket_;
  std::string body_;
  Reading reading_;
};

Reading through_session(const std::vector<std::string_view>& pieces, const http::Limits& limits = {}) {
  return Connection(limits).read(pieces);
}

/// What the client will have got answers to; the parser's test also shows a request that never was complete.
Reading answered(Reading reading) {
  std::erase_if(reading.messages, [&](const Message& message) { return !message.complete && reading.status == 0; });
  return reading;
}

void expect_same(const Sample& sample) {
  SCOPED_TRACE(sample.name);
  const std::string_view bytes = sample.bytes;
  const Reading whole = answered(read_whole(bytes));
  EXPECT_EQ(through_session({bytes}), whole);
  EXPECT_EQ(through_session(single_bytes(bytes)), whole) << "byte by byte";
  constexpr std::size_t short_enough = 1000;
  for (std::size_t cut = 1; bytes.size() <= short_enough && cut < bytes.size(); ++cut) {
    EXPECT_EQ(through_session({bytes.substr(0, cut), bytes.substr(cut)}), whole) << "cut after " << cut << " bytes";
  }
  std::mt19937 random(20261127);
  for (int round = 0; round < 5; ++round)
    EXPECT_EQ(through_session(random_pieces(bytes, random)), whole) << "random cuts, round " << round;
}

TEST(SessionCorpus, ValidRequestsAreWhatTheParserMakesOfThem) {
  for (const Sample& sample : load_corpus("valid")) expect_same(sample);
}

TEST(SessionCorpus, InvalidRequestsAreRefusedAsTheParserRefusesThem) {
  for (const Sample& sample : load_corpus("invalid")) expect_same(sample);
}

TEST(SessionCorpus, PipelinedRequestsAreAnsweredOneAfterAnother) {
  const std::string get = "GET /before HTTP/1.1\r\nHost: a.example\r\n\r\n";
  for (const Sample& sample : load_corpus("valid")) {
    if (sample.bytes.size() > 120) continue;
    expect_same({sample.name + " after a GET", get + sample.bytes, 0});
  }
}

}  // namespace
}  // namespace serval::http1::test
