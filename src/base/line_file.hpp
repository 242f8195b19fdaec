#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace serval {

/// A descriptor to which whole lines are appended, one write(2) per call, shared by many processes without mixing
/// lines. Never blocks for long and never fails towards the caller: what cannot be written is counted as dropped.
/// Pipes: batches are cut at line ends into pieces of at most PIPE_BUF bytes (pipe(7): such writes are atomic) and a
/// full pipe drops. A longer line goes out in one write, which Linux keeps together while the pipe has room for it.
/// Sockets (journald): sent with MSG_DONTWAIT. Files: a batch goes out in one write. Terminals: one that is behind gets
/// a tenth of a second to catch up, one that is stopped (Ctrl-S) drops; `stty tostop` does not stop us (SIGTTOU). After
/// a short write (disk full) the rest is dropped, and what comes next starts on a line of its own: files are never
/// truncated, since others append to them. A reader that went away is no SIGPIPE for us. Thread-safe.
class LineFile {
 public:
  /// Borrows `fd`, which must outlive this.
  explicit LineFile(int fd);
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  /// `lines` holds one or more whole lines, each with its '\n'.
  void write(std::string_view lines);
  /// dup2(new_fd) over our descriptor, between two writes; what follows goes to the new file. The number of the
  /// descriptor stays, and so does its close-on-exec flag. `new_fd` stays the caller's.
  void reopen(int new_fd);
  /// Lines lost since the last call; the owner says so in the log.
  std::uint64_t take_dropped();
  /// Why the latest was lost: "its reader does not keep up".
  std::string why_dropped();

 private:
  enum class Kind { file, pipe, socket, terminal, other };

  void look_at_descriptor();
  void leave_descriptor();
  std::string_view next_piece(std::string_view lines) const;
  std::size_t put(std::string_view piece);
  std::size_t put_to_pipe(std::string_view piece);
  std::size_t put_to_terminal(std::string_view piece);
  std::size_t put_to_other(std::string_view piece);
  int unblocked_fd() const { return own_fd_ >= 0 ? own_fd_ : fd_; }
  template <class Call>
  std::size_t once(Call call);
  std::size_t put_on_new_line(std::string_view piece);
  bool stands_inside_line() const;

  std::mutex mutex_;
  int fd_;
  Kind kind_ = Kind::other;
  /// Pipes and terminals: opened anew and owned by us, so that O_NONBLOCK concerns no other process; -1 where fd_ has
  /// it already, or where that is not allowed.
  int own_fd_ = -1;
  bool unblocked_ = false;  ///< unblocked_fd() never waits
  bool cut_ = false;     ///< we left a line without its end
  bool failed_ = false;  ///< the last write lost something
  int error_ = 0;        ///< of the last call that took less than it was given
  std::uint64_t dropped_ = 0;
  int dropped_error_ = 0;
};

}  // namespace serval
