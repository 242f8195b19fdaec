#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>

namespace serval::master {

/// Calls `on_readable` on the io_context each time the descriptor can be read or has been hung up, until this is
/// destroyed, which the call itself may do. Borrows the descriptor: destroy this before it is closed.
class Watch {
 public:
  Watch(boost::asio::io_context& io, int fd, std::function<void()> on_readable);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

 private:
  void arm();

  boost::asio::posix::stream_descriptor descriptor_;
  /// Shared with a completion that is on its way, which thus sees that we are gone.
  std::shared_ptr<std::function<void()>> on_readable_;
};

}  // namespace serval::master
