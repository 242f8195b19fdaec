#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/body_spool.hpp"

namespace serval::server {

/// A request's body: where it was read to, if it came in one piece and lies there still, else in a spool. Loop only,
/// until it is complete.
class RequestBody {
 public:
  /// `listener` outlives it; null: none.
  explicit RequestBody(BodyTroubleListener* listener = nullptr) : spool_(listener) {}

  /// `piece` stays where it is until keep(). What is beyond `spill` bytes in all goes to a file.
  void add(std::string_view piece, std::size_t spill);
  /// The first piece does not stay.
  void keep(std::size_t spill);

  std::uint64_t size() const { return size_; }
  /// The whole body; valid until reset(). Not intact() if a spilled one cannot be mapped.
  std::string_view view() { return in_place_.empty() ? spool_.view() : in_place_; }
  /// The spilled body's file; -1: it is in memory.
  int fd() const { return spool_.fd(); }
  /// False once a byte could not be stored.
  bool intact() const { return spool_.intact(); }
  void reset();

 private:
  BodySpool spool_;
  std::string_view in_place_;
  std::uint64_t size_ = 0;
};

}  // namespace serval::server
