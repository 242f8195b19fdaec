// An app that misuses every descriptor it can reach: in the mold it lies about the workers that are forked, in a worker it does what a request says.
// Messages have the layout of ipc/messages.hpp, as those of somebody have who knows serval's source.
//
// [app] args: lies=FILE, read at each answer of the mold about a worker or a task:
// "pid N", "slot N", "generation N", "twice", "silent", "flood", or "" (the truth).
#include <serval/metrics.hpp>
#include <serval/serval.hpp>
#include <serval/tasks.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "ipc/messages.hpp"
#include "ipc/reports.hpp"

namespace {

namespace ipc = serval::ipc;

std::vector<int> descriptors() {
  std::vector<int> all;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) all.push_back(std::atoi(entry.path().filename().c_str()));
  return all;
}

/// The pipe through which the master is told: the only one in packet mode.
int reports() {
  for (const int fd : descriptors()) {
    struct stat info {};
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_ACCMODE) == O_WRONLY && (flags & O_DIRECT) != 0 && ::fstat(fd, &info) == 0 && S_ISFIFO(info.st_mode)) return fd;
  }
  return -1;
}

std::vector<int> sockets(int type) {
  std::vector<int> found;
  for (const int fd : descriptors()) {
    int got = 0;
    socklen_t size = sizeof got;
    if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &got, &size) == 0 && got == type) found.push_back(fd);
  }
  return found;
}

bool say(int fd, const ipc::Packet& message) { return ::write(fd, &message, sizeof message) == static_cast<ssize_t>(sizeof message); }

/// The first line of a file, by calls that a signal handler may make; empty if there is none.
void read_first_line(const char* path, char* line, std::size_t size) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t got = fd < 0 ? 0 : ::read(fd, line, size - 1);
  line[std::max<ssize_t>(got, 0)] = '\0';
  line[std::strcspn(line, "\n")] = '\0';
  ::close(fd);
}

/// Stands between the mold and its master: what the mold says comes in at `from`.
[[noreturn]] void lie(int from, int to, const char* file) {
  ::fcntl(to, F_SETFL, ::fcntl(to, F_GETFL) & ~O_NONBLOCK);
  ipc::Packet message;
  while (::read(from, &message, sizeof message) == static_cast<ssize_t>(sizeof message)) {
    char line[64] = "";
    if (message.tag == ipc::Forked::kTag || message.tag == ipc::TaskForked::kTag) read_first_line(file, line, sizeof line);
    char word[sizeof line] = "";
    int number = 0;
    std::sscanf(line, "%63s %d", word, &number);
    const std::string_view what = word;
    if (what == "silent") continue;
    if (what == "pid") message.pid = number;
    if (what == "slot") message.slot = number;
    if (what == "generation") message.generation = number;
    if (what == "flood") {
      for (int i = 0; i < 10'000; ++i) say(to, {.tag = static_cast<std::uint32_t>(i), .slot = i, .generation = message.generation, .pid = i});
    }
    if (what == "twice") say(to, message);
    say(to, message);
  }
  ::_exit(0);
}

struct Lies {
  std::string file;
  std::string told;  ///< exists once they begin
  int to = -1;
} g_lies;

/// In a signal handler: no memory is taken, what it needs has been found before, and fork(3) is not safe there, as
/// _Fork(3) is.
void stand_between(int) {
  int inner[2];
  if (g_lies.to < 0 || ::pipe2(inner, O_DIRECT | O_CLOEXEC) != 0) std::abort();
  if (::_Fork() == 0) {
    ::close(inner[1]);
    lie(inner[0], g_lies.to, g_lies.file.c_str());
  }
  ::close(inner[0]);
  ::dup3(inner[1], g_lies.to, O_CLOEXEC);
  ::close(inner[1]);
  ::close(::open(g_lies.told.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

/// serval looks at its descriptors when the app has loaded, so this comes a little later. FILE.on says that it has
/// come.
void lie_from_now_on(const std::string& file) {
  g_lies = {file, file + ".on", reports()};
  ::signal(SIGALRM, stand_between);
  itimerval soon{};
  soon.it_value.tv_usec = 100'000;
  ::setitimer(ITIMER_REAL, &soon, nullptr);
}

/// Connections whose close waits: there are bytes that nobody takes.
int one_that_lingers() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(listener, reinterpret_cast<sockaddr*>(&address), size);
  ::listen(listener, 1);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const int client = ::socket(AF_INET, SOCK_STREAM, 0);
  ::connect(client, reinterpret_cast<sockaddr*>(&address), size);
  const linger patience = {1, 120};
  ::setsockopt(client, SOL_SOCKET, SO_LINGER, &patience, sizeof patience);
  ::fcntl(client, F_SETFL, O_NONBLOCK);
  const std::string bytes(64 * 1024, 'x');
  while (::write(client, bytes.data(), bytes.size()) > 0) {
  }
  return client;
}

/// How the sending of one byte and a descriptor ended.
std::string send_descriptor(int socket, int fd) {
  char byte = 'x';
  iovec part = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  return ::sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ? "sent" : std::strerror(errno);
}

/// The scoreboard, or the app's metrics, as it is mapped here: writable for every worker.
std::pair<char*, std::size_t> mapping(const char* name) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(name) == std::string::npos) continue;
    unsigned long begin = 0;
    unsigned long end = 0;
    std::sscanf(line.c_str(), "%lx-%lx", &begin, &end);
    return {reinterpret_cast<char*>(begin), end - begin};
  }
  return {nullptr, 0};
}

}  // namespace

