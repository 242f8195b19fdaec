#include "os/listen.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <thread>
#include <vector>

#include "temporary_folder.hpp"

namespace serval::os {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

constexpr int kPollTimeoutMs = 30000;  // ms; only ever waited for in full by a test that fails

Listening listening_on(const std::string& text, int backlog = 128) {
  const auto address = Address::parse(text);
  EXPECT_TRUE(address) << address.error();
  auto listening = listen_on(*address, backlog);
  EXPECT_TRUE(listening) << (listening ? "" : listening.error());
  return listening ? std::move(*listening) : Listening{};
}

std::string error_of(const std::string& text) {
  const auto listening = listen_on(*Address::parse(text), 128);
  return listening ? "" : listening.error();
}

/// A client's socket on its way to `listening`; `family` for v4 clients of v6 listeners.
struct Client {
  UniqueFd fd;
  int error = 0;  ///< of connect: EINPROGRESS is on its way
};

Client connect_to(const Listening& listening, int family = 0) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  EXPECT_EQ(::getsockname(listening.fd.get(), reinterpret_cast<sockaddr*>(&storage), &size), 0);
  if (family == AF_INET && storage.ss_family == AF_INET6) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = reinterpret_cast<const sockaddr_in6&>(storage).sin6_port;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::memcpy(&storage, &v4, size = sizeof v4);
  }
  Client client;
  client.fd = UniqueFd(::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(client.fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0) client.error = errno;
  return client;
}

bool wait_until(int fd, short events) {
  pollfd waited{fd, events, 0};
  return ::poll(&waited, 1, kPollTimeoutMs) == 1;
}

