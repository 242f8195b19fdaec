#include "worker/app_readiness.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "base/errno_text.hpp"
#include "base/log.hpp"
#include "base/units.hpp"

namespace serval::worker {

namespace {

using namespace std::chrono_literals;

/// Where health.ready_interval asks the app nothing, the drain file is still looked for.
constexpr Duration kUsualInterval = 1s;

}  // namespace

void AppReadiness::start() {
  asks_ = parts_.config.health.ready_interval > Duration::zero() && parts_.app.is_asked_again();
  if (!asks_ && parts_.config.health.drain_file.empty()) return;
  drain_file();
  wait();
}

void AppReadiness::wait() {
  const Duration interval = parts_.config.health.ready_interval;
  timer_.expires_after(interval > Duration::zero() ? interval : kUsualInterval);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    drain_file();
    wait();
    if (asks_) ask();  // the last: it may cost this thread the loop
  });
}

/// Busy threads say nothing about the app: what it said last holds. A ready() that takes as long as a request may is
/// taken for a no.
void AppReadiness::ask() {
  const Duration patience = parts_.config.request.timeout;
  if (asking_) {
    if (patience > Duration::zero() && Clock::now() - asked_ > patience)
      conclude(false, "it has not returned for " + format_duration(patience) + " (request.timeout)");
    return;
  }
  if (!parts_.may_ask() || parts_.pool.saturated()) return;
  asking_ = true;
  asked_ = Clock::now();
  if (parts_.pool.submit(*this) == HandlerPool::Accepted::ran) done();
}

void AppReadiness::run(bool) { answer_.store(parts_.app.ready(), std::memory_order_relaxed); }

void AppReadiness::done() {
  asking_ = false;
  conclude(answer_.load(std::memory_order_relaxed), "");
  parts_.on_asked();
}

void AppReadiness::conclude(bool yes, const std::string& why) {
  if (declines_ == !yes) return;
  declines_ = !yes;
  publish();
  if (yes) {
    log::info("the app is ready again", {});
  } else if (why.empty()) {
    log::warning("the app's ready() says no: new connections are left to other workers that are ready", {});
  } else {
    log::warning("the app's ready() does not answer: new connections are left to other workers that are ready",
                 {{"why", why}});
  }
}

/// Again and again, since the app may have scribbled there.
void AppReadiness::publish() { parts_.board.set_unready(declines_, drain_file_); }

bool AppReadiness::drain_file() {
  const bool there = drain_file_exists();
  if (there != drain_file_) say_if_new(there);
  drain_file_ = there;
  publish();
  return drain_file_;
}

void AppReadiness::say_if_new(bool there) const {
  if (parts_.is_known(there)) return;
  const std::string& file = parts_.config.health.drain_file;
  if (there) {
    log::info("health.drain_file is there: reported not ready, served on", {{"file", file}});
  } else {
    log::info("health.drain_file is gone: reported ready again", {{"file", file}});
  }
}

bool AppReadiness::drain_file_exists() {
  const std::string& path = parts_.config.health.drain_file;
  if (path.empty()) return false;
  struct stat ignored {};
  const bool there = ::stat(path.c_str(), &ignored) == 0;
  const bool absent = !there && (errno == ENOENT || errno == ENOTDIR);
  if (!there && !absent && !std::exchange(complained_, true)) {
    log::warning("cannot look for health.drain_file, taken for absent", {{"file", path}, {"error", errno_text()}});
  }
  if (there || absent) complained_ = false;
  return there;
}

}  // namespace serval::worker