class Hostile : public serval::App {
 public:
  explicit Hostile(serval::Preload& preload) {
    for (const std::string& arg : preload.args()) args_[arg.substr(0, arg.find('='))] = arg.substr(arg.find('=') + 1);
    serval::task("waits", [](serval::Job& job) { return job.wait_for(std::chrono::hours(1)) ? 0 : 1; });
    if (!args_["lies"].empty()) lie_from_now_on(args_["lies"]);
  }

  void worker_start(serval::Worker& worker) override { generation_ = worker.generation(); }

  serval::Response handle(const serval::Request& request) override {
    const std::map<std::string_view, std::function<std::string(const serval::Request&)>> attacks = {
        {"/flood", [this](const auto& r) { return flood(r); }},
        {"/sizes", [](const auto&) { return sizes(); }},
        {"/claims", [this](const auto&) { return claims(); }},
        {"/crashes", [this](const auto&) { return crashes(); }},
        {"/descriptors", [](const auto&) { return pass_descriptors(); }},
        {"/lobby", [](const auto& r) { return litter(std::atoi(r.param("n").value_or("100").c_str())); }},
        {"/scribble", [](const auto& r) { return scribble(static_cast<unsigned>(std::atoi(r.param("seed").value_or("1").c_str()))); }},
        {"/miscount", [](const auto& r) { return miscount(static_cast<unsigned>(std::atoi(r.param("seed").value_or("1").c_str()))); }},
        {"/names", [](const auto&) { return names(); }},
        {"/deaf", [](const auto&) { return go_deaf(); }},
        {"/mute", [](const auto&) { return ::close(reports()) == 0 ? "closed" : "not found"; }},
        {"/pid", [](const auto&) { return std::to_string(::getpid()); }},
    };
    const auto attack = attacks.find(request.path());
    attacks_(request.path()).add();
    return attack == attacks.end() ? serval::Response("hostile\n") : serval::Response(attack->second(request));
  }

 private:
  /// Messages of every kind, again and again.
  std::string flood(const serval::Request& request) {
    const int fd = reports();
    const int wanted = std::atoi(request.param("n").value_or("20000").c_str());
    int said = 0;
    for (int i = 0; i < wanted; ++i) {
      ipc::Packet message{.tag = static_cast<std::uint32_t>(i % 40), .slot = i, .generation = i % 7 - 3, .pid = i, .number = static_cast<std::uint32_t>(i)};
      const auto tag = message.tag;
      // Those that would end this worker as they end any other.
      if (tag == ipc::ToldToStopBySignal::kTag || tag == ipc::WantsReplacement::kTag || tag == ipc::TimedOut::kTag) continue;
      message.text_size = 0xffffffff;
      std::memset(message.text, i, sizeof message.text);
      said += say(fd, message) ? 1 : 0;
    }
    return std::to_string(said);
  }