/// The outcome of a connect on its way.
int connect_error(const Client& client) {
  if (client.error != EINPROGRESS) return client.error;
  EXPECT_TRUE(wait_until(client.fd.get(), POLLOUT));
  int error = -1;
  socklen_t size = sizeof error;
  ::getsockopt(client.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

void send_text(const Client& client, const std::string& text) {
  EXPECT_EQ(::send(client.fd.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()))
      << std::strerror(errno);
}

std::string read_exactly(int fd, std::size_t size) {
  std::string text;
  while (text.size() < size && wait_until(fd, POLLIN)) {
    char buffer[256];
    const ssize_t got = ::recv(fd, buffer, std::min(sizeof buffer, size - text.size()), 0);
    if (got <= 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

UniqueFd accept_from(const Listening& listening) {
  if (!wait_until(listening.fd.get(), POLLIN)) return {};
  return UniqueFd(::accept4(listening.fd.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

TEST(Listen, tcp_reports_the_port_that_the_kernel_chose) {
  const Listening listening = listening_on("127.0.0.1:0");
  EXPECT_THAT(listening.address, MatchesRegex("127\\.0\\.0\\.1:[1-9][0-9]+"));
  EXPECT_FALSE(listening.local);
  EXPECT_EQ(listening.socket_file, "");
  EXPECT_EQ(connect_error(connect_to(listening)), 0);
  EXPECT_EQ(::fcntl(listening.fd.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  EXPECT_EQ(::fcntl(listening.fd.get(), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}

TEST(Listen, localhost) { EXPECT_THAT(listening_on("localhost:0").address, StartsWith("127.0.0.1:")); }

TEST(Listen, every_v6_interface_takes_v4_too) {
  const Listening listening = listening_on("[::]:0");
  EXPECT_THAT(listening.address, StartsWith("[::]:"));
  EXPECT_EQ(connect_error(connect_to(listening)), 0);
  EXPECT_EQ(connect_error(connect_to(listening, AF_INET)), 0);
}

TEST(Listen, every_v6_interface_beside_every_v4_one) {
  const Listening v4 = listening_on("0.0.0.0:0");
  const auto address = Address::parse("[::]:" + v4.address.substr(v4.address.rfind(':') + 1));
  EXPECT_FALSE(listen_on(*address, 8));
  const auto v6 = listen_on(*address, 8, {}, true);
  EXPECT_TRUE(v6) << v6.error();
}

TEST(Listen, one_v6_address_takes_v6_alone) {
  const Listening listening = listening_on("[::1]:0");
  EXPECT_THAT(listening.address, StartsWith("[::1]:"));
  EXPECT_EQ(connect_error(connect_to(listening)), 0);
  EXPECT_EQ(connect_error(connect_to(listening, AF_INET)), ECONNREFUSED);
}

TEST(Listen, a_taken_port_is_refused_with_what_to_do) {
  const Listening first = listening_on("127.0.0.1:0");
  EXPECT_THAT(error_of(first.address), HasSubstr("cannot listen on " + first.address +
                                                 ": Address already in use; another program listens there"));
}

TEST(Listen, a_port_with_old_connections_is_free_at_once) {
  std::string address;
  {
    const Listening first = listening_on("127.0.0.1:0");
    address = first.address;
    const Client client = connect_to(first);
    accept_from(first).reset();  // the server closes first, so TIME_WAIT is on its side
    EXPECT_TRUE(wait_until(client.fd.get(), POLLIN));
  }
  EXPECT_EQ(listening_on(address).address, address);
}

TEST(Listen, an_address_of_another_machine) {
  EXPECT_THAT(error_of("192.0.2.1:0"), HasSubstr("no interface of this machine has it"));
}

TEST(Listen, a_name_that_systemd_did_not_hand_over) {
  EXPECT_THAT(error_of("fd:web"), HasSubstr("cannot listen on fd:web"));
}

class UnixListenTest : public testing::Test {
 protected:
  std::string path() const { return folder_ / "socket"; }
  TemporaryFolder folder_;
};

TEST_F(UnixListenTest, path) {
  const Listening listening = listening_on("unix:" + path());
  EXPECT_EQ(listening.address, "unix:" + path());
  EXPECT_TRUE(listening.local);
  EXPECT_EQ(listening.socket_file, path());
  EXPECT_EQ(connect_error(connect_to(listening)), 0);
  remove_socket_file(listening);
  EXPECT_FALSE(fs::exists(path()));
}

TEST_F(UnixListenTest, abstract_name) {
  const std::string name = "unix:@" + path();
  const Listening listening = listening_on(name);
  EXPECT_EQ(listening.address, name);
  EXPECT_TRUE(listening.local);
  EXPECT_EQ(listening.socket_file, "");
  EXPECT_EQ(connect_error(connect_to(listening)), 0);
  EXPECT_THAT(error_of(name), HasSubstr("Address already in use"));
}

TEST_F(UnixListenTest, the_longest_name_fits) {
  const std::string longest = path() + std::string(107 - path().size(), 'x');
  EXPECT_EQ(listening_on("unix:" + longest).address, "unix:" + longest);
  const std::string abstract = "unix:@" + longest;
  EXPECT_EQ(listening_on(abstract).address, abstract);
}

TEST_F(UnixListenTest, a_stale_file_is_replaced) {
  (void)listening_on("unix:" + path());  // closed at once, and its file stays
  ASSERT_TRUE(fs::is_socket(path()));
  const Listening second = listening_on("unix:" + path());
  EXPECT_EQ(connect_error(connect_to(second)), 0);
}

TEST_F(UnixListenTest, the_file_has_its_mode_and_owner) {
  const std::string path = folder_ / "socket";
  const gid_t group = ::geteuid() == 0 ? 1 : ::getegid();
  const auto listening = listen_on(*Address::parse("unix:" + path), 128, {.mode = 0620, .group = group});
  ASSERT_TRUE(listening) << listening.error();
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0620u);
  EXPECT_EQ(status.st_gid, group);
  ASSERT_TRUE(set_file_access(path, {.mode = 0666}));
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0666u);
  EXPECT_FALSE(set_file_access(folder_ / "none", {.mode = 0666}));
}

TEST_F(UnixListenTest, whether_the_file_is_there) {
  const std::string path = folder_ / "socket";
  const Listening listening = listening_on("unix:" + path);
  EXPECT_TRUE(socket_file_is_there(listening));
  EXPECT_EQ(listener_at(path), ::getpid());
  fs::rename(path, path + ".old");
  EXPECT_FALSE(socket_file_is_there(listening));
  EXPECT_EQ(listener_at(path), std::nullopt);
  const Listening second = listening_on("unix:" + path);
  EXPECT_FALSE(socket_file_is_there(listening)) << "another one is in its place";
  EXPECT_TRUE(socket_file_is_there(listening_on("127.0.0.1:0"))) << "there is none to lose";
}

/// Many find the same stale file: one of them listens there at most, and nobody takes a living one's file away.
TEST_F(UnixListenTest, of_many_who_replace_a_stale_file_one_has_it_at_most) {
  const std::string path = folder_ / "socket";
  for (int round = 0; round < 50; ++round) {
    { listening_on("unix:" + path).fd.reset(); }
    std::vector<std::optional<Listening>> held(4);
    std::vector<std::thread> threads;
    for (auto& one : held) {
      threads.emplace_back([&] {
        auto listening = listen_on(*Address::parse("unix:" + path), 8);
        if (listening) one.emplace(std::move(*listening));
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_LE(std::count_if(held.begin(), held.end(), [](const auto& one) { return one.has_value(); }), 1);
    for (const auto& one : held) {
      if (!one) continue;
      EXPECT_TRUE(socket_file_is_there(*one));
      remove_socket_file(*one);
    }
    ::unlink(path.c_str());
    EXPECT_EQ(std::distance(fs::directory_iterator(fs::path(path).parent_path()), {}), 0);
  }
}

TEST_F(UnixListenTest, a_live_socket_is_refused_and_goes_on) {
  const Listening first = listening_on("unix:" + path());
  EXPECT_THAT(error_of("unix:" + path()), HasSubstr("another program listens there"));
  (void)accept_from(first);  // the probe
  EXPECT_EQ(connect_error(connect_to(first)), 0);
}

TEST_F(UnixListenTest, a_live_socket_with_a_full_queue_is_refused) {
  const Listening first = listening_on("unix:" + path(), 0);
  const Client waiting = connect_to(first);
  ASSERT_EQ(waiting.error, 0);
  EXPECT_THAT(error_of("unix:" + path()), HasSubstr("another program listens there"));
}

TEST_F(UnixListenTest, a_path_that_is_no_socket_is_refused_and_stays) {
  folder_.write("socket", "precious");
  EXPECT_THAT(error_of("unix:" + path()), HasSubstr("is no socket"));
  EXPECT_EQ(fs::file_size(path()), 8u);
  fs::remove(path());
  fs::create_directory(path());
  EXPECT_THAT(error_of("unix:" + path()), HasSubstr("is no socket"));
}

TEST_F(UnixListenTest, a_missing_folder) {
  EXPECT_THAT(error_of("unix:" + folder_ / "missing/socket"), HasSubstr("create its folder first"));
}

TEST_F(UnixListenTest, somebody_elses_file_is_not_removed) {
  const Listening ours = listening_on("unix:" + path());
  fs::rename(path(), folder_ / "moved");
  const Listening theirs = listening_on("unix:" + path());
  remove_socket_file(ours);
  EXPECT_TRUE(fs::exists(path()));
  remove_socket_file(theirs);
  EXPECT_FALSE(fs::exists(path()));
}

TEST_F(UnixListenTest, adopts_what_listens) {
  for (const std::string& address : {"unix:" + path(), std::string("127.0.0.1:0"), std::string("[::1]:0")}) {
    Listening original = listening_on(address);
    ::fcntl(original.fd.get(), F_SETFL, 0);
    ::fcntl(original.fd.get(), F_SETFD, 0);
    auto adopted = adopt(std::move(original.fd), "web");
    ASSERT_TRUE(adopted) << adopted.error();
    EXPECT_EQ(adopted->address, original.address);
    EXPECT_EQ(adopted->local, original.local);
    EXPECT_EQ(adopted->socket_file, "");  // systemd's
    EXPECT_EQ(::fcntl(adopted->fd.get(), F_GETFD), FD_CLOEXEC);
    EXPECT_NE(::fcntl(adopted->fd.get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_EQ(connect_error(connect_to(*adopted)), 0);
  }
}

TEST_F(UnixListenTest, does_not_adopt_anything_else) {
  EXPECT_THAT(adopt(UniqueFd(::open("/dev/null", O_RDONLY)), "web").error(),
              HasSubstr("\"web\": Socket operation on non-socket"));
  EXPECT_THAT(adopt(UniqueFd(::socket(AF_INET, SOCK_STREAM, 0)), "web").error(), HasSubstr("does not listen"));
  EXPECT_THAT(adopt(UniqueFd(::socket(AF_INET, SOCK_DGRAM, 0)), "web").error(), HasSubstr("no stream socket"));
  EXPECT_THAT(adopt(UniqueFd(::socket(AF_NETLINK, SOCK_RAW, 0)), "web").error(),
              HasSubstr("neither TCP nor a unix socket"));
}

/// 50 connections wait in the queue with something sent; then new ones are refused, then the waiting ones send more:
/// all of it must be read.
void expect_queue_survives(const Listening& listening) {
  constexpr int kClients = 50;
  std::vector<Client> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(connect_to(listening));
    ASSERT_EQ(connect_error(clients.back()), 0);
    send_text(clients.back(), "before");
  }
  const Client established = connect_to(listening);
  ASSERT_EQ(connect_error(established), 0);

  const auto refused = refuse_new_connections(listening.fd.get());
  ASSERT_TRUE(refused) << refused.error();
  for (const Client& client : clients) send_text(client, "after");
  for (const Client& client : clients) {
    const UniqueFd server = accept_from(listening);
    ASSERT_TRUE(server);
    EXPECT_EQ(read_exactly(server.get(), 11), "beforeafter");
    EXPECT_EQ(::send(server.get(), "answer", 6, MSG_NOSIGNAL), 6);
    EXPECT_EQ(read_exactly(client.fd.get(), 6), "answer");
    send_text(client, "again");
    EXPECT_EQ(read_exactly(server.get(), 5), "again");
  }
  const UniqueFd last = accept_from(listening);
  send_text(established, "late");
  EXPECT_EQ(read_exactly(last.get(), 4), "late");
}

TEST_F(UnixListenTest, refusing_new_connections_keeps_those_in_the_queue) {
  for (const std::string& address : {"unix:" + path(), "unix:@" + path()}) {
    const Listening listening = listening_on(address);
    expect_queue_survives(listening);
    EXPECT_EQ(connect_to(listening).error, ECONNREFUSED);
    EXPECT_LT(::accept4(listening.fd.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK), 0);
    EXPECT_EQ(errno, EAGAIN);
    pollfd readable_for_ever{listening.fd.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&readable_for_ever, 1, 0), 1);
  }
}

TEST(Listen, refusing_new_connections_keeps_those_in_the_queue) {
  for (const char* address : {"127.0.0.1:0", "[::1]:0", "[::]:0"}) {
    Listening listening = listening_on(address);
    const Client accepted_before = connect_to(listening);
    ASSERT_EQ(connect_error(accepted_before), 0);
    const UniqueFd server_before = accept_from(listening);
    expect_queue_survives(listening);
    send_text(accepted_before, "still here");
    EXPECT_EQ(read_exactly(server_before.get(), 10), "still here");

    const Client late = connect_to(listening);
    EXPECT_EQ(late.error, EINPROGRESS);
    EXPECT_LT(::accept4(listening.fd.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK), 0);
    EXPECT_EQ(errno, EAGAIN);
    listening.fd.reset();
    EXPECT_EQ(connect_error(late), ECONNREFUSED);
  }
}

/// Some kernels want CAP_NET_ADMIN for the filter. Whether this one does or not, and whoever runs this: hardly anybody
/// gets in, and that is no failure.
TEST(Listen, refusing_new_connections_needs_no_privileges) {
  const Listening listening = listening_on("127.0.0.1:0");
  std::thread unprivileged([&] {  // capabilities are a thread's own (capabilities(7))
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const __user_cap_data_struct none[2] = {};
    ASSERT_EQ(::syscall(SYS_capset, &header, none), 0);
    const auto refused = refuse_new_connections(listening.fd.get());
    EXPECT_TRUE(refused) << refused.error();
  });
  unprivileged.join();
  std::vector<Client> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(connect_to(listening));
  int connected = 0;
  for (const Client& client : clients) {
    pollfd look{client.fd.get(), POLLOUT, 0};
    connected += ::poll(&look, 1, 50) > 0 ? 1 : 0;
  }
  EXPECT_LE(connected, 1);
}

TEST(Listen, refusing_new_connections_lets_begun_handshakes_end) {
  const Listening listening = listening_on("127.0.0.1:0");
  const int seconds = 30;  // the connection stays half open, as after a lost ACK, until data comes (tcp(7))
  ASSERT_EQ(::setsockopt(listening.fd.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds), 0);
  const Client client = connect_to(listening);
  ASSERT_EQ(connect_error(client), 0);
  pollfd nothing_yet{listening.fd.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&nothing_yet, 1, 0), 0);
  ASSERT_TRUE(refuse_new_connections(listening.fd.get()));
  send_text(client, "request");
  const UniqueFd server = accept_from(listening);
  ASSERT_TRUE(server);
  EXPECT_EQ(read_exactly(server.get(), 7), "request");
}

TEST(AcceptQueue, TellsWhoWaits) {
  const auto listening = listen_on(*Address::parse("127.0.0.1:0"), 5);
  ASSERT_TRUE(listening) << listening.error();
  sockaddr_storage at{};
  socklen_t size = sizeof at;
  ::getsockname(listening->fd.get(), reinterpret_cast<sockaddr*>(&at), &size);
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&at), size), 0);
  const auto queue = accept_queue(listening->fd.get());
  ASSERT_TRUE(queue);
  EXPECT_EQ(queue->waiting, 1U);
  EXPECT_EQ(queue->limit, 5U);
  EXPECT_FALSE(accept_queue(client.get()));
  EXPECT_FALSE(accept_queue(0));
}

}  // namespace
}  // namespace serval::os
