#include "worker/service.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "http/ascii.hpp"
#include "ipc/reports.hpp"
#include "os/own_fds.hpp"
#include "os/process_memory.hpp"
#include "stack/capture.hpp"
#include "worker/room.hpp"

namespace serval::worker {

namespace {

/// Exchanges kept for reuse; as many as requests are usually under way at a time.
constexpr std::size_t kSpareExchanges = 64;
/// A worker that has had no descriptor for a newcomer for so long, nor an idle connection to close for one, will not
/// get any better.
constexpr auto kStarvedPatience = std::chrono::seconds(10);
/// A strained loop gives one of so many connections away at a time.
constexpr int kShedShare = 16;

http::Limits limits_of(const config::Request& request) {
  return {.max_header = request.max_header,
          .max_headers = static_cast<std::size_t>(request.max_headers),
          .max_target = request.max_target,
          .max_body = request.max_body};
}

}  // namespace

Service::Service(boost::asio::io_context& io_context, Setting setting)
    : config(setting.config),
      app(setting.app),
      known_as(setting.known_as),
      pid(::getpid()),
      limits(limits_of(config.request)),
      io(io_context),
      board(setting.scoreboard, setting.slot),
      crew(io_context, config.workers.threads, config.workers.queue,
           {.thread_starts = stack::enlist_thread, .has_loop = [this] { beat(); }, .on_strain = [this](bool strained) { on_strain(strained); },
            .look_around = [this](bool surely) { surely ? own_fds.look() : own_fds.look_now_and_then(); },
            .on_queue = [this] { board.set_waiting(crew.waiting() + held_count_.load(std::memory_order_relaxed)); }}),
      stacks(io_context),
      departures(io_context, setting.lobby_entry_fd,
                 {.on_empty = [this] { tell_if_left(); }, .on_give_up = [this] {
                    log::warning("the lobby takes no connections, they are closed with their next answer", {{"connections", connections_.size()}});
                    say_goodbye();
                  }}),
      balance(io_context, crew, setting.scoreboard, setting.slot, config.workers.threads, [this] { on_crew_changed(); }),
      duty(setting.scoreboard, setting.slot, config.workers.threads, setting.cpus),
      refusals(io_context),
      strays(io_context, [](std::uint64_t count) {
        return log::write(log::Level::warning, "what came through the lobby is no connection, dropped", {{"count", count}});
      }),
      body_troubles(io_context),
      own_fds([this](const std::string& which) {
        const bool can_tell = which != OwnFds::kChannel;
        boost::asio::post(io, [this, which, can_tell] { on_unfit_("the app has touched a descriptor of serval's: " + which, can_tell); });
      }),
      is_trusted([networks = std::move(setting.trusted)](std::string_view address) {
        return std::any_of(networks.begin(), networks.end(), [&](const Network& network) { return network.contains(address); });
      }),
      tell_master_(std::move(setting.tell_master)),
      max_requests_(setting.max_requests),
      on_unfit_(std::move(setting.on_unfit)),
      fd_limit_(os::fd_limit()),
      crowded_from_(worker::crowded_from(fd_limit_)),
      reserve_(os::among_own(UniqueFd(::open("/", O_PATH | O_CLOEXEC)))),
      room_(io_context, [this](std::uint64_t count) {
        return log::write(log::Level::warning, "idle connections are closed to make room: raise the limit of open files",
                          {{"closed", count}, {"connections", connections_.size()}, {"limit", fd_limit_}});
      }),
      timeouts_(stacks, tell_master_),
      stack_reports_(io_context, stacks, tell_master_),
      chances_timer_(io_context),
      wheel_(Clock::now()),
      timer_(io_context),
      access_(io_context, setting.access_fd, std::move(setting.access_format)) {}

Service::~Service() {
  connections_.clear_and_dispose([](Connection* connection) { delete connection; });
}

void Service::adopt(UniqueFd fd, Peer peer) {
  board.count_connection();
  add(std::make_unique<Connection>(*this, std::move(fd), std::move(peer)));
}

/// Whoever accepted it has counted it.
void Service::adopt(UniqueFd fd, const ipc::Guest& guest, std::string_view unread) {
  Peer peer{.address = std::string(ipc::get_text(guest.peer)), .port = guest.port};
  add(std::make_unique<Connection>(*this, std::move(fd), std::move(peer), past_of(guest, Clock::now()), unread));
}

/// Some times a second, on a thread without the loop.
void Service::on_strain(bool strained) {
  board.set_strained(strained);
  if (strained && !draining() && departures.possible() && duty.can_share(Clock::now())) share_.store(true);
}

/// A few at a time: each of them may be the one that matters, and what became of it is seen at the next look.
bool Service::sheds() {
  if (share_.load(std::memory_order_relaxed)) {
    share_.store(false, std::memory_order_relaxed);
    const int count = static_cast<int>(connections_.size());
    to_shed_ = count < 2 ? 0 : std::max(1, count / kShedShare);  // the only one gains nothing elsewhere
  }
  if (to_shed_ == 0) return false;
  --to_shed_;
  return true;
}

void Service::add(std::unique_ptr<Connection> connection) {
  connections_.push_back(*connection);
  set_taking(0);
  connection.release()->start();  // owned by the list from here
}

void Service::remove(Connection& connection) {
  connections_.erase(connections_.iterator_to(connection));
  show_connections();
  // Its own functions are still on the stack.
  boost::asio::post(io, [this, gone = std::unique_ptr<Connection>(&connection)]() mutable {
    gone.reset();
    if (draining() && !reserve_) reserve_ = os::among_own(UniqueFd(::open("/", O_PATH | O_CLOEXEC)));
    check_finished();
  });
}

bool Service::first_dropped(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), http::ascii::lower);
  const std::lock_guard lock(dropped_mutex_);
  return dropped_names_.insert(std::move(lower)).second;
}

