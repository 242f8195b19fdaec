#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "master/line_splitter.hpp"
#include "master/output_file.hpp"
#include "master/watch.hpp"
#include "os/unique_fd.hpp"

namespace serval::master {

/// The process whose output a pipe carries.
struct Writer {
  std::string process;  ///< "mold", "worker[3]"
  int generation = 0;
  pid_t pid = 0;
  const char* stream = "";  ///< "stdout" or "stderr"
  /// Its lines may begin with their priority (sd-daemon(3)), as a task's own log lines do (log::Settings::bare).
  bool has_priorities = false;
  /// Of a program with a file of its own, where all goes then: byte for byte, or as JSON lines if the log is JSON.
  std::shared_ptr<OutputFile> file{};
  std::string file_program{};  ///< likewise: its name
  int instance = 0;            ///< likewise
};

/// Reads one pipe of a mold, worker or program and logs its lines under the writer's name. Reads a bounded number of
/// bytes at a time, so an app that prints without end slows itself down (the pipe fills), not the master.
class Capture {
 public:
  Capture(boost::asio::io_context& io, UniqueFd read_end, Writer writer);

  int fd() const { return fd_.get(); }
  /// The writer has died: logs what it left in the pipe. At most a pipe's worth: a child of it may go on writing.
  void drain();

 private:
  enum class Progress { more, empty, closed };
  Progress read_some();
  void take(std::string_view bytes);
  void take_rest();
  void log_line(std::string_view line) const;
  void append_line(std::string& out, std::string_view line) const;
  void append_json(std::string& out, std::string_view line) const;
  log::Level take_level(std::string_view& line) const;
  bool goes_as_it_is() const;

  UniqueFd fd_;
  Writer writer_;
  LineSplitter lines_;
  std::optional<Watch> watch_;  ///< none once the pipe is closed
};

}  // namespace serval::master
