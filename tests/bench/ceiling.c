/* The least work with which keep-alive requests can be answered: bare epoll that parses nothing. What serval costs is said relative to it.
 *
 * usage: ceiling PROCESSES
 * Prints the port of 127.0.0.1 that it chose. Each read that ends with an empty line is taken for one request. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const char kAnswer[] =
    "HTTP/1.1 200 OK\r\n"
    "Date: Sat, 21 Nov 2026 12:00:00 GMT\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 14\r\n"
    "\r\n"
    "Hello, World!\n";

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static int open_listener(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) fail("socket");
  if (bind(listener, (struct sockaddr*)&address, size) != 0 || listen(listener, 2048) != 0) fail("bind");
  if (getsockname(listener, (struct sockaddr*)&address, &size) != 0) fail("getsockname");
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

static void watch(int epoll, int fd, unsigned events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

static void accept_all(int epoll, int listener) {
  const int yes = 1;
  for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    watch(epoll, fd, EPOLLIN);
  }
}

static void answer(int fd) {
  static char buffer[65536];
  const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
  if (got < 0 && errno == EAGAIN) return;
  const int whole = got >= 4 && memcmp(buffer + got - 4, "\r\n\r\n", 4) == 0;
  if (got <= 0 || (whole && send(fd, kAnswer, sizeof kAnswer - 1, MSG_NOSIGNAL) < 0)) close(fd);
}

static void serve(int listener) {
  struct epoll_event events[256];
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) fail("epoll_create1");
  watch(epoll, listener, EPOLLIN | EPOLLEXCLUSIVE);
  for (;;) {
    const int count = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.fd == listener) {
        accept_all(epoll, listener);
      } else {
        answer(events[i].data.fd);
      }
    }
  }
}

int main(int count, char** words) {
  if (count != 2 || atoi(words[1]) < 1) {
    fputs("usage: ceiling PROCESSES\n", stderr);
    return 64;
  }
  const int listener = open_listener();
  for (int process = 1; process < atoi(words[1]); ++process) {
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      break;
    }
  }
  serve(listener);
}
