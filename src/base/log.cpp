#include "base/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <mutex>

#include "base/flood.hpp"
#include "base/journal.hpp"
#include "base/line_file.hpp"
#include "base/log_text.hpp"

namespace serval::log {
namespace {

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warning: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
    case Level::off: return spdlog::level::off;
  }
  return spdlog::level::off;
}

std::string_view view(spdlog::string_view_t text) { return {text.data(), text.size()}; }

/// Puts time, level and origin before the payload. The origin (the process: name, generation, pid) travels as spdlog's
/// logger name, and like the payload it is already in the log's format. No state, so threads may format at once.
class LineFormatter : public spdlog::formatter {
 public:
  LineFormatter(Style style, bool bare, const std::atomic<bool>& journal)
      : style_(style), bare_(bare), journal_(journal) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    std::string line;
    if (bare_) {
      line = std::string(priority_prefix(level_of(message.level))) + std::string(view(message.payload)) + '\n';
      return out.append(line.data(), line.data() + line.size());
    }
    const std::string_view priority =
        journal_.load(std::memory_order_relaxed) ? priority_prefix(level_of(message.level)) : "";
    append_line(line, style_,
                {message.time, level_name(message.level), view(message.logger_name), view(message.payload), priority});
    out.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>(style_, bare_, journal_);
  }

 private:
  static Level level_of(spdlog::level::level_enum level) {
    if (level <= spdlog::level::debug) return Level::debug;
    if (level == spdlog::level::info) return Level::info;
    return level == spdlog::level::warn ? Level::warning : Level::error;
  }
  static std::string_view level_name(spdlog::level::level_enum level) {
    if (level <= spdlog::level::debug) return "debug";
    if (level == spdlog::level::info) return "info";
    return level == spdlog::level::warn ? "warning" : "error";
  }

  Style style_;
  bool bare_;
  const std::atomic<bool>& journal_;  ///< the sink's
};

/// The line that this thread has just given to a sink did not get through.
thread_local bool t_lost = false;

/// One line, one write. Says how many lines got lost once one has gone through again, but not over and over where every
/// other one is lost.
class LineSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  LineSink(const Settings& settings, Style style, std::string origin)
      : file_(settings.fd), journal_(is_journal(settings.fd)), style_(style), origin_(std::move(origin)) {
    set_formatter_(std::make_unique<LineFormatter>(style, settings.bare, journal_));
  }

  void reopen(int new_fd) {
    journal_.store(is_journal(new_fd), std::memory_order_relaxed);
    file_.reopen(new_fd);
  }
  void finish() {
    const std::lock_guard lock(mutex_);
    if (unsaid_ > 0) say_dropped();
  }
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    t_lost = !put(message);
    if (t_lost) {
      ++unsaid_;
      dropped_.fetch_add(1, std::memory_order_relaxed);
    } else if (unsaid_ > 0 && Clock::now() >= quiet_until_) {
      say_dropped();
    }
  }
  void flush_() override {}

 private:
  void say_dropped() {
    const Field fields[] = {{"count", unsaid_}, {"why", file_.why_dropped()}};
    const std::string said = render(style_, "log lines dropped", fields);
    if (!put(spdlog::details::log_msg(origin_, spdlog::level::warn, said))) return;
    unsaid_ = 0;
    quiet_until_ = Clock::now() + Flood::kQuietTime;
  }
  bool put(const spdlog::details::log_msg& message) {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    file_.write({line.data(), line.size()});
    return file_.take_dropped() == 0;
  }

  LineFile file_;
  std::atomic<bool> journal_;
  Style style_;
  std::string origin_;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::uint64_t unsaid_ = 0;
  TimePoint quiet_until_ = TimePoint::min();
};

struct ProcessLog {
  ProcessLog(const Settings& its_settings, std::string_view its_name, int its_generation)
      : settings(its_settings),
        name(its_name),
        generation(its_generation),
        style(settings.format, settings.keys),
        origin(render_origin(style, {name, generation, ::getpid(), {}})),
        sink(std::make_shared<LineSink>(settings, style, origin)),
        logger(origin, sink) {
    logger.set_level(spdlog_level(settings.level));
    // Spdlog's own would print to standard error, which may be the app's.
    logger.set_error_handler([](const std::string&) {});
  }

  Settings settings;
  std::string name;
  int generation;
  Style style;
  std::string origin;
  std::shared_ptr<LineSink> sink;
  spdlog::logger logger;
  ProcessLog* before = nullptr;  ///< of the process that forked us, or of an earlier start; see start
};

std::atomic<ProcessLog*> g_log = nullptr;

ProcessLog& current() {
  if (g_log.load(std::memory_order_acquire) == nullptr) start({}, "serval");
  return *g_log.load(std::memory_order_acquire);
}

}  // namespace

void start(const Settings& settings, std::string_view process_name, int generation) {
  auto fresh = std::make_unique<ProcessLog>(settings, process_name, generation);
  // The one before is never destroyed: after a fork its locks may be held by threads that do not exist here, and other
  // threads may still use it.
  fresh->before = g_log.load(std::memory_order_acquire);
  g_log.store(fresh.release(), std::memory_order_release);
}

void start_in_child() {
  const ProcessLog& of_parent = current();
  start(of_parent.settings, of_parent.name, of_parent.generation);
}

bool write(Level level, std::string_view sentence, Fields fields) {
  return write(level, sentence, std::span<const Field>(fields));
}

bool write(Level level, std::string_view sentence, std::span<const Field> fields) {
  if (level == Level::off) return true;
  try {
    ProcessLog& log = current();
    if (!log.logger.should_log(spdlog_level(level))) return true;
    t_lost = false;
    const std::string payload = render(log.style, sentence, fields);
    log.logger.log(spdlog_level(level), spdlog::string_view_t(payload.data(), payload.size()));
    return !t_lost;
  } catch (...) {  // out of memory: a log line is not worth more trouble
    return false;
  }
}

void captured(const LogOrigin& writer, std::string_view line, std::span<const Field> fields, Level level) {
  try {
    ProcessLog& log = current();
    if (!log.logger.should_log(spdlog_level(level))) return;
    const std::string origin = render_origin(log.style, writer);
    const std::string payload = render(log.style, line, fields);
    log.sink->log(spdlog::details::log_msg(origin, spdlog_level(level), payload));
  } catch (...) {  // as in write
  }
}

Style style() { return current().style; }

void reopen(int new_fd) { current().sink->reopen(new_fd); }

void finish() { current().sink->finish(); }

std::uint64_t dropped() { return current().sink->dropped(); }

}  // namespace serval::log