void Service::set_deadline(Connection& connection, TimePoint deadline) {
  wheel_.set(connection, deadline);
  if (deadline < armed_) arm(deadline);
}

void Service::arm(TimePoint at) {
  armed_ = at;
  timer_.expires_at(at + DeadlineWheel::kTick);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) on_timer();
  });
}

void Service::on_timer() {
  armed_ = TimePoint::max();
  wheel_.expire(Clock::now(), [](Deadlined& due) { static_cast<Connection&>(due).on_deadline(); });
  if (const auto next = wheel_.next(); next && *next < armed_) arm(*next);
}

std::unique_ptr<Exchange> Service::lend() {
  if (spare_.empty()) return std::make_unique<Exchange>(*this);
  std::unique_ptr<Exchange> exchange = std::move(spare_.back());
  spare_.pop_back();
  return exchange;
}

void Service::take_back(std::unique_ptr<Exchange> exchange) {
  exchange->reset();
  exchange->input.clear(0);
  exchange->body_input.clear(0);
  if (spare_.size() < kSpareExchanges) spare_.push_back(std::move(exchange));
  check_finished();
}

void Service::on_expired(const Exchange& exchange, TimePoint now) {
  timeouts_.add(exchange, now);
  chances_.add(&exchange, now);
  wait_for_chances();
}

void Service::wait_for_chances() {
  const auto next = chances_.next();
  if (!next) return;
  chances_timer_.expires_at(*next);
  chances_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) on_chances_over();
  });
}

void Service::on_chances_over() {
  for (int stuck = chances_.give_up(Clock::now()); stuck > 0; --stuck) timeouts_.does_not_return();
  refuse_who_waits();
  wait_for_chances();
}

void Service::refuse_who_waits() {
  if (!all_stuck()) return;
  for (auto at = connections_.begin(); at != connections_.end();) (at++)->on_all_stuck();  // may remove itself
}

void Service::on_abandoned_done(Exchange& exchange) {
  chances_.returned(&exchange);
  on_crew_changed();
  take_back(std::unique_ptr<Exchange>(&exchange));
}

void Service::hold(std::function<void()> quiet) {
  holds_ = true;
  quiet_ = std::move(quiet);
  on_crew_changed();
}

void Service::park(Connection& connection) {
  held_.push_back(&connection);
  held_changed();
  on_crew_changed();
}

/// What is held waits, too.
void Service::held_changed() {
  held_count_.store(static_cast<int>(held_.size()), std::memory_order_relaxed);
  crew.look_at_queue();
}

void Service::let_in() {
  holds_ = false;
  quiet_ = nullptr;
  let_in_next();
}

/// One at a time: its handler may run on this very thread, and cost it the loop.
void Service::let_in_next() {
  if (holds_ || letting_in_ || held_.empty() || !crew.has_room()) return;
  letting_in_ = true;
  boost::asio::post(io, [this] {
    letting_in_ = false;
    if (holds_ || !crew.has_room()) return;
    Connection& next = *held_.front();
    held_.pop_front();
    held_changed();
    let_in_next();
    next.on_let_in();
  });
}

/// An answer that a thread has ready may still be on its way to the loop.
bool Service::nothing_in_progress() const {
  if (crew.running() > 0 || crew.waiting() > 0) return false;
  return std::none_of(connections_.begin(), connections_.end(), [](const Connection& connection) { return connection.waits_for_answer(); });
}

