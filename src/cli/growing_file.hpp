#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace serval::cli {

/// A file of lines to which others append. Only whole lines come out of it, without their ends.
class GrowingFile {
 public:
  using Sink = std::function<void(std::string_view)>;
  using Test = std::function<bool(std::string_view)>;

  /// To be read from its beginning. The error says why it cannot be, which is so for all but regular files.
  static Result<GrowingFile> open(const std::string& path);

  /// The last `count` lines that pass; reads backwards no further than that takes. What comes from read_new begins
  /// behind them.
  std::vector<std::string> take_last(std::size_t count, const Test& passes);

  /// What has come since it was last read; all of it again if the file was truncated meanwhile.
  void read_new(const Sink& sink);

  /// Whether another file has this path now; false if none has.
  bool is_replaced_at(const std::string& path) const;

 private:
  explicit GrowingFile(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
  off_t at_ = 0;         ///< up to here it has been read
  std::string partial_;  ///< of that, what stands behind the last end of line
};

}  // namespace serval::cli
