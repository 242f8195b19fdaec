#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "master/watch.hpp"
#include "os/unique_fd.hpp"
#include "stack/capture.hpp"

namespace serval::master {

/// Has stacks named by a process that is thrown away (`serval stack FD`, stack/names.hpp), so that the master neither
/// waits nor reads what an app's files say about themselves. One such process at a time; what waits meanwhile and has
/// the same mappings goes to the next one together.
class StackNames {
 public:
  static constexpr Duration kNamingTimeout{10'000};
  static constexpr std::size_t kMaxWaiting = 64;

  /// `program`: serval's own path. The io_context outlives this; destroying this kills the process that was asked, and
  /// makes no calls.
  StackNames(boost::asio::io_context& io, std::string program, Duration patience = kNamingTimeout);
  StackNames(const StackNames&) = delete;
  StackNames& operator=(const StackNames&) = delete;
  ~StackNames();

  /// The frames' texts, as many as there were frames.
  using Done = std::function<void(std::vector<std::string> frames)>;

  /// `layout`: a live process with the address space that the frames came from (the worker itself, or the mold it was
  /// forked from); it may end right after this call. `done` is called exactly once, later, on the io_context: with
  /// names, or, if they cannot be had within the patience, if the process is gone, or if kMaxWaiting others wait
  /// already, with bare addresses "0x...". It may call name().
  void name(pid_t layout, const stack::Frames& frames, Done done);

  /// Names are being waited for.
  bool busy() const { return namer_ != nullptr || !waiting_.empty() || !answered_.empty(); }

  /// Calls every outstanding `done` now, with bare addresses, and kills the process that was asked. For the end of the
  /// master.
  void give_up();

 private:
  struct Layout {
    std::string maps;  ///< empty: the process is gone
    uid_t uid = 0;     ///< the process's user
    gid_t gid = 0;
    bool operator==(const Layout&) const = default;
  };
  using SharedLayout = std::shared_ptr<const Layout>;
  SharedLayout layout_of(pid_t pid);
  static std::string_view maps_of(const SharedLayout& layout) {
    return layout == nullptr ? std::string_view() : std::string_view(layout->maps);
  }
  struct Asked {
    SharedLayout layout;
    std::vector<std::uint64_t> stack;
    Done done;
    TimePoint deadline;
  };
  /// The process that has been asked.
  struct Namer {
    pid_t pid = 0;
    UniqueFd answer_fd;
    std::string answer;
    std::vector<Asked> asked;
    std::optional<Watch> watch;
  };

  void start_next();
  Result<pid_t> start(Namer& namer);
  void read_answer();
  void finish(std::vector<std::vector<std::string>> names);
  void fail(const std::string& why);
  void kill_namer();
  void answer_later(Asked asked, std::vector<std::string> frames);
  void deliver();
  void arm_timer();
  void on_deadline();

  boost::asio::io_context& io_;
  /// The last one that was read. Reading one takes the longer the more files an app maps, and an app may ask over and
  /// over: by crashes and timeouts that it makes up.
  struct LastRead {
    pid_t pid = 0;
    TimePoint until = TimePoint::min();
    SharedLayout layout;
  };
  LastRead last_read_;
  std::string program_;
  Duration patience_;
  std::deque<Asked> waiting_;   ///< the oldest first, and so by deadline
  std::unique_ptr<Namer> namer_;
  std::vector<std::function<void()>> answered_;  ///< calls of `done` that are due
  boost::asio::steady_timer timer_;
  std::shared_ptr<StackNames*> self_;  ///< what is on its way through the io_context sees by this that we are gone
};

}  // namespace serval::master
