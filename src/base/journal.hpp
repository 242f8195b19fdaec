#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/log_field.hpp"

/// systemd's journal behind a descriptor: it has a time and a priority for each line, and takes the latter from a
/// prefix.
namespace serval {

/// Whether $JOURNAL_STREAM (systemd.exec(5)), as it was when this was first asked, names the file behind `fd`: a log
/// that has been sent elsewhere meanwhile is not the journal's.
bool is_journal(int fd);

/// `variable` is "device:inode", both decimal.
bool names_file(std::string_view variable, std::uint64_t device, std::uint64_t inode);

/// "<3>" for errors and so on, sd-daemon(3).
std::string_view priority_prefix(log::Level level);

/// One or more whole lines for standard error, each with its priority if that is the journal.
std::string stderr_lines(log::Level level, std::string_view lines);

}  // namespace serval
