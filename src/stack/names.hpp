#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

/// From addresses to text, by the symbol tables and debug information of the files that were mapped there. Reading
/// those takes long and much memory, and they may be broken: it is done in a process that is thrown away, the hidden
/// `serval stack FD`, which gets a Question and prints an answer.
namespace serval::stack {

/// What is asked: stacks of one process (or of processes with the same address-space layout), and the text of its
/// /proc/PID/maps (proc(5)).
struct Question {
  std::string maps;
  /// Each innermost first: the first is an instruction, the others return addresses.
  std::vector<std::vector<std::uint64_t>> stacks{};
  /// The process's owner. What was mapped may have been made to harm its reader: it is read with no more rights than
  /// the process has itself.
  uid_t uid = 0;
  gid_t gid = 0;
};

/// A sealed memfd at offset 0 holding the question.
Result<UniqueFd> write_question(const Question& question);
Result<Question> read_question(int fd);

/// Root becomes the process's owner, for good; other users stay as they are.
Result<void> take_rights_of(const Question& question);

/// For the process that reads the files: it may take as much private memory as they are large, and 512 MiB, and it is
/// the first that goes when the machine runs out of memory. An app may have gigabytes of debug information, more yet
/// unpacked, and the names are worth less than a worker.
void bound_memory_for(const Question& question);

/// One text for each frame: "sleep(serval::Request const&) at examples/faulty/faulty.cpp:57", "clock_nanosleep in
/// libc.so.6", "0x1234 in libfoo.so" (as the file's own tables count, for addr2line(1)), or "0x7f..." for what is in no
/// file. Where functions were inlined, the innermost is named, and the one that took them all in:
/// "std::vector<int>::at(unsigned long) at include/bits/stl_vector.h:9 inlined into sum()". Names are demangled and cut
/// to 120 characters (60 where there are two), source paths to their last three components, a whole text to 200;
/// control bytes are '?'. Files are looked up on this machine; a network is asked only if the environment has
/// DEBUGINFOD_URLS (debuginfod_find_debuginfo(3)). Without libdw all are addresses.
std::vector<std::vector<std::string>> name_frames(const Question& question);

/// A function that an address lies in.
struct Place {
  std::string function;  ///< demangled and cut as above; "[libfoo.so]", "[vdso]", "[unknown]" for what has no name
  std::string file{};    ///< the last three components; empty: not known
  std::int64_t line = 0;
};
/// For each address, which is not the one after a call but in it: the functions that it lies in by inlining, the
/// innermost first, which alone has a file and line, and last the one that was compiled.
std::vector<std::vector<Place>> places_of(const std::string& maps, std::span<const std::uint64_t> addresses);

/// What is left to say when there are no names: "0x1234 in libfoo.so" by the lines of `maps`, which is the place in the
/// file, or "0x7f...".
std::vector<std::string> bare_frames(std::span<const std::uint64_t> addresses, std::string_view maps = {});

/// A JSON array of arrays of strings.
std::string format_answer(const std::vector<std::vector<std::string>>& stacks);
Result<std::vector<std::vector<std::string>>> parse_answer(std::string_view text);

/// For a line of the log: the frames joined by " < ", which reads "called by", up to where serval called the app; after
/// 24 of them "< ...".
std::string one_line(const std::vector<std::string>& frames);

}  // namespace serval::stack
