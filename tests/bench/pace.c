/* Asks at a fixed rate, whatever the answers do (an open loop), and writes down what became of each request.
 *
 * usage: pace PORT FILE [NAME=VALUE]...
 *   rate=1000          requests per second, evenly spaced
 *   seconds=4
 *   connections=64     at most; a request for which none is free waits, and that counts as part of its time
 *   path=/ method=GET
 *   body=0             bytes of the request's body
 *   slow=PATH every=50 each 50th request goes there instead
 *   fresh=0            1: a connection of its own for each request
 *   timeout=15         seconds until a request is given up
 * FILE gets a record for each request, in the order in which they ended: struct Record below. On standard output: how many idle connections the
 * server closed without having said so in an answer. Times are nanoseconds of the monotonic clock. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum Outcome { kOk, kRefused, kReset, kReuse, kTimeout, kStatus, kShort };

struct Record {
  int64_t due; /* when it was to be sent; waiting for a connection is counted, as for a user */
  int64_t end;
  int32_t slow;
  int32_t outcome;
};

enum State { kClosed, kIdle, kConnecting, kWriting, kReading };

struct Connection {
  int fd;
  enum State state;
  int answered; /* requests on this connection */
  int64_t due;
  int slow;
  size_t written;
  size_t got;   /* bytes of the head so far */
  int64_t left; /* bytes of the body that are missing; -1: still in the head */
  int status;
  int closes;
  char head[8192];
};

static struct {
  int port, connections, body, every, fresh;
  double rate, seconds, timeout;
  const char *path, *slow, *method;
} options = {0, 64, 0, 50, 0, 1000, 4, 15, "/", NULL, "GET"};

struct Text {
  char* bytes;
  size_t size;
};

static struct Text fast_request, slow_request;
static struct Connection* connections;
static int *idle, idle_first, idle_count; /* a ring: who has rested longest is next */
static int epoll;
static FILE* records;
static long closed_idle;

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static struct Text make_request(const char* path) {
  struct Text text = {malloc(strlen(path) + (size_t)options.body + 256), 0};
  text.size = (size_t)sprintf(text.bytes, "%s %s HTTP/1.1\r\nHost: bench\r\n", options.method, path);
  if (options.fresh) text.size += (size_t)sprintf(text.bytes + text.size, "Connection: close\r\n");
  if (options.body > 0) text.size += (size_t)sprintf(text.bytes + text.size, "Content-Length: %d\r\n", options.body);
  text.size += (size_t)sprintf(text.bytes + text.size, "\r\n");
  memset(text.bytes + text.size, 'x', (size_t)options.body);
  text.size += (size_t)options.body;
  return text;
}

static void rest(struct Connection* it) {
  idle[(idle_first + idle_count++) % options.connections] = (int)(it - connections);
  it->state = it->fd < 0 ? kClosed : kIdle;
}

static void hang_up(struct Connection* it) {
  if (it->fd >= 0) close(it->fd);
  it->fd = -1;
  it->answered = 0;
}

static void finish(struct Connection* it, enum Outcome outcome) {
  const struct Record record = {it->due, now(), it->slow, (int32_t)outcome};
  fwrite(&record, sizeof record, 1, records);
  ++it->answered;
  if ((outcome != kOk && outcome != kStatus) || it->closes || options.fresh) hang_up(it);
  rest(it);
}

static void lost(struct Connection* it) {
  if (it->got > 0) {
    finish(it, kShort);
  } else {
    finish(it, it->answered > 0 ? kReuse : kReset);
  }
}

static void write_more(struct Connection* it) {
  const struct Text* request = it->slow ? &slow_request : &fast_request;
  it->state = kWriting;
  while (it->written < request->size) {
    const ssize_t sent = send(it->fd, request->bytes + it->written, request->size - it->written, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) return lost(it);
    it->written += (size_t)sent;
  }
  it->state = kReading;
}

static void open_connection(struct Connection* it) {
  const int yes = 1;
  const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = it};
  it->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (it->fd < 0) fail("socket");
  setsockopt(it->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  it->state = kConnecting;
  const int connected = connect(it->fd, (const struct sockaddr*)&address, sizeof address);
  if (connected != 0 && errno != EINPROGRESS) return finish(it, kRefused);
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, it->fd, &event) != 0) fail("epoll_ctl");
  if (connected == 0) write_more(it);
}

static void ask(int64_t due, int is_slow) {
  struct Connection* it = &connections[idle[idle_first]];
  idle_first = (idle_first + 1) % options.connections;
  --idle_count;
  it->due = due;
  it->slow = is_slow;
  it->written = it->got = 0;
  it->left = -1;
  it->closes = 0;
  if (it->fd < 0) return open_connection(it);
  write_more(it);
}

