#include "admin/statsd_push.hpp"

#include <sys/socket.h>

#include "admin/statsd.hpp"
#include "base/address.hpp"
#include "base/errno_text.hpp"
#include "base/log.hpp"
#include "os/socket_address.hpp"

namespace serval::admin {
namespace {

using namespace std::chrono_literals;

constexpr auto kInterval = 10s;  // StatsD's own flush interval
/// What fits an Ethernet frame whatever the way (StatsD's README, "Multi-Metric Packets").
constexpr std::size_t kMostBytes = 1432;

UniqueFd connect_to(const std::string& text) {
  const auto address = Address::parse(text);
  if (!address) return {};
  const os::SocketAddress to = os::socket_address_of(*address);
  UniqueFd fd(::socket(to.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd || ::connect(fd.get(), to.pointer(), to.size) != 0) {
    log::warning("nothing is sent to StatsD", {{"address", text}, {"why", errno_text()}});
    return {};
  }
  return fd;
}

}  // namespace

StatsdPush::StatsdPush(boost::asio::io_context& io, MasterLink& master, const scoreboard::Memory& scoreboard,
                       const config::Admin& config)
    : master_(master),
      scoreboard_(scoreboard),
      prefix_(config.statsd_prefix.empty() ? std::string() : config.statsd_prefix + "."),
      socket_(connect_to(config.statsd)),
      before_(scoreboard::read_totals(scoreboard)),
      timer_(io) {
  if (socket_) again();
}

void StatsdPush::again() {
  timer_.expires_after(kInterval);
  timer_.async_wait([this](const auto& error) {
    if (error) return;
    master_.ask([this](const Status& status) { push(status); });
    again();
  });
}

void StatsdPush::push(const Status& status) {
  const scoreboard::Totals now = scoreboard::read_totals(scoreboard_);
  for (const std::string& packet : statsd_packets(statsd_lines(prefix_, now, before_, status), kMostBytes))
    ::send(socket_.get(), packet.data(), packet.size(), MSG_NOSIGNAL);
  before_ = now;
}

}  // namespace serval::admin
