#include "server/request_body.hpp"

namespace serval::server {

void RequestBody::add(std::string_view piece, std::size_t spill) {
  size_ += piece.size();
  if (size_ == piece.size()) {
    in_place_ = piece;
    return;
  }
  keep(spill);
  spool_.append(piece, spill);
}

void RequestBody::keep(std::size_t spill) {
  if (in_place_.empty()) return;
  spool_.append(in_place_, spill);
  in_place_ = {};
}

void RequestBody::reset() {
  spool_.reset();
  in_place_ = {};
  size_ = 0;
}

}  // namespace serval::server
