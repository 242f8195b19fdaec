#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "base/time.hpp"
#include "os/unique_fd.hpp"

namespace serval::master {

/// A file to which the output of a program goes. Nothing is kept back: what the file does not take at once is lost and
/// counted, and the log says so when it begins and when it is over; so a full disk stops neither the program nor
/// serval.
class OutputFile {
 public:
  /// `lost_lines` counts what it loses, the part of a line as one; it outlives this.
  static Result<std::shared_ptr<OutputFile>> open(const std::string& path, std::uint64_t& lost_lines);
  OutputFile(std::string path, UniqueFd fd, std::uint64_t& lost_lines)
      : path_(std::move(path)), fd_(std::move(fd)), lost_lines_(lost_lines) {}
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  /// Says what has been lost, if it has not.
  ~OutputFile();

  /// As they are.
  void write(std::string_view bytes);
  /// Whole lines: one that was cut gets its end first.
  void write_lines(std::string_view lines);
  /// The file that has the path now; the error says why the old one stays.
  Result<void> reopen();

 private:
  void lose(std::string_view rest, int error);
  void say_lost();

  const std::string path_;
  UniqueFd fd_;
  std::uint64_t& lost_lines_;
  bool cut_ = false;
  std::uint64_t unsaid_bytes_ = 0;
  TimePoint quiet_until_ = TimePoint::min();
};

/// Those that are in use; outlives them. Two instances, or two streams, share one.
class OutputFiles {
 public:
  Result<std::shared_ptr<OutputFile>> open(const std::string& path);
  /// All of them; why not all, in words, or empty.
  std::string reopen();
  /// Lines that any has lost so far.
  std::uint64_t lost_lines() const { return lost_lines_; }

 private:
  std::map<std::string, std::weak_ptr<OutputFile>> files_;
  std::uint64_t lost_lines_ = 0;
};

}  // namespace serval::master