  static std::string sizes() {
    const int fd = reports();
    const std::string bytes(4096, '\xff');
    int written = 0;
    for (const std::size_t size : {1UL, 7UL, 2047UL, 2049UL, 4096UL}) written += ::write(fd, bytes.data(), size) > 0 ? 1 : 0;
    ::fcntl(fd, F_SETFL, O_NONBLOCK);  // no packets any more: what is written runs together
    for (int i = 0; i < 10; ++i) written += ::write(fd, bytes.data(), 300) > 0 ? 1 : 0;
    ::fcntl(fd, F_SETFL, O_NONBLOCK | O_DIRECT);
    return std::to_string(written);
  }

  /// To be another worker, another generation, the mold.
  std::string claims() {
    const int fd = reports();
    for (const int slot : {-1, 0, 1, 2, 1'000'000, INT32_MAX, INT32_MIN}) {
      for (const auto tag : {ipc::Forked::kTag, ipc::Loaded::kTag, ipc::LoadFailed::kTag, ipc::NoLongerAccepting::kTag, ipc::Paused::kTag,
                             ipc::Stack::kTag, ipc::StacksEnd::kTag, ipc::ProfileEnded::kTag, ipc::BootFailed::kTag, ipc::OnlyStuckLeft::kTag}) {
        say(fd, {.tag = tag, .slot = slot, .generation = slot, .pid = ::getppid(), .text_size = 9999});
        ::usleep(500);
      }
    }
    return "said";
  }

  /// Of others, of process 1, of the master, with stacks that lead nowhere.
  std::string crashes() {
    const int fd = reports();
    for (const pid_t pid : {1, ::getppid(), -1, INT32_MAX}) {
      ipc::CrashReport report{.signal = 9999, .sender = 1, .fault_address = ~0ULL, .frames = {}};
      report.frames.thread = 1;
      report.frames.count = serval::stack::kMaxFrames;
      for (auto& address : report.frames.address) address = ~0ULL;
      ipc::Packet message{.tag = ipc::Crashed::kTag, .slot = 77, .generation = generation_, .pid = pid};
      ipc::put_report(message, report);
      for (int i = 0; i < 50; ++i) say(fd, message);
    }
    return "said";
  }

  /// To the master, by every way that leads there.
  static std::string pass_descriptors() {
    const int one = one_that_lingers();
    std::ostringstream results;
    for (const int socket : sockets(SOCK_SEQPACKET)) results << send_descriptor(socket, one) << '\n';
    results << send_descriptor(reports(), one) << '\n';
    return results.str();
  }

  /// Into the lobby, whose guests other workers take out.
  static std::string litter(int count) {
    const int one = one_that_lingers();
    int sent = 0;
    for (const int socket : sockets(SOCK_SEQPACKET)) {
      for (int i = 0; i < count; ++i) sent += send_descriptor(socket, one) == "sent" ? 1 : 0;
    }
    return std::to_string(sent);
  }

  /// Over the cells of all workers.
  static std::string scribble(unsigned seed, const char* name = "serval-scoreboard", std::size_t from = 4096) {
    const auto [start, size] = mapping(name);
    std::mt19937_64 random(seed);
    const std::size_t end = std::min<std::size_t>(size, 20 * 65536);
    for (std::size_t at = from; at + 8 <= end; at += 8) {
      // Atomic, since threads of this worker use the cells: it is their values that are hostile.
      std::atomic_ref(*reinterpret_cast<std::uint64_t*>(start + at)).store(random(), std::memory_order_relaxed);
    }
    return std::to_string(end);
  }

  /// Over the app's metrics: all but the file's header, and at last over that one, too.
  static std::string miscount(unsigned seed) { return scribble(seed, "serval-app-metrics", seed == 0 ? 0 : 64); }

  /// That would move a terminal's cursor, end a line, and look like another process.
  static std::string names() {
    const std::string name = "\x1b[2J\nerror master pid=1: \r\x07";
    ::prctl(PR_SET_NAME, name.c_str());
    serval::log(serval::LogLevel::error, "named " + name);
    [[maybe_unused]] const ssize_t written = ::write(1, name.data(), name.size());
    return "named";
  }

  static std::string go_deaf() {
    int shut = 0;
    for (const int socket : sockets(SOCK_SEQPACKET)) {
      if (send_descriptor(socket, 0) == std::strerror(EPIPE)) shut += ::close(socket) == 0 ? 1 : 0;
    }
    return std::to_string(shut);
  }

  std::map<std::string, std::string> args_;
  int generation_ = 0;
  serval::Counter attacks_{"hostile_attacks", "attacks, by their path", {"path"}};
};
SERVAL_APP(Hostile)
