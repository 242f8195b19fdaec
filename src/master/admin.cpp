#include "master/admin.hpp"

#include <signal.h>
#include <unistd.h>

#include <utility>

#include "base/address.hpp"
#include "base/exit_code.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "config/load.hpp"
#include "ipc/exec_admin.hpp"
#include "ipc/messages.hpp"
#include "master/listen_plan.hpp"
#include "os/listen.hpp"
#include "os/memory_file.hpp"
#include "os/spawn.hpp"
#include "os/wait.hpp"

namespace serval::master {
namespace {

constexpr int kBacklog = 128;

/// What a network may see of it.
config::Config without_secrets(config::Config config) {
  config.app.env.clear();
  config.app.file_env.clear();
  config.programs.clear();
  config.app.args.clear();
  return config;
}

Result<os::Listening> listen_at(std::string_view bind, const config::Config& config) {
  const auto address = Address::parse(bind);
  if (!address) return Error{address.error()};
  const auto access = file_access(*address, config.server);
  if (!access) return Error{"cannot listen on " + address->text() + ": " + access.error()};
  return os::listen_on(*address, kBacklog, *access, only_v6(*address, {std::string(bind)}));
}

/// Another server of this machine has the default, most likely.
std::string any_port_of(const config::Admin& admin) {
  return admin.bind_is_chosen() ? std::string() : admin.bind.substr(0, admin.bind.rfind(':')) + ":0";
}

}  // namespace

Admin::Admin(Parts parts, std::function<std::string()> status, std::function<void()> on_reopened)
    : parts_(parts), status_(std::move(status)), on_reopened_(std::move(on_reopened)), restart_(parts.io) {}

Admin::~Admin() { end_process(); }

void Admin::begin(const config::Config& config, const LogFiles& logs) {
  if (config.admin.on()) {
    if (const auto done = listen(config); !done) {
      if (any_port_of(config.admin).empty())
        throw StartupError(exit_code::cannot_create, "admin.bind: " + done.error());
      log::warning("no admin endpoints", {{"why", done.error()}});
    }
  }
  use(config, logs);
}

void Admin::resume(const ListenerRecord& record, const config::Config& config, const LogFiles& logs) {
  if (record.fd >= 0) listener_ = std::make_shared<Listener>(record);
  use(config, logs);
}

Result<void> Admin::can_use(const config::Config& config) const {
  const bool has_it = listener_ && listener_->bind() == config.admin.bind;
  if (!config.admin.on() || has_it || !any_port_of(config.admin).empty()) return {};
  auto listening = listen_at(config.admin.bind, config);
  if (!listening) return Error{"admin.bind: " + listening.error()};
  const Listener left_again(config.admin.bind, std::move(*listening));
  return {};
}

Result<void> Admin::listen(const config::Config& config) {
  auto listening = listen_at(config.admin.bind, config);
  if (const std::string other = any_port_of(config.admin); !listening && !other.empty()) {
    if (auto elsewhere = listen_at(other, config)) listening = std::move(elsewhere);
  }
  if (!listening) return Error{listening.error()};
  listener_ = std::make_shared<Listener>(config.admin.bind, std::move(*listening));
  const std::string where = listener_->address();
  log::info("admin endpoints", {{"at", where.starts_with("unix:") ? where : "http://" + where + "/"}});
  return {};
}

/// A process that would be told the same goes on: what it has counted and averaged is worth keeping.
void Admin::use(const config::Config& config, const LogFiles& logs) {
  const auto listener = listener_;
  listen_where_it_says(config);
  config::Config ours = without_secrets(config);
  const bool same =
      running_ && listener_ == listener && log_fd_ == logs.log() && config::to_text(ours) == config::to_text(config_);
  config_ = std::move(ours);
  log_fd_ = logs.log();
  logs_to_file_ = config::names_file(config.log.file);
  if (same) return;
  end_process();
  restart_.cancel();
  if (listener_) start();
}

/// Nothing changes where that is so already, and its socket's file is still there.
void Admin::listen_where_it_says(const config::Config& config) {
  const bool was_off = !listener_ && config_.admin.bind == config.admin.bind;
  const bool is_there = listener_ && listener_->bind() == config.admin.bind && listener_->reachable();
  if (was_off || is_there) return;
  const auto before = std::exchange(listener_, nullptr);
  if (!config.admin.on()) return;
  const auto done = listen(config);
  if (done) return;
  listener_ = before;
  if (before) {
    log::error("the admin endpoints stay where they are", {{"at", before->address()}, {"why", done.error()}});
  } else {
    log::error("no admin endpoints", {{"why", done.error()}});
  }
}

void Admin::start() {
  if (const auto done = try_to_start(); !done)
    start_later(backoff_.crashed(config_.restart, {}, random_), done.error());
}

Result<void> Admin::try_to_start() {
  auto channels = ipc::Channel::pair();
  if (!channels) return Error{channels.error()};
  const UniqueFd scoreboard = os::read_only(parts_.inheritance.scoreboard.fd());
  if (!scoreboard) return Error{"no descriptor of the scoreboard for it"};
  const UniqueFd app_metrics = os::read_only(parts_.inheritance.app_metrics.get());  // or none
  ipc::Heritage heritage;
  heritage.config = config_;
  heritage.config.programs.clear();  // it has no use for their secrets
  heritage.orders_fd = channels->second.in_fd();
  heritage.reports_fd = channels->second.out_fd();
  heritage.life_fd = parts_.inheritance.life_read.get();
  heritage.master_pid = ::getpid();
  heritage.scoreboard_fd = scoreboard.get();
  heritage.app_metrics_fd = app_metrics.get();
  heritage.log_fd = log_fd_;
  heritage.spans_fd = parts_.inheritance.spans.read_end.get();
  heritage.listeners = {listener_->inherited()};
  const auto pid = ipc::exec_admin(os::kOwnProgram, heritage);
  if (!pid) return Error{pid.error()};
  running_.emplace(*pid, Clock::now());
  running_->line.emplace(parts_.io, std::move(channels->first),
                         [this](const ipc::Packet& packet) { on_packet(packet); });
  parts_.reaper.await(*pid, [this](const os::ChildExit& exit) { on_exit(exit); });
  return {};
}

void Admin::start_later(Duration delay, const std::string& why) {
  log::warning("the admin process has ended, it is started again",
               {{"why", why}, {"next", supervisor::restarting_in(delay)}});
  restart_.expires_after(delay);
  restart_.async_wait([this](const auto& error) {
    if (!error && listener_ && !running_) start();
  });
}

void Admin::on_exit(const os::ChildExit& exit) {
  const Clock::duration lived = Clock::now() - running_->since;
  running_.reset();
  start_later(backoff_.crashed(config_.restart, lived, random_), exit.text());
}

void Admin::on_packet(const ipc::Packet& packet) {
  const auto message = ipc::decode<ipc::FromAdmin>(packet);
  if (!message) return;
  if (const auto* asked = std::get_if<ipc::AskStatus>(&*message)) {
    // Not to be had, or it does not read: it asks again.
    if (const auto file = os::make_memory_file("serval-status", "the status", status_()))
      running_->line->send(ipc::encode<ipc::ToAdmin>(ipc::Status{asked->question}), {file->get()});
  } else {
    running_->reopening = false;
    on_reopened_();
  }
}

void Admin::reopen(const LogFiles& logs) {
  if (!running_ || !logs_to_file_) return;
  running_->reopening = running_->line->send(ipc::encode<ipc::ToAdmin>(ipc::Reopen{}), {logs.log()});
}

/// It has nothing that would be lost.
void Admin::end_process() {
  if (!running_) return;
  parts_.reaper.forget(running_->pid);
  os::kill_child(running_->pid, SIGKILL);
  running_.reset();
}

void Admin::end() {
  restart_.cancel();
  end_process();
  listener_.reset();
}

}  // namespace serval::master
