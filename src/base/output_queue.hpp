#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace serval {

/// How lent memory is given back: `release(context)`, once, on whichever thread is done with it. It may be foreign code, which `call` knows how to call.
struct Release {
  void (*release)(void* context) = nullptr;  ///< null: nothing is to be done
  void* context = nullptr;
  void (*call)(void (*release)(void*), void* context) noexcept = nullptr;  ///< null: directly

  void operator()() const noexcept {
    if (release == nullptr) return;
    call != nullptr ? call(release, context) : release(context);
  }
};

/// Bytes on their way to a client, in order: some written into the queue, some lent to it. Pure data, used by one thread at a time.
/// Reused: a drained queue keeps the memory of its first piece, up to kKept bytes, so that the usual answer allocates nothing.
class OutputQueue {
 public:
  static constexpr std::size_t kKept = 64 * 1024;

  OutputQueue() = default;
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;
  ~OutputQueue() { clear(); }

  /// Append something here; what was lent before goes out first. Valid until the next call of any other function.
  std::string& own();
  /// `bytes` stay where they are until all of them have been consumed, or the queue is cleared.
  void lend(std::string_view bytes, const Release& release);
  /// All that `other` has goes out after what is here; `other` is empty then. Cheap if this queue is empty.
  void take(OutputQueue& other) { first_ == end_ ? swap(other) : append(other); }

  /// Bytes that wait.
  std::size_t size() const;
  bool empty() const { return first_ == end_; }
  /// All that waits, if that lies in one place; else empty. Valid as long as nothing else is called, as is the next.
  std::string_view only() const;
  /// The first bytes that wait, as far as `room` goes: for writev(2).
  std::span<const iovec> front(std::span<iovec> room) const;
  /// The first `count` bytes are gone.
  void consume(std::size_t count);
  /// Drops what waits.
  void clear() {
    if (first_ != end_) drop_all();
  }
  void swap(OutputQueue& other) noexcept {
    pieces_.swap(other.pieces_);
    std::swap(first_, other.first_);
    std::swap(end_, other.end_);
    std::swap(sent_, other.sent_);
  }

 private:
  struct Piece {
    std::string own;
    std::string_view lent;  ///< goes out after `own`
    Release release;

    std::size_t size() const { return own.size() + lent.size(); }
  };
  void append(OutputQueue& other);
  void drop_all();
  void begin_piece();
  void empty_piece(Piece& piece);
  void start_over();

  std::vector<Piece> pieces_;  ///< those before first_ and from end_ on are empty, and kept for their memory
  std::size_t first_ = 0;
  std::size_t end_ = 0;
  std::size_t sent_ = 0;       ///< of the first piece
};

}  // namespace serval
