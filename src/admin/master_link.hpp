#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/time.hpp"
#include "ipc/channel.hpp"

namespace serval::admin {

/// What the master says of the server; null if it does not answer. Shared by all who asked at the same time.
using Status = std::shared_ptr<const boost::json::object>;

/// The line to the master. However many ask, it is asked one question at a time, and so many a second: a flood of
/// requests costs the server that much and no more. One thread, that of the io_context.
class MasterLink {
 public:
  struct Hooks {
    std::function<void(UniqueFd log)> on_reopen;
    std::function<void()> on_closed;  ///< the master has ended, or become another version of itself
  };
  MasterLink(boost::asio::io_context& io, ipc::Channel channel, Hooks hooks);
  MasterLink(const MasterLink&) = delete;
  MasterLink& operator=(const MasterLink&) = delete;
  ~MasterLink();

  using Done = std::function<void(const Status&)>;
  /// `done` is called once, later, with a status that is younger than this call.
  void ask(Done done);

 private:
  struct Waiting {
    Done done;
    TimePoint since;
  };
  void listen();
  void on_readable();
  void on_message(ipc::Channel::Received received);
  void on_status(std::uint32_t question, const std::vector<UniqueFd>& files);
  void ask_if_due();
  void arm();
  void on_timer();
  static void tell(std::vector<Waiting>& all, const Status& status);

  boost::asio::io_context& io_;
  ipc::Channel channel_;
  const Hooks hooks_;
  boost::asio::posix::stream_descriptor descriptor_;
  boost::asio::steady_timer timer_;
  std::uint32_t question_ = 0;  ///< the last one
  bool in_flight_ = false;      ///< it has no answer yet
  TimePoint asked_ = TimePoint::min();
  std::vector<Waiting> for_this_;  ///< came before the question was asked
  std::vector<Waiting> for_next_;
};

}  // namespace serval::admin
