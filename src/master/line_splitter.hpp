#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace serval::master {

/// Cuts a stream of bytes into lines. A line longer than kMaxLineBytes comes out in pieces, so what is kept is bounded.
class LineSplitter {
 public:
  static constexpr std::size_t kMaxLineBytes = 8 * 1024;
  using Sink = std::function<void(std::string_view)>;  ///< a line without its end; the view is valid during the call

  void feed(std::string_view bytes, const Sink& sink);
  /// The stream has ended: a last line without an end is one too.
  void end(const Sink& sink);

 private:
  std::string partial_;
};

}  // namespace serval::master
