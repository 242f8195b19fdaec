#include "mold/mold.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "app/build_id.hpp"
#include "app/host_metrics.hpp"
#include "base/exit_code.hpp"
#include "base/log.hpp"
#include "base/overloaded.hpp"
#include "ipc/channel.hpp"
#include "ipc/heritage.hpp"
#include "ipc/messages.hpp"
#include "metrics/board.hpp"
#include "mold/prepare.hpp"
#include "mold/task_process.hpp"
#include "mold/worker_process.hpp"
#include "os/fd_watch.hpp"
#include "os/fork.hpp"
#include "os/own_fds.hpp"
#include "os/process_claim.hpp"
#include "os/process_title.hpp"
#include "os/signals.hpp"
#include "os/systemd.hpp"

namespace serval::mold {
namespace {

/// Puts what is inherited among serval's own descriptors, out of the app's way. Close-on-exec: the exec had to let them
/// through, but what the app starts must not get them.
void keep_apart(ipc::Heritage& heritage) {
  const auto keep = [](int& fd) {
    if (fd > STDERR_FILENO) {
      fd = os::among_own(fd);
      ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    } else if (const int copy = fd < 0 ? -1 : ::fcntl(fd, F_DUPFD_CLOEXEC, os::first_own_fd()); copy >= 0) {
      fd = copy;  // a log on standard error or output: those are the app's, which may close them
    }
  };
  for (int* fd :
       {&heritage.orders_fd, &heritage.reports_fd, &heritage.life_fd, &heritage.scoreboard_fd, &heritage.log_fd,
        &heritage.access_fd, &heritage.lobby_entry_fd, &heritage.lobby_exit_fd, &heritage.spans_fd}) {
    keep(*fd);
  }
  for (ipc::Listener& listener : heritage.listeners) keep(listener.fd);
}

void watch(os::FdWatch& fds, const ipc::Heritage& heritage) {
  fds.add(heritage.orders_fd, "channel from the master");
  fds.add(heritage.reports_fd, "channel to the master");
  fds.add(heritage.life_fd, "life line of the master");
  fds.add(heritage.scoreboard_fd, "scoreboard");
  fds.add(heritage.log_fd, "log");
  fds.add(heritage.access_fd, "access log");
  fds.add(heritage.lobby_entry_fd, "lobby");
  fds.add(heritage.lobby_exit_fd, "lobby");
  fds.add(heritage.spans_fd, "spans");
  for (const ipc::Listener& listener : heritage.listeners) fds.add(listener.fd, "listener " + listener.address);
}

/// What the app did to descriptors while it loaded. That it closes its standard ones is its right.
Result<void> check_fds(const os::FdWatch& fds) {
  if (!os::fill_standard_fds())
    log::info("the app has closed its standard input, output or error: they are /dev/null from here on");
  const auto lost = fds.lost();
  if (!lost) return {};
  return Error{lost->text()};
}

bool master_gone(int life_fd) {
  pollfd life = {life_fd, POLLIN, 0};
  return ::poll(&life, 1, 0) > 0;
}

/// The pipe to a master that does not get a CPU gets full, and each of these messages is waited for: so is the room for
/// it, as long as the master lives. False: it does not, or the channel is none any more.
bool say(ipc::Channel& channel, const ipc::Heritage& heritage, const ipc::FromMold& message) {
  ipc::Packet packet = ipc::encode(message);
  packet.generation = heritage.generation;
  while (!channel.send(packet)) {
    if (errno != EAGAIN) return false;
    pollfd fds[] = {{channel.out_fd(), POLLOUT, 0}, {heritage.life_fd, POLLIN, 0}};
    if (::poll(fds, 2, -1) > 0 && fds[1].revents != 0) return false;
  }
  return true;
}

class Mold {
 public:
  struct Parts {
    std::unique_ptr<app::App> app;
    scoreboard::Memory scoreboard;
    metrics::Board& metrics;
    ipc::Channel channel;
  };
  Mold(const ipc::Heritage& heritage, Parts parts)
      : heritage_(heritage),
        app_(std::move(parts.app)),
        scoreboard_(std::move(parts.scoreboard)),
        metrics_(parts.metrics),
        channel_(std::move(parts.channel)) {}

