/* Preloaded, not served: the process is killed by the call that has just got it a connection, from a listener or the
 * lobby, before anything else can be done about it. DIES_AT names the call; DIES_ONCE is a file that is there for as
 * long as nobody has died. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void die_at(const char* call) {
  const char* at = getenv("DIES_AT");
  const char* once = getenv("DIES_ONCE");
  if (at != NULL && once != NULL && strcmp(at, call) == 0 && unlink(once) == 0) kill(getpid(), SIGKILL);
}

int accept4(int listener, struct sockaddr* restrict address, socklen_t* restrict size, int flags) {
  const int fd = (int)syscall(SYS_accept4, listener, address, size, flags);
  if (fd >= 0) die_at("accept4");
  return fd;
}

ssize_t recvmsg(int fd, struct msghdr* packet, int flags) {
  const ssize_t size = syscall(SYS_recvmsg, fd, packet, flags);
  if (size > 0 && packet->msg_iovlen == 2) die_at("recvmsg");  /* a guest and its unread bytes: ipc/lobby.cpp */
  return size;
}
