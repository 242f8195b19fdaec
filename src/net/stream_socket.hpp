#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include "os/unique_fd.hpp"

namespace serval::net {

/// A connected stream socket, for whose readiness can be waited; bytes are a Transport's business. Counts what is under
/// way, so that its owner knows when it may go. Loop only.
class StreamSocket {
 public:
  /// Told by the loop, with nothing else on the stack. Not after close(), but for the last.
  class Owner {
   public:
    virtual void on_readable() = 0;
    virtual void on_interrupted() = 0;  ///< instead of that
    virtual void on_writable() = 0;
    virtual void on_posted() = 0;
    /// It is closed, and nothing is under way any more. May also be called by close(); once.
    virtual void on_over() = 0;

   protected:
    ~Owner() = default;
  };

  /// `fd`: non-blocking; `local`: of the unix family. `owner` outlives it.
  StreamSocket(boost::asio::io_context& io, UniqueFd fd, bool local, Owner& owner);

  int fd() { return socket_.native_handle(); }
  bool closed() const { return closed_; }
  bool reading() const { return reading_; }

  /// on_readable() is called once. Asked again meanwhile, nothing changes; likewise the next two.
  void wait_to_read();
  void wait_to_write();
  /// on_posted() is called after what the loop has at hand already.
  void post();
  /// A wait to read ends: on_interrupted(), unless there is something to be read.
  void interrupt();
  /// Once is enough.
  void close();
  /// Closes this descriptor alone: another process goes on with the same socket.
  void release();

 private:
  void end_operation();

  /// Not of any executor, as Asio's own names are: that costs a virtual call at each step of each operation.
  using Socket =
      boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, boost::asio::io_context::executor_type>;

  boost::asio::io_context& io_;
  Socket socket_;
  Owner& owner_;
  int operations_ = 0;  ///< asynchronous ones whose handler will come
  bool reading_ = false;
  bool writing_ = false;
  bool closed_ = false;
};

}  // namespace serval::net
