#pragma once

#include <cstring>
#include <memory>
#include <string_view>

#include "base/check.hpp"

namespace serval {

/// Bytes read from a client and not consumed yet, in one piece of memory. Consumed bytes stay where they are until make_room() or clear():
/// a request head's views point to them.
class InputBuffer {
 public:
  std::string_view unread() const { return {data_.get() + begin_, end_ - begin_}; }
  /// Consumed bytes count: where the next unread byte is, and what there is from such a place on.
  std::size_t position() const { return begin_; }
  std::string_view since(std::size_t position) const { return {data_.get() + position, end_ - position}; }
  void consume(std::size_t count) { begin_ += count; }
  void commit(std::size_t count) { end_ += count; }

  char* free_space() { return data_.get() + end_; }
  std::size_t free_size() const { return capacity_ - end_; }
  std::size_t capacity() const { return capacity_; }

  /// Free space of at least one byte: drops consumed bytes, then doubles the memory, `least` at first. Moves what is unread: no view survives.
  void make_room(std::size_t least) {
    if (begin_ > 0) {
      std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ < capacity_) return;
    const std::size_t capacity = capacity_ == 0 ? least : capacity_ * 2;
    std::unique_ptr<char[]> data(new char[capacity]);  // make_unique would write it all
    if (end_ > 0) std::memcpy(data.get(), data_.get(), end_);
    data_ = std::move(data);
    capacity_ = capacity;
  }

  /// Puts bytes into an empty buffer.
  void assign(std::string_view bytes, std::size_t least) {
    SERVAL_CHECK(begin_ == end_);
    begin_ = end_ = 0;
    while (free_size() < bytes.size()) grow(std::max(least, bytes.size()));
    bytes.copy(data_.get(), bytes.size());
    end_ = bytes.size();
  }

  /// Forgets everything; gives the memory back if it is more than `keep`.
  void clear(std::size_t keep) {
    begin_ = end_ = 0;
    if (capacity_ <= keep) return;
    data_.reset();
    capacity_ = 0;
  }

 private:
  void grow(std::size_t capacity) {
    data_.reset(new char[capacity]);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace serval