  /// Until the master is gone or does not want us any more. Our copies of the listeners are closed then: the app may
  /// take its time to go, and with no worker to accept it a client would wait for that.
  void serve() {
    while (wait()) {
    }
    for (const ipc::Listener& listener : heritage_.listeners) ::close(listener.fd);
  }

 private:
  /// False: that is all.
  bool wait() {
    pollfd fds[] = {{channel_.in_fd(), POLLIN, 0}, {heritage_.life_fd, POLLIN, 0}};
    if (::poll(fds, 2, -1) < 0) return true;  // EINTR: a signal that the app handles
    if (fds[1].revents != 0) return false;
    return fds[0].revents == 0 || handle_messages();
  }

  /// False if the channel is closed.
  bool handle_messages() {
    for (;;) {
      ipc::Channel::Received received;
      switch (channel_.receive(received)) {
        case ipc::Channel::State::empty: return true;
        case ipc::Channel::State::closed: return false;
        case ipc::Channel::State::malformed: continue;
        case ipc::Channel::State::received: break;
      }
      handle_message(std::move(received));
    }
  }

  void handle_message(ipc::Channel::Received received) {
    const auto message = ipc::decode<ipc::ToMold>(received.packet);
    if (!message) return log::warning("unexpected message from the master", {{"kind", received.packet.tag}});
    std::visit(Overloaded{
                   [&](const ipc::Fork& fork) { fork_worker(fork, std::move(received.fds)); },
                   [&](const ipc::Reopen&) { reopen_logs(received.fds); },
                   [&](const ipc::ForkTask& fork) { fork_task(fork, std::move(received.fds)); },
               },
               *message);
  }

  void fork_worker(const ipc::Fork& request, std::vector<UniqueFd> fds) {
    const auto pid = fork_into(request, std::move(fds));
    say(channel_, heritage_,
        pid ? ipc::FromMold{ipc::Forked{request.slot, *pid}} : ipc::ForkFailed{request.slot, pid.error()});
  }

  Result<pid_t> fork_into(const ipc::Fork& request, std::vector<UniqueFd> fds) {
    if (fds.size() != 2 && fds.size() != 4)
      return Error{"the request to fork came without its descriptors: too many open files?"};
    if (const auto alone = only_one_thread(); !alone)
      return Error{alone.error()};  // a timer of the app may have started one since
    ForkRequest wanted;
    wanted.slot = request.slot;
    wanted.known_as = request.known_as;
    wanted.max_requests = request.max_requests;
    wanted.pause = request.pause;
    wanted.channel =
        ipc::Channel(ipc::Channel::End::app, os::among_own(std::move(fds[0])), os::among_own(std::move(fds[1])));
    if (fds.size() == 4) {
      wanted.output = std::move(fds[2]);
      wanted.error = std::move(fds[3]);
    }
    std::fflush(nullptr);  // else the worker would write the mold's buffered output once more
    return os::fork_sibling([&]() noexcept {
      // Before the scoreboard says that there is a worker: its gauges would be those of the one before it.
      metrics_.take_seat(wanted.slot);
      return run_worker(heritage_, *app_, scoreboard_, std::move(channel_), std::move(wanted));
    });
  }

  void fork_task(const ipc::ForkTask& request, std::vector<UniqueFd> fds) {
    const auto pid = fork_task_into(std::move(fds));
    say(channel_, heritage_,
        pid ? ipc::FromMold{ipc::TaskForked{request.id, *pid}} : ipc::TaskForkFailed{request.id, pid.error()});
  }

  Result<pid_t> fork_task_into(std::vector<UniqueFd> fds) {
    if (fds.size() < 2) return Error{"the request to fork came without its descriptors: too many open files?"};
    if (const auto alone = only_one_thread(); !alone) return Error{alone.error()};
    std::fflush(nullptr);
    return os::fork_sibling(
        [&]() noexcept { return run_task(heritage_, *app_, scoreboard_, std::move(channel_), std::move(fds)); });
  }

  void reopen_logs(const std::vector<UniqueFd>& fds) {
    std::size_t next = 0;
    const auto take = [&](const std::string& setting) {
      return config::names_file(setting) && next < fds.size() ? fds[next++].get() : -1;
    };
    if (const int fd = take(heritage_.config.log.file); fd >= 0) log::reopen(fd);
    if (const int fd = take(heritage_.config.log.access); fd >= 0) ::dup3(fd, heritage_.access_fd, O_CLOEXEC);
    say(channel_, heritage_, ipc::Reopened{});
  }

