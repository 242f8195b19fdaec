#include "os/systemd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
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

TEST(Systemd, knows_how_often_its_watchdog_wants_to_hear_of_us) {
  const auto interval = [](const char* usec, int pid) {
    return in_child([&] {
      ::setenv("WATCHDOG_USEC", usec, 1);
      if (pid >= 0) ::setenv("WATCHDOG_PID", std::to_string(::getpid() + pid).c_str(), 1);
      return std::to_string(watchdog_interval().count());
    });
  };
  EXPECT_EQ(interval("30000000", 0), "30000000");
  EXPECT_EQ(interval("30000000", -1), "30000000") << "without a pid it is for whoever reads it";
  EXPECT_EQ(interval("30000000", 1), "0") << "it is meant for somebody else";
  EXPECT_EQ(interval("0", 0), "0");
  EXPECT_EQ(interval("-5", 0), "0");
  EXPECT_EQ(interval("soon", 0), "0");
  EXPECT_EQ(in_child([] { return std::to_string(watchdog_interval().count()); }), "0");
}

TEST(Systemd, knows_how_many_descriptors_can_be_stored) {
  const auto size = [](const char* text) {
    return in_child([&] {
      ::setenv("FDSTORE", text, 1);
      return std::to_string(fd_store_size());
    });
  };
  EXPECT_EQ(size("16"), "16");
  EXPECT_EQ(size("0"), "0");
  EXPECT_EQ(size("-1"), "0");
  EXPECT_EQ(size("many"), "0");
}

/// A descriptor that came with a message, and the message.
struct Stored {
  UniqueFd fd;
  std::string text;
};

Stored stored(const UniqueFd& service_manager) {
  char text[512];
  iovec part{text, sizeof text};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t size = ::recvmsg(service_manager.get(), &message, MSG_CMSG_CLOEXEC);
  Stored result;
  if (size > 0) result.text.assign(text, static_cast<std::size_t>(size));
  if (const cmsghdr* header = CMSG_FIRSTHDR(&message)) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    result.fd.reset(fd);
  }
  return result;
}

bool same_file(int one, int other) {
  struct stat a {}, b {};
  return ::fstat(one, &a) == 0 && ::fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

TEST(Systemd, stores_a_descriptor_under_a_name_and_takes_it_back) {
  const TemporaryFolder folder;
  const UniqueFd service_manager = bound_datagram_socket(folder / "notify");
  ::setenv("NOTIFY_SOCKET", (folder / "notify").c_str(), 1);
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_TRUE(store_fd("web", listener.get()));
  const Stored got = stored(service_manager);
  EXPECT_EQ(got.text, "FDSTORE=1\nFDNAME=web");
  EXPECT_TRUE(same_file(got.fd.get(), listener.get()));
  EXPECT_TRUE(forget_fd("web"));
  EXPECT_EQ(received(service_manager), "FDSTOREREMOVE=1\nFDNAME=web");
  for (const std::string& bad : {std::string(), std::string("a:b"), std::string("a\nb"), std::string(256, 'x')}) {
    EXPECT_FALSE(store_fd(bad, listener.get())) << bad;
    EXPECT_FALSE(forget_fd(bad)) << bad;
  }
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_FALSE(store_fd("web", listener.get()));
}

TEST(Systemd, escapes_what_a_name_in_the_store_must_not_have) {
  EXPECT_EQ(fd_name("127.0.0.1:8000"), "127.0.0.1%3A8000");
  EXPECT_EQ(fd_name("unix:/run/a b%c.sock"), "unix%3A/run/a b%25c.sock");
  EXPECT_EQ(fd_name("\xc3\xa4\n\x7f"), "%C3%A4%0A%7F");
}

TEST(Systemd, children_need_not_know_of_the_service_manager) {
  EXPECT_EQ(in_child([] {
              const char* names[] = {"LISTEN_PID",   "LISTEN_FDS",    "LISTEN_FDNAMES", "NOTIFY_SOCKET",
                                     "WATCHDOG_PID", "WATCHDOG_USEC", "FDSTORE"};
              for (const char* name : names) ::setenv(name, "1", 1);
              forget_service_manager();
              std::string left;
              for (const char* name : names) left += std::getenv(name) == nullptr ? "" : name;
              return left;
            }),
            "");
}

}  // namespace
}  // namespace serval::os
