#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "http1/request_parser.hpp"

/// Plays the connection that owns a RequestParser, with the bytes cut in any way.
namespace serval::http1::test {

/// A request as it was understood, copied out of the buffers.
struct Message {
  std::string method, target, path, query, host;
  int minor_version = -1;
  std::vector<std::pair<std::string, std::string>> fields;
  bool keep_alive = false;
  bool expect_continue = false;
  std::string body;
  bool complete = false;

  bool operator==(const Message&) const = default;
};

struct Reading {
  std::vector<Message> messages;
  int status = 0;  ///< of the refusal; 0: none
  std::string reason;

  bool operator==(const Reading&) const = default;
  int answered() const {
    int count = 0;
    for (const Message& message : messages) count += message.complete ? 1 : 0;
    return count;
  }
};

inline void PrintTo(const Reading& reading, std::ostream* out) {
  *out << "refused with " << reading.status << " (" << reading.reason << ") after";
  for (const Message& m : reading.messages) {
    *out << "\n  " << m.method << ' ' << m.target.substr(0, 60) << " fields=" << m.fields.size()
         << " body=" << m.body.size();
    if (!m.complete) *out << " incomplete";
  }
}

inline Message copy_of(const http::Request& request, const Wire& wire) {
  Message message{.method = std::string(request.method),
                  .target = std::string(request.target),
                  .path = std::string(request.path),
                  .query = std::string(request.query),
                  .host = std::string(request.host),
                  .minor_version = request.version.minor,
                  .fields = {},
                  .keep_alive = wire.keep_alive,
                  .expect_continue = wire.expect_continue,
                  .body = {}};
  for (const http::Field& field : request.fields) message.fields.emplace_back(field.name, field.value);
  return message;
}

/// Bytes in a memory block of exactly their size, so that sanitizers see any look past them; small ones move with every
/// addition.
class Shown {
 public:
  std::string_view view() const { return std::string_view(*bytes_).substr(begin_); }
  void add(std::string_view piece) {
    constexpr std::size_t always_moved = 1024;
    if (view().size() >= always_moved) {
      bytes_->append(piece);
      return;
    }
    auto moved = std::make_shared<std::string>();
    moved->reserve(view().size() + piece.size());
    moved->append(view()).append(piece);
    bytes_ = std::move(moved);
    begin_ = 0;
  }
  void drop(std::size_t count) { begin_ += count; }
  /// Keeps the bytes where they are for as long as the result lives; what is added later goes elsewhere.
  std::shared_ptr<const std::string> hold() {
    auto held = bytes_;
    bytes_ = std::make_shared<std::string>(held->substr(begin_));
    begin_ = 0;
    return held;
  }

 private:
  std::shared_ptr<std::string> bytes_ = std::make_shared<std::string>();
  std::size_t begin_ = 0;
};

inline bool is_part_of(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

/// What becomes of the pieces, sent one after the other on one connection.
inline Reading read_pieces(const std::vector<std::string_view>& pieces, const http::Limits& limits = {}) {
  using Step = RequestParser::Step;
  Reading reading;
  RequestParser parser(limits);
  Shown shown;
  std::shared_ptr<const std::string> head_bytes;
  for (const std::string_view piece : pieces) {
    shown.add(piece);
    for (bool more = true; more;) {
      const std::string_view before = shown.view();
      const RequestParser::Result result = parser.next(before);
      if (result.consumed > before.size()) {
        ADD_FAILURE() << "consumed more than was shown";
        return reading;
      }
      EXPECT_TRUE(is_part_of(result.body, before)) << "the body is no view into the bytes shown";
      switch (result.step) {
        case Step::need_more:
          shown.drop(result.consumed);
          more = false;
          break;
        case Step::head:
          reading.messages.push_back(copy_of(parser.request(), parser.wire()));
          shown.drop(result.consumed);
          head_bytes = shown.hold();
          break;
        case Step::body:
          EXPECT_FALSE(result.body.empty());
          reading.messages.back().body.append(result.body);
          shown.drop(result.consumed);
          break;
        case Step::end: {
          shown.drop(result.consumed);
          Message again = copy_of(parser.request(), parser.wire());
          again.body = reading.messages.back().body;
          EXPECT_EQ(again, reading.messages.back()) << "the head has changed while the body was read";
          reading.messages.back().complete = true;
          if (!parser.wire().keep_alive) return reading;
          parser.reset();
          break;
        }
        case Step::refused:
          EXPECT_EQ(result.consumed, 0u);
          EXPECT_EQ(parser.next(shown.view()).step, Step::refused) << "a refusal is final";
          reading.status = parser.refusal().status;
          reading.reason = parser.refusal().reason;
          return reading;
      }
    }
  }
  return reading;
}

inline Reading read_whole(std::string_view bytes, const http::Limits& limits = {}) {
  return read_pieces({bytes}, limits);
}

inline std::vector<std::string_view> single_bytes(std::string_view bytes) {
  std::vector<std::string_view> pieces;
  for (std::size_t at = 0; at < bytes.size(); ++at) pieces.push_back(bytes.substr(at, 1));
  return pieces;
}

inline std::vector<std::string_view> lines(std::string_view bytes) {
  std::vector<std::string_view> pieces;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size() - 1) + 1;
    pieces.push_back(bytes.substr(0, end));
    bytes.remove_prefix(end);
  }
  return pieces;
}

inline std::vector<std::string_view> random_pieces(std::string_view bytes, std::mt19937& random) {
  std::vector<std::string_view> pieces;
  const std::size_t longest = std::uniform_int_distribution<std::size_t>(1, 40)(random);
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.size(), std::uniform_int_distribution<std::size_t>(1, longest)(random));
    pieces.push_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return pieces;
}

/// One file of tests/corpus.
struct Sample {
  std::string name;
  std::string bytes;
  int expected = 0;
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// `kind` is "valid" or "invalid".
inline std::vector<Sample> load_corpus(const std::string& kind) {
  std::vector<Sample> samples;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(SERVAL_CORPUS) / kind)) {
    if (entry.path().extension() != ".http") continue;
    std::filesystem::path expectation = entry.path();
    expectation.replace_extension(".expect");
    samples.push_back({entry.path().stem().string(), read_file(entry.path()), std::stoi(read_file(expectation))});
  }
  return samples;
}

}  // namespace serval::http1::test