  const ipc::Heritage& heritage_;
  std::unique_ptr<app::App> app_;
  scoreboard::Memory scoreboard_;
  metrics::Board& metrics_;
  ipc::Channel channel_;
};

/// The names, in as many messages as they take.
void say_tasks(ipc::Channel& channel, const ipc::Heritage& heritage, const std::vector<std::string>& tasks) {
  constexpr std::size_t kMaxText = sizeof(ipc::Packet::text);
  std::string lines;
  const auto flush = [&] {
    if (!lines.empty()) say(channel, heritage, ipc::Registers{std::exchange(lines, {})});
  };
  for (const std::string& task : tasks) {
    if (lines.size() + task.size() + 1 > kMaxText) flush();
    lines += task + '\n';
  }
  flush();
}

/// Loading an app only to see whether it loads needs none.
Result<scoreboard::Memory> map_scoreboard(const ipc::Heritage& heritage) {
  return heritage.scoreboard_fd >= 0 ? scoreboard::Memory::map(heritage.scoreboard_fd)
                                     : scoreboard::Memory::create({.slots = 1, .rows = 1});
}

/// Without a server's file for them they are declared all the same, so that an app which cannot be loaded fails
/// wherever it is tried. A file that an earlier generation has scribbled over costs its figures, and no reload.
Result<metrics::Memory> map_app_metrics(int fd) {
  const UniqueFd file(fd);  // the mapping is enough, also for the workers
  if (!file) return metrics::Memory::make_own();
  auto memory = metrics::Memory::map(file.get());
  if (memory) return memory;
  log::error("the app's own metrics are not counted", {{"why", memory.error()}});
  return metrics::Memory::make_own();
}

}  // namespace

int run(int heritage_fd) {
  os::claim_process();
  os::react_as(os::Process::mold);
  os::forget_service_manager();
  auto heritage = ipc::read_heritage(heritage_fd);
  if (!heritage) {
    std::fprintf(stderr, "serval: mold: %s\n", heritage.error().c_str());
    return exit_code::internal;
  }
  ::close(heritage_fd);
  os::fill_standard_fds();
  keep_apart(*heritage);
  keep_socket_numbers(heritage->task_sockets);
  os::FdWatch fds;
  watch(fds, *heritage);
  // It is a pipe to the master; the app's lines are wanted when they are written.
  ::setvbuf(stdout, nullptr, _IOLBF, 0);
  log::start(ipc::log_settings(heritage->config.log, heritage->log_fd), "mold", heritage->generation);
  os::set_title("serval: mold gen=" + std::to_string(heritage->generation) + " " + heritage->config.server.name);

  ipc::Channel channel(ipc::Channel::End::app, UniqueFd(heritage->orders_fd), UniqueFd(heritage->reports_fd));
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a preload may hang; no process would be left to kill it
  auto scoreboard = map_scoreboard(*heritage);
  auto app_metrics = map_app_metrics(std::exchange(heritage->app_metrics_fd, -1));
  std::optional<metrics::Board> board;
  if (app_metrics) {
    board.emplace(std::move(*app_metrics), heritage->generation);
    app::count_on(&*board);
  }
  const bool mapped = scoreboard && app_metrics;
  auto app = mapped ? prepare(*heritage) : Error{scoreboard ? app_metrics.error() : scoreboard.error()};
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // once more: dropping privileges clears it (prctl(2))
  if (const auto untouched = check_fds(fds); !untouched) {
    app = Error{untouched.error()};
  } else if (master_gone(heritage->life_fd)) {
    return exit_code::ok;
  }
  if (!app) {
    const bool told = say(channel, *heritage, ipc::LoadFailed{app.error()});
    // The channel itself, and the log, are what the app has closed.
    if (!told) std::fprintf(stderr, "serval: mold: %s\n", app.error().c_str());
    return exit_code::app_failed;
  }
  say_tasks(channel, *heritage, (*app)->tasks());
  say(channel, *heritage, ipc::Loaded{app::build_id(heritage->config.app.library)});
  board->close();
  Mold(*heritage, {std::move(*app), std::move(*scoreboard), *board, std::move(channel)}).serve();
  log::finish();
  return exit_code::ok;
}

}  // namespace serval::mold
