#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/log_field.hpp"

/// serval's own log: one line per event, `key=value` after a short sentence, one name per process.
/// Any thread may call it. The formats:
/// - text: `2026-11-21T10:00:00.123Z info  worker[3] gen=2 pid=811: worker ready boot_ms=12`
/// - text in the journal (systemd), which has time and level: `<6>worker[3] gen=2 pid=811: worker ready boot_ms=12`
/// - json: `{"time":"...","level":"info","process":"worker[3]","gen":2,"pid":811,"msg":"worker ready","boot_ms":12}`
namespace serval::log {

struct Settings {
  Level level = Level::info;
  Format format = Format::text;
  Keys keys = Keys::serval;
  int fd = 2;  ///< borrowed, append-only; reopen() puts another file in its place
  /// Lines are for a process that knows from whom they come (captured()): nothing but their priority, as sd-daemon(3)
  /// has it, and what is said.
  bool bare = false;
};

/// Sets up this process's log. Call once at start and again in each forked child (locks and buffers are not carried
/// over a fork).
void start(const Settings& settings, std::string_view process_name, int generation = 0);

/// In a child of a fork, before its first line: the same log under the same name, with the child's own pid and locks of
/// its own.
void start_in_child();

/// False: the line was to be written, and is lost.
bool write(Level level, std::string_view sentence, Fields fields = {});
/// The same for fields that were collected at run time.
bool write(Level level, std::string_view sentence, std::span<const Field> fields);
inline void debug(std::string_view sentence, Fields fields = {}) { write(Level::debug, sentence, fields); }
inline void info(std::string_view sentence, Fields fields = {}) { write(Level::info, sentence, fields); }
inline void warning(std::string_view sentence, Fields fields = {}) { write(Level::warning, sentence, fields); }
inline void error(std::string_view sentence, Fields fields = {}) { write(Level::error, sentence, fields); }

/// A line that the app wrote to its standard output or error: logged under the name of the process that wrote it.
/// `writer.process` is e.g. "worker[3]", `writer.stream` "stdout" or "stderr"; `fields` is what the line itself has.
void captured(const LogOrigin& writer, std::string_view line, std::span<const Field> fields = {},
              Level level = Level::info);

/// Of this process's log.
Style style();

/// Puts the file behind `new_fd` in the place of the log's descriptor; after it returns no line goes to the old file.
void reopen(int new_fd);

/// The process ends: tells what was lost and has not been told, whenever that was last done.
void finish();

/// Lines lost so far because the file could not be written (disk full, reader gone); the log says so itself once it can
/// write again.
std::uint64_t dropped();

}  // namespace serval::log
