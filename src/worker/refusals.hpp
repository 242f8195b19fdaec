#pragma once

#include <boost/asio/io_context.hpp>

#include <string>

#include "http/access_log.hpp"
#include "worker/flood_line.hpp"

namespace serval::worker {

/// The log's word on requests that were refused: the latest one, and how many there were. Clients cause them, so it is
/// `info`, and folded; the access log has each of them. Loop only.
class Refusals {
 public:
  explicit Refusals(boost::asio::io_context& io) : line_(io, [this](std::uint64_t count) { return say(count); }) {}

  void add(const http::AccessRecord& record);
  void finish() { line_.finish(); }

 private:
  bool say(std::uint64_t count) const;

  std::string peer_, reason_, received_;
  int status_ = 0;
  FloodLine line_;
};

/// What a log shows of the bytes of a refused request: its first line, as far as it came, and at most 100 bytes. What
/// follows may be secret.
std::string_view shown_of(std::string_view received);

}  // namespace serval::worker
