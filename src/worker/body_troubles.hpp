#pragma once

#include <boost/asio/io_context.hpp>

#include <array>
#include <cstdint>

#include "server/body_trouble.hpp"
#include "worker/flood_line.hpp"

namespace serval::worker {

/// The log's word on request bodies that a full disk or a missing folder keeps out of their temporary files: for each
/// kind the latest error, and how many there were. Loop only.
class BodyTroubles {
 public:
  using Kind = server::BodyTrouble;

  explicit BodyTroubles(boost::asio::io_context& io);

  void add(Kind kind, int error);
  void finish();

 private:
  bool say(Kind kind, std::uint64_t count) const;

  static constexpr std::size_t kKinds = 3;
  std::array<FloodLine, kKinds> lines_;
  std::array<int, kKinds> errors_{};
};

}  // namespace serval::worker
