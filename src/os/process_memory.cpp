#include "os/process_memory.hpp"

#include <charconv>
#include <string>

#include "base/text.hpp"
#include "os/proc_file.hpp"

namespace serval::os {
namespace {

std::string path_of(pid_t pid, const char* name) { return "/proc/" + std::to_string(pid) + "/" + name; }

/// The number at the begin of a text, after blanks.
std::optional<std::uint64_t> leading_number(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

/// The bytes of a line "Pss:     12 kB".
std::optional<std::uint64_t> bytes_of(std::string_view table, std::string_view key) {
  for (const std::string_view line : split(table, '\n')) {
    if (!line.starts_with(key) || line.substr(key.size(), 1) != ":" || !line.ends_with(" kB")) continue;
    const auto kilobytes = leading_number(line.substr(key.size() + 1));
    if (kilobytes) return *kilobytes * 1024;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> parse_resident(std::string_view status) {
  const auto anonymous = bytes_of(status, "RssAnon");
  const auto shared_memory = bytes_of(status, "RssShmem");
  if (!anonymous || !shared_memory) return std::nullopt;
  return *anonymous + *shared_memory;
}

std::optional<MemoryRollup> parse_smaps_rollup(std::string_view text) {
  const auto proportional = bytes_of(text, "Pss");
  const auto clean = bytes_of(text, "Private_Clean");
  const auto dirty = bytes_of(text, "Private_Dirty");
  if (!proportional || !clean || !dirty) return std::nullopt;
  const std::uint64_t files = bytes_of(text, "Pss_File").value_or(0);
  const auto without_files = [files](std::uint64_t bytes) { return bytes > files ? bytes - files : 0; };
  return MemoryRollup{without_files(*proportional),
                      without_files(*clean + *dirty) + bytes_of(text, "Private_Hugetlb").value_or(0)};
}

Result<std::uint64_t> resident_bytes(pid_t pid) {
  const std::string path = path_of(pid, "status");
  const auto text = read_proc(path);
  if (!text) return Error{text.error()};
  const auto bytes = parse_resident(*text);
  if (!bytes) return Error{"cannot read " + path + ": it does not name RssAnon and RssShmem"};
  return *bytes;
}

Result<MemoryRollup> memory_rollup(pid_t pid) {
  const std::string path = path_of(pid, "smaps_rollup");
  const auto text = read_proc(path);
  if (!text) return Error{text.error()};
  const auto rollup = parse_smaps_rollup(*text);
  if (!rollup) return Error{"cannot read " + path + ": it does not name Pss, Private_Clean and Private_Dirty"};
  return *rollup;
}

Result<std::uint64_t> proportional_bytes(pid_t pid) {
  const auto rollup = memory_rollup(pid);
  if (!rollup) return Error{rollup.error()};
  return rollup->proportional;
}

Result<std::uint64_t> unique_bytes(pid_t pid) {
  const auto rollup = memory_rollup(pid);
  if (!rollup) return Error{rollup.error()};
  return rollup->unique;
}

}  // namespace serval::os
