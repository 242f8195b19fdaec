#include "base/output_queue.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace serval {

void OutputQueue::begin_piece() {
  if (end_ == pieces_.size()) pieces_.emplace_back();
  ++end_;
}

std::string& OutputQueue::own() {
  if (first_ == end_ || !pieces_[end_ - 1].lent.empty()) begin_piece();
  return pieces_[end_ - 1].own;
}

void OutputQueue::lend(std::string_view bytes, const Release& release) {
  if (bytes.empty()) return release();
  if (first_ == end_ || !pieces_[end_ - 1].lent.empty()) begin_piece();
  pieces_[end_ - 1].lent = bytes;
  pieces_[end_ - 1].release = release;
}

void OutputQueue::append(OutputQueue& other) {
  for (std::size_t at = other.first_; at < other.end_; ++at) {
    if (end_ == pieces_.size()) pieces_.emplace_back();
    std::swap(pieces_[end_++], other.pieces_[at]);
  }
  other.first_ = other.end_ = 0;
}

std::size_t OutputQueue::size() const {
  std::size_t size = 0;
  for (std::size_t at = first_; at < end_; ++at) size += pieces_[at].size();
  return size - sent_;
}

std::string_view OutputQueue::only() const {
  if (end_ - first_ != 1 || !pieces_[first_].lent.empty()) return {};
  return std::string_view(pieces_[first_].own).substr(sent_);
}

std::span<const iovec> OutputQueue::front(std::span<iovec> room) const {
  std::size_t count = 0;
  std::size_t skip = sent_;
  const auto add = [&](std::string_view bytes) {
    const std::size_t skipped = std::min(skip, bytes.size());
    skip -= skipped;
    bytes.remove_prefix(skipped);
    if (!bytes.empty() && count < room.size()) room[count++] = {const_cast<char*>(bytes.data()), bytes.size()};
  };
  for (std::size_t at = first_; at < end_ && count < room.size(); ++at) {
    add(pieces_[at].own);
    add(pieces_[at].lent);
  }
  return room.first(count);
}

void OutputQueue::consume(std::size_t count) {
  sent_ += count;
  while (first_ < end_ && sent_ >= pieces_[first_].size()) {
    sent_ -= pieces_[first_].size();
    empty_piece(pieces_[first_++]);
  }
  SERVAL_CHECK(first_ < end_ || sent_ == 0);
  if (first_ == end_) start_over();
}

void OutputQueue::empty_piece(Piece& piece) {
  if (!piece.lent.empty()) {
    piece.lent = {};
    std::exchange(piece.release, {})();
  }
  piece.own.clear();
  if (piece.own.capacity() > kKept) piece.own.shrink_to_fit();
}

/// Nothing waits: only the memory of the first piece is worth keeping.
void OutputQueue::start_over() {
  first_ = end_ = sent_ = 0;
  if (pieces_.size() > 1) pieces_.resize(1);
}

void OutputQueue::drop_all() {
  for (; first_ < end_; ++first_) empty_piece(pieces_[first_]);
  start_over();
}

}  // namespace serval