/* 0 as long as the head is not whole. */
static int parse_head(struct Connection* it) {
  it->head[it->got] = 0;
  const char* end = strstr(it->head, "\r\n\r\n");
  if (end == NULL) return 0;
  it->status = it->got > 12 ? atoi(it->head + 9) : 0;
  int64_t length = -1;
  for (char* line = strstr(it->head, "\r\n") + 2; line < end; line = strstr(line, "\r\n") + 2) {
    if (strncasecmp(line, "Content-Length:", 15) == 0) length = atoll(line + 15);
    if (strncasecmp(line, "Connection: close", 17) == 0) it->closes = 1;
  }
  if (length < 0) {
    fputs("an answer without Content-Length: this client does not understand it\n", stderr);
    exit(1);
  }
  it->left = length - (it->head + it->got - end - 4);
  return 1;
}

static void read_more(struct Connection* it) {
  static char thrown_away[1 << 18];
  while (it->state == kReading) {
    const int in_head = it->left < 0;
    const ssize_t got = in_head ? recv(it->fd, it->head + it->got, sizeof it->head - 1 - it->got, 0) : recv(it->fd, thrown_away, sizeof thrown_away, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return lost(it);
    if (in_head) {
      it->got += (size_t)got;
      if (!parse_head(it)) continue;
    } else {
      it->left -= got;
    }
    if (it->left <= 0) finish(it, it->status >= 200 && it->status < 300 ? kOk : kStatus);
  }
}

static void on_event(struct Connection* it, uint32_t events) {
  if (it->fd < 0) return;
  if (it->state == kConnecting) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(it->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return finish(it, kRefused);
    if (!(events & EPOLLOUT)) return;
    write_more(it);
  } else if (it->state == kWriting && (events & EPOLLOUT)) {
    write_more(it);
  }
  if (it->state == kReading || it->state == kWriting) {
    if (it->state == kWriting && (events & (EPOLLHUP | EPOLLERR))) return lost(it);
    read_more(it);
  } else if (it->state == kIdle && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))) {
    ++closed_idle;
    hang_up(it);
    it->state = kClosed;
  }
}

static void give_up(int64_t limit) {
  for (int i = 0; i < options.connections; ++i) {
    struct Connection* it = &connections[i];
    if (it->state != kClosed && it->state != kIdle && it->due < limit) finish(it, kTimeout);
  }
}

static void run(void) {
  const int64_t total = (int64_t)(options.rate * options.seconds), begin = now(), patience = (int64_t)(options.timeout * 1e9);
  int64_t next = 0, next_look = begin;
  while (next < total || idle_count < options.connections) {
    int64_t time = now();
    while (next < total && idle_count > 0) {
      const int64_t due = begin + (int64_t)((double)next * 1e9 / options.rate);
      if (due > time) break;
      ask(due, options.slow != NULL && next % options.every == options.every - 1);
      ++next;
    }
    if (time >= next_look) {
      give_up(time - patience);
      next_look = time + 100000000;
    }
    int64_t until = next_look;
    if (next < total && idle_count > 0) {
      const int64_t due = begin + (int64_t)((double)next * 1e9 / options.rate);
      if (due < until) until = due;
    }
    time = now();
    const int64_t wait = until > time ? until - time : 0;
    const struct timespec timeout = {wait / 1000000000, wait % 1000000000};
    struct epoll_event events[256];
    const int count = epoll_pwait2(epoll, events, 256, &timeout, NULL);
    for (int i = 0; i < count; ++i) on_event(events[i].data.ptr, events[i].events);
  }
}

static void set_option(const char* word) {
  const char* value = strchr(word, '=');
  const size_t size = value ? (size_t)(value++ - word) : 0;
  const struct { const char* name; int* number; double* real; const char** text; } known[] = {
      {"rate", NULL, &options.rate, NULL}, {"seconds", NULL, &options.seconds, NULL}, {"timeout", NULL, &options.timeout, NULL},
      {"connections", &options.connections, NULL, NULL}, {"body", &options.body, NULL, NULL}, {"every", &options.every, NULL, NULL},
      {"fresh", &options.fresh, NULL, NULL}, {"path", NULL, NULL, &options.path}, {"slow", NULL, NULL, &options.slow},
      {"method", NULL, NULL, &options.method}};
  for (size_t i = 0; value && i < sizeof known / sizeof *known; ++i) {
    if (strlen(known[i].name) != size || strncmp(known[i].name, word, size) != 0) continue;
    if (known[i].number) *known[i].number = atoi(value);
    if (known[i].real) *known[i].real = atof(value);
    if (known[i].text) *known[i].text = value;
    return;
  }
  fprintf(stderr, "unknown option: %s\n", word);
  exit(64);
}

int main(int count, char** words) {
  if (count < 3) {
    fputs("usage: pace PORT FILE [NAME=VALUE]...; see the top of pace.c\n", stderr);
    return 64;
  }
  options.port = atoi(words[1]);
  records = fopen(words[2], "wb");
  if (records == NULL) fail(words[2]);
  for (int i = 3; i < count; ++i) set_option(words[i]);
  connections = calloc((size_t)options.connections, sizeof *connections);
  idle = calloc((size_t)options.connections, sizeof *idle);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < options.connections; ++i) {
    connections[i].fd = -1;
    rest(&connections[i]);
  }
  fast_request = make_request(options.path);
  slow_request = make_request(options.slow ? options.slow : options.path);
  run();
  fclose(records);
  printf("%ld\n", closed_idle);
}
