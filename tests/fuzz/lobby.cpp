// What a worker finds in the lobby: the bytes are a packet of another worker, sent along with a connection (or, for odd
// sizes, with none).
#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "fuzz.hpp"
#include "ipc/lobby.hpp"
#include "os/fd_passing.hpp"

namespace serval::fuzz {
namespace {

struct Ends {
  ipc::Lobby lobby = std::move(ipc::make_lobby().value());
  UniqueFd connection;
  UniqueFd client;

  Ends() {
    int fds[2];
    SERVAL_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    connection = UniqueFd(fds[0]);
    client = UniqueFd(fds[1]);
  }
};

bool is_address(const char* text) {
  in6_addr address{};
  return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

void check_arrival(const ipc::Arrival& arrival, std::string_view bytes) {
  const ipc::Guest& guest = arrival.guest;
  SERVAL_CHECK(arrival.connection.get() >= 0);
  SERVAL_CHECK(::strnlen(guest.peer, sizeof guest.peer) < sizeof guest.peer);
  SERVAL_CHECK(std::string_view(guest.peer) == "unix" || is_address(guest.peer));
  SERVAL_CHECK(static_cast<int>(guest.requests) >= 0);
  SERVAL_CHECK(arrival.unread == bytes.substr(sizeof guest));
}

}  // namespace

void fuzz_one(std::string_view bytes) {
  static const Ends ends;
  iovec part = {const_cast<char*>(bytes.data()), bytes.size()};
  msghdr packet = {};
  packet.msg_iov = &part;
  packet.msg_iovlen = 1;
  const int connection = ends.connection.get();
  const bool alone = bytes.size() % 2 == 1;
  const std::size_t most = sizeof(ipc::Guest) + ipc::kMaxUnreadBytes;
  SERVAL_CHECK(os::send_with_fds(ends.lobby.entry.get(), packet, {&connection, alone ? 0u : 1u}) ==
               static_cast<ssize_t>(bytes.size()));

  ipc::Arrival arrival;
  const ipc::Arrived arrived = ipc::receive_guest(ends.lobby.exit.get(), arrival);
  SERVAL_CHECK(arrived == ipc::Arrived::arrived || arrived == ipc::Arrived::dropped);
  if (arrived == ipc::Arrived::arrived) {
    SERVAL_CHECK(!alone && bytes.size() >= sizeof(ipc::Guest) && bytes.size() <= most);
    check_arrival(arrival, bytes);
    ipc::Arrival same;  // and moves on as it came
    SERVAL_CHECK(ipc::send_guest(ends.lobby.entry.get(), arrival.guest, arrival.connection.get(), arrival.unread) ==
                 ipc::Sent::sent);
    SERVAL_CHECK(ipc::receive_guest(ends.lobby.exit.get(), same) == ipc::Arrived::arrived);
    check_arrival(same, bytes);
  }
  SERVAL_CHECK(ipc::receive_guest(ends.lobby.exit.get(), arrival) == ipc::Arrived::none);  // nothing is left behind
}

}  // namespace serval::fuzz
