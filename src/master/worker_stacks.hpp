#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "ipc/messages.hpp"
#include "master/stack_names.hpp"
#include "scoreboard/reader.hpp"

namespace serval::master {

/// `serval stacks`: asks workers where their threads are, has what they say named, and puts each thread's request
/// beside it. A worker that does not answer within kAnswerTimeout is shown as far as one can see it from outside. What
/// workers say is bounded, and dropped unless it was asked for.
class WorkerStacks {
 public:
  static constexpr Duration kAnswerTimeout{2'000};

  struct Worker {
    int slot;      ///< its seat
    int known_as;  ///< the slot's number for users
    int generation;
    pid_t pid;
  };
  struct Hooks {
    std::function<bool(const Worker&, const ipc::ToWorker&)> send;  ///< false: it takes no message
    /// A live process with the worker's address space: itself, or its mold; 0: none.
    std::function<pid_t(const Worker&)> layout;
  };
  /// Borrows all; one thread, that of the io_context.
  WorkerStacks(boost::asio::io_context& io, StackNames& names, const scoreboard::Memory& scoreboard, Hooks hooks);

  /// `done` is called once, later, unless this is destroyed before:
  /// ```
  /// workers [{slot, pid, generation, silent: null or why it says nothing itself,
  ///           threads [{thread, loop: it runs the I/O loop, state: as ps(1) has it, or null,
  ///                     request: null or {method, target, request_id, age_ms}, frames [text, innermost first]}]}]
  /// ```
  using Done = std::function<void(boost::json::object)>;
  void ask(const std::vector<Worker>& workers, Done done);

  void on_report(int slot, pid_t pid, const ipc::Stack& message);
  void on_end(int slot, pid_t pid, const ipc::StacksEnd& message);
  void on_exit(int slot, pid_t pid);

 private:
  struct Thread {
    stack::Frames frames;
    bool loop = false;
    char state = 0;  ///< 0: unknown
    std::optional<scoreboard::RequestInProgress> request;
    std::vector<std::string> names;
  };
  struct Asked {
    Worker worker;
    bool waited_for = true;
    std::string silent;
    std::vector<scoreboard::RequestInProgress> requests;  ///< when it began to answer
    std::vector<Thread> threads;
  };
  /// Where threads of a worker are, most often many idle ones; named once.
  struct Place {
    std::size_t worker;
    std::vector<std::size_t> threads;
  };
  struct Question {
    Question(boost::asio::io_context& io, Done then) : done(std::move(then)), timer(io) {}
    std::vector<Asked> workers;
    Done done;
    boost::asio::steady_timer timer;
    std::vector<Place> to_name;  ///< the last is next
    int being_named = 0;
    TimePoint asked = Clock::now();
  };
  using Shared = std::shared_ptr<Question>;

  Asked* find(int slot, pid_t pid, std::uint32_t number);
  void settle_if_all_have_spoken(std::uint32_t number);
  void settle(std::uint32_t number);
  void look_from_outside(Asked& asked) const;
  Thread thread_of(const Asked& asked, pid_t thread) const;
  void name_some(const Shared& question);

  boost::asio::io_context& io_;
  StackNames& names_;
  const scoreboard::Memory& scoreboard_;
  Hooks hooks_;
  std::uint32_t last_number_ = 0;
  std::map<std::uint32_t, Shared> questions_;  ///< that workers may still answer
  std::map<pid_t, int> unanswered_;            ///< questions in a worker's channel
};

}  // namespace serval::master