void Service::on_crew_changed() {
  if (quiet_ && nothing_in_progress()) std::exchange(quiet_, nullptr)();
  let_in_next();
  if (!holds_ && departures.possible()) balance.watch();
}

void Service::count(const scoreboard::Answered& answered) {
  board.count(answered);
  if (max_requests_ > 0 && board.requests() == static_cast<std::uint64_t>(max_requests_)) tell_master_(ipc::WantsReplacement{});
}

void Service::beat() {
  board.beat(Clock::now(), ::gettid());
}

void Service::housekeep() {
  own_fds.look();
  give_memory_back();
}

void Service::give_memory_back() {
  const bool busy = crew.running() > 0 || crew.waiting() > 0;
  const auto resident = os::resident_bytes(pid);
  if (!resident || !trim_.due(*resident, board.requests(), busy)) return;
  ::malloc_trim(0);
  const auto left = os::resident_bytes(pid);
  trim_.done(left ? *left : *resident);
  log::debug("memory given back", {{"before_kib", *resident / 1024}, {"after_kib", (left ? *left : *resident) / 1024}});
}

std::size_t Service::make_room() {
  std::vector<Connection*> idle;
  for (Connection& connection : connections_) {
    if (connection.rests()) idle.push_back(&connection);
  }
  const std::size_t count = to_close(idle.size());
  const auto sooner = [](const Connection* a, const Connection* b) { return a->last_activity() < b->last_activity(); };
  std::partial_sort(idle.begin(), idle.begin() + static_cast<std::ptrdiff_t>(count), idle.end(), sooner);
  for (std::size_t i = 0; i < count; ++i) idle[i]->make_way();
  if (count > 0) room_.add(count);
  return count;
}

bool Service::starves() {
  if (draining() && reserve_) {
    reserve_.reset();
    return true;
  }
  const TimePoint now = Clock::now();
  starving_since_ = std::min(starving_since_, now);
  if (now - starving_since_ < kStarvedPatience || std::exchange(told_starved_, true)) return false;
  on_unfit_("no descriptor is left for connections, of " + std::to_string(fd_limit_) + " (RLIMIT_NOFILE)", true);
  return false;
}

void Service::log_access(http::AccessRecord record) {
  if (!access_.on()) return;
  record.worker = known_as;
  record.pid = pid;
  access_.add(record);
  if (flush_posted_) return;
  // After what the loop has at hand already, so that a burst shares one write.
  flush_posted_ = true;
  boost::asio::post(io, [this] {
    flush_posted_ = false;
    access_.flush();
  });
}

void Service::drain(bool succeeded, std::function<void()> finished) {
  draining_.store(true);
  finished_ = std::move(finished);
  if (!succeeded || !departures.possible()) return say_goodbye();
  departures.begin();
  for (Connection& connection : connections_) connection.on_drain();
  check_finished();
}

void Service::say_goodbye() {
  departures.end();
  says_goodbye_.store(true);
  for (auto at = connections_.begin(); at != connections_.end();) (at++)->on_drain();  // may remove itself
  check_finished();
}

void Service::set_accepting(bool accepting) {
  accepting_ = accepting;
  tell_if_left();
  check_finished();
}

void Service::tell_if_left() {
  if (told_left_ || !departures.possible() || !draining() || accepting_ || !departures.empty()) return;
  told_left_ = true;
  tell_master_(ipc::NoLongerAccepting{});
}

void Service::check_finished() {
  if (!finished_ || accepting_ || !connections_.empty()) return;
  if (crew.running() > 0) return tell_if_only_stuck_are_left();
  stacks.flush();
  finish_lines();
  std::exchange(finished_, nullptr)();
}

/// The last words of all that is told now and then.
void Service::finish_lines() {
  access_.finish();
  refusals.finish();
  strays.finish();
  body_troubles.finish();
  room_.finish();
}

void Service::tell_if_only_stuck_are_left() {
  if (told_stuck_ || crew.running() > chances_.told()) return;
  told_stuck_ = true;
  stacks.flush();
  finish_lines();  // it is killed next
  tell_master_(ipc::OnlyStuckLeft{});
}

std::size_t Service::cut() {
  std::size_t requests = 0;
  for (Connection& connection : connections_) requests += connection.on_cut() ? 1 : 0;
  finish_lines();
  return requests;
}

std::chrono::system_clock::time_point Service::wall_time(TimePoint at) {
  // One look at the wall clock a second; a step of that clock shows in the log within that second.
  if (at - clock_checked_ > std::chrono::seconds(1)) {
    clock_checked_ = Clock::now();
    clock_wall_ = std::chrono::system_clock::now();
  }
  return clock_wall_ + std::chrono::duration_cast<std::chrono::system_clock::duration>(at - clock_checked_);
}

}  // namespace serval::worker
