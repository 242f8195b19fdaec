#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <optional>

#include "master/watch.hpp"
#include "os/unique_fd.hpp"

namespace serval::master {

/// Calls `on_set` when the wall clock has been set, and when the machine has slept: what waits for a time of day has to
/// look anew. Where the kernel cannot say so (Linux before 3.0), nothing is called.
class ClockWatch {
 public:
  ClockWatch(boost::asio::io_context& io, std::function<void()> on_set);

 private:
  void look();
  bool arm();

  const std::function<void()> on_set_;
  UniqueFd fd_;
  std::optional<Watch> watch_;
};

}  // namespace serval::master
