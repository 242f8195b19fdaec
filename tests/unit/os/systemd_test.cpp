#include "os/systemd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "in_child.hpp"
#include "temporary_folder.hpp"

namespace serval::os {
namespace {

struct Handover {
  const char* fds;
  const char* names;  ///< null: not set
  int pid = 0;        ///< added to the right one
};

/// What a child finds whose descriptors 3 and 4 are open and close_on_exec is off: "name=fd name=fd", and complaints.
std::string found_by_child(const Handover& handover) {
  return in_child([&] {
    for (const int fd : {3, 4}) {
      const UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
      if (null.get() == fd) {
        ::fcntl(null.get(), F_DUPFD, fd + 1);
      }
      ::dup2(null.get(), fd);
    }
    ::setenv("LISTEN_PID", std::to_string(::getpid() + handover.pid).c_str(), 1);
    ::setenv("LISTEN_FDS", handover.fds, 1);
    if (handover.names != nullptr) ::setenv("LISTEN_FDNAMES", handover.names, 1);
    std::string text;
    for (const NamedSocket& socket : take_listen_fds()) {
      text += socket.name + "=" + std::to_string(socket.fd.get()) + " ";
      if ((::fcntl(socket.fd.get(), F_GETFD) & FD_CLOEXEC) == 0) text += "(not close-on-exec) ";
    }
    for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
      if (std::getenv(name) != nullptr) text += std::string(name) + " is still set ";
    }
    if (!take_listen_fds().empty()) text += "taken twice ";
    return text;
  });
}

TEST(Systemd, takes_the_sockets_with_their_names) {
  EXPECT_EQ(found_by_child({"2", "web:admin"}), "web=3 admin=4 ");
  EXPECT_EQ(found_by_child({"1", "web"}), "web=3 ");
  EXPECT_EQ(found_by_child({"2", nullptr}), "unknown=3 unknown=4 ");
  EXPECT_EQ(found_by_child({"2", ":admin"}), "unknown=3 admin=4 ");
}

TEST(Systemd, takes_nothing_that_is_not_meant_for_us) {
  EXPECT_EQ(found_by_child({"2", "web:admin", 1}), "");
  EXPECT_EQ(found_by_child({"0", ""}), "");
  EXPECT_EQ(found_by_child({"x", ""}), "");
  EXPECT_EQ(found_by_child({"-1", ""}), "");
  EXPECT_EQ(in_child([] { return take_listen_fds().empty() ? "" : "something"; }), "");
}

UniqueFd bound_datagram_socket(const std::string& name) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path, sizeof address.sun_path - 1);
  if (name[0] == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size), 0) << std::strerror(errno);
  return fd;
}

std::string received(const UniqueFd& fd) {
  char text[256];
  const ssize_t size = ::recv(fd.get(), text, sizeof text, 0);
  return size < 0 ? "" : std::string(text, static_cast<std::size_t>(size));
}

TEST(Systemd, notifies_a_path_and_an_abstract_name) {
  const TemporaryFolder folder;
  for (const std::string& name : {folder / "notify", "@os_test_notify_" + std::to_string(::getpid())}) {
    const UniqueFd service_manager = bound_datagram_socket(name);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    EXPECT_TRUE(notify("READY=1\nSTATUS=serving")) << name;
    EXPECT_EQ(received(service_manager), "READY=1\nSTATUS=serving");
  }
  ::unsetenv("NOTIFY_SOCKET");
}

TEST(Systemd, says_when_nobody_can_be_notified) {
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_FALSE(notify("READY=1"));
  const std::string too_long = "/" + std::string(200, 'x');
  for (const char* name : {"", "@", "vsock:2:1234", "/nonexistent/socket", too_long.c_str()}) {
    ::setenv("NOTIFY_SOCKET", name, 1);
    EXPECT_FALSE(notify("READY=1")) << name;
  }
  ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace serval::os
