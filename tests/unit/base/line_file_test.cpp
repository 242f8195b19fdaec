#include "base/line_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <climits>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>
#include <vector>

namespace serval {
namespace {

namespace fs = std::filesystem;

std::string read_all(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// What is in a pipe or socket now.
std::string drain(int fd) {
  std::string text;
  std::vector<char> buffer(1 << 20);
  for (;;) {
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    const ssize_t read = got >= 0 || errno != ENOTSOCK ? got : ::read(fd, buffer.data(), buffer.size());
    if (read <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(read));
  }
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

class LineFileTest : public testing::Test {
 protected:
  LineFileTest() {
    std::string pattern = (fs::temp_directory_path() / "line_file_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~LineFileTest() override {
    for (const int fd : fds_) ::close(fd);
    fs::remove_all(folder_);
  }
  fs::path path(const char* name) const { return folder_ / name; }
  int keep(int fd) {
    EXPECT_GE(fd, 0);
    fds_.push_back(fd);
    return fd;
  }
  int open_log(const char* name) {
    return keep(::open(path(name).c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  }
  /// Closes now what keep() would have closed at the end.
  void close_now(int fd) {
    fds_.erase(std::find(fds_.begin(), fds_.end(), fd));
    ::close(fd);
  }
  std::pair<int, int> pipe(int flags) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, flags), 0);
    return {keep(ends[0]), keep(ends[1])};
  }

  fs::path folder_;
  std::vector<int> fds_;
};

TEST_F(LineFileTest, appends_to_a_file) {
  LineFile file(open_log("a"));
  file.write("one\ntwo\n");
  file.write("three\n");
  EXPECT_EQ(read_all(path("a")), "one\ntwo\nthree\n");
  EXPECT_EQ(file.take_dropped(), 0u);
}

TEST_F(LineFileTest, a_full_disk_drops_and_counts) {
  LineFile file(keep(::open("/dev/full", O_WRONLY)));
  file.write("one\ntwo\n");
  file.write("three\n");
  EXPECT_EQ(file.take_dropped(), 3u);
  EXPECT_EQ(file.take_dropped(), 0u);
}

/// RLIMIT_FSIZE cuts a write as a full disk does: bytes up to the limit are taken, then none.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(LineFileTest, a_line_cut_by_a_full_disk_is_dropped_and_the_next_one_stands_alone) {
  LineFile file(open_log("a"));
  {
    const FileSizeLimit limit(8);
    file.write("first\nsecond\nthird\n");  // room for "first\nse"
    EXPECT_EQ(file.take_dropped(), 2u);
    file.write("fourth\n");
    EXPECT_EQ(file.take_dropped(), 1u);
  }
  file.write("fifth\n");
  file.write("sixth\n");
  EXPECT_EQ(file.take_dropped(), 0u);
  EXPECT_EQ(read_all(path("a")), "first\nse\nfifth\nsixth\n");
}

TEST_F(LineFileTest, a_disk_that_was_full_between_two_lines_leaves_no_empty_line) {
  LineFile file(open_log("a"));
  {
    const FileSizeLimit limit(6);
    file.write("first\nsecond\n");
    EXPECT_EQ(file.take_dropped(), 1u);
  }
  file.write("third\n");
  EXPECT_EQ(read_all(path("a")), "first\nthird\n");
}

TEST_F(LineFileTest, after_a_full_disk_a_line_that_another_process_left_is_ended) {
  LineFile ours(open_log("a"));
  LineFile theirs(open_log("a"));
  {
    const FileSizeLimit limit(4);
    theirs.write("theirs\n");
    ours.write("ours\n");
    EXPECT_EQ(theirs.take_dropped() + ours.take_dropped(), 2u);
  }
  ours.write("again\n");
  EXPECT_EQ(read_all(path("a")), "thei\nagain\n");
}

TEST_F(LineFileTest, reopen_moves_to_another_file_and_keeps_number_and_close_on_exec) {
  const int fd = open_log("a");
  LineFile file(fd);
  file.write("old\n");
  const int next = open_log("b");
  file.reopen(next);
  file.write("new\n");
  EXPECT_EQ(read_all(path("a")), "old\n");
  EXPECT_EQ(read_all(path("b")), "new\n");
  EXPECT_EQ(::fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  EXPECT_GE(::fcntl(next, F_GETFD), 0);
}

TEST_F(LineFileTest, reopen_from_a_pipe_to_a_file) {
  const auto [reader, writer] = pipe(O_NONBLOCK | O_CLOEXEC);
  LineFile file(writer);
  file.write("piped\n");
  file.reopen(open_log("a"));
  file.write("filed\n");
  EXPECT_EQ(drain(reader), "piped\n");
  EXPECT_EQ(read_all(path("a")), "filed\n");
}

TEST_F(LineFileTest, a_full_pipe_drops_at_once_and_only_whole_lines_are_in_it) {
  const auto [reader, writer] = pipe(O_CLOEXEC);
  ::fcntl(reader, F_SETFL, O_NONBLOCK);
  LineFile file(writer);
  const std::string line = std::string(99, 'x') + "\n";
  std::string batch;
  for (int i = 0; i < 3000; ++i) batch += line;  // more than the pipe holds, and nobody reads
  file.write(batch);
  const std::string text = drain(reader);
  const auto arrived = static_cast<std::uint64_t>(text.size() / line.size());
  EXPECT_EQ(text.size() % line.size(), 0u);
  EXPECT_EQ(file.take_dropped(), 3000 - arrived);
  EXPECT_GT(arrived, 0u);
  EXPECT_LT(arrived, 3000u);
  file.write("again\n");
  EXPECT_EQ(drain(reader), "again\n");
}

TEST_F(LineFileTest, does_not_make_a_shared_pipe_non_blocking) {
  const auto [reader, writer] = pipe(O_CLOEXEC);
  LineFile file(writer);
  file.write("line\n");
  EXPECT_EQ(::fcntl(writer, F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(LineFileTest, a_line_longer_than_pipe_buf_arrives_whole) {
  const auto [reader, writer] = pipe(O_CLOEXEC);
  ::fcntl(reader, F_SETFL, O_NONBLOCK);
  LineFile file(writer);
  const std::string text = "short\n" + std::string(3 * PIPE_BUF, 'x') + "\nshort\n";
  file.write(text);
  EXPECT_EQ(drain(reader), text);
  EXPECT_EQ(file.take_dropped(), 0u);
}

TEST_F(LineFileTest, a_reader_that_went_away_is_counted_and_raises_no_signal) {
  const auto [reader, writer] = pipe(O_CLOEXEC);
  LineFile file(writer);
  close_now(reader);
  struct sigaction deadly {};
  deadly.sa_handler = SIG_DFL;
  struct sigaction before {};
  ::sigaction(SIGPIPE, &deadly, &before);
  file.write("one\ntwo\n");
  EXPECT_EQ(file.take_dropped(), 2u);
  sigset_t pending;
  ::sigpending(&pending);
  EXPECT_EQ(::sigismember(&pending, SIGPIPE), 0);
  ::sigaction(SIGPIPE, &before, nullptr);
}

TEST_F(LineFileTest, a_stream_socket_nobody_reads_drops_instead_of_blocking) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const int reader = keep(ends[0]);
  LineFile file(keep(ends[1]));
  constexpr std::uint64_t kLines = 50000;
  const std::string line = std::string(99, 'x') + "\n";
  for (std::uint64_t i = 0; i < kLines; ++i) file.write(line);
  const std::uint64_t dropped = file.take_dropped();
  EXPECT_GT(dropped, 0u);
  std::string text = drain(reader);
  file.write("again\n");
  text += drain(reader);
  std::uint64_t whole = 0;
  for (const std::string& each : lines_of(text)) whole += each.size() == line.size() - 1 ? 1 : 0;
  EXPECT_EQ(whole + dropped, kLines);
  EXPECT_EQ(lines_of(text).back(), "again");
}

TEST_F(LineFileTest, a_stream_socket_whose_peer_is_gone_is_counted) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  LineFile file(keep(ends[1]));
  ::close(ends[0]);
  file.write("one\n");
  EXPECT_EQ(file.take_dropped(), 1u);
}

TEST_F(LineFileTest, what_was_lost_has_a_reason) {
  const auto [reader, writer] = pipe(O_CLOEXEC);
  LineFile file(writer);
  for (int i = 0; i < 2000; ++i) file.write(std::string(99, 'x') + "\n");
  EXPECT_GT(file.take_dropped(), 0u);
  EXPECT_EQ(file.why_dropped(), "its reader does not keep up");
  close_now(reader);
  file.write("line\n");
  EXPECT_EQ(file.why_dropped(), "its reader is gone");
}

/// In a child: as another user it may not open the pipe anew. Two writers race for the pipe's only page, over and over,
/// and nobody reads meanwhile: 20 000 times, which takes a second, or as often as a slow machine can in ten.
[[noreturn]] void race_for_the_last_page(int reader, int writer) {
  constexpr uid_t kNobody = 65534;
  constexpr std::uint64_t kMaxRounds = 20'000;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  if (::setresuid(kNobody, kNobody, kNobody) != 0) ::_exit(2);
  ::fcntl(reader, F_SETFL, O_NONBLOCK);
  const std::string line = std::string(4000, 'x') + "\n";
  std::barrier round(2);
  std::uint64_t rounds = 0, lost = 0, others_lost = 0;
  bool last = false;  // as is `rounds`: written by one thread, before the barrier
  const auto race = [&](bool empties) {
    LineFile file(writer);
    for (;;) {
      if (empties) {
        drain(reader);
        ::alarm(30);  // ends one that waits
        last = ++rounds == kMaxRounds || std::chrono::steady_clock::now() >= end;
      }
      round.arrive_and_wait();
      file.write(line);
      const bool over = last;  // from after the second barrier on it may be the next round's
      round.arrive_and_wait();
      if (over) return file.take_dropped();
    }
  };
  std::thread other([&] { others_lost = race(false); });
  lost = race(true);
  other.join();
  ::_exit(lost + others_lost == rounds ? 0 : 1);
}

TEST_F(LineFileTest, two_writers_of_another_users_pipe_never_wait_for_its_reader) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
  const auto [reader, writer] = pipe(O_CLOEXEC);
  const iovec byte{const_cast<char*>("x"), 1};
  if (::pwritev2(writer, &byte, 1, -1, RWF_NOWAIT) != 1) GTEST_SKIP() << "this kernel has no RWF_NOWAIT for pipes";
  ::fcntl(writer, F_SETPIPE_SZ, 4096);
  const pid_t child = ::fork();
  if (child == 0) race_for_the_last_page(reader, writer);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << (WIFSIGNALED(status) ? "it waited" : "not one line of two was lost in each race");
}

class Terminal {
 public:
  Terminal() {
    EXPECT_EQ(::openpty(&user_, &program_, nullptr, nullptr, nullptr), 0);
    ::fcntl(user_, F_SETFL, O_NONBLOCK);
  }
  ~Terminal() {
    hang_up();
    ::close(program_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  int fd() const { return program_; }
  int user_side() const { return user_; }
  std::string screen() const { return drain(user_); }
  void hang_up() {
    if (user_ >= 0) ::close(user_);
    user_ = -1;
  }

 private:
  int user_ = -1;
  int program_ = -1;
};

TEST_F(LineFileTest, a_terminal_gets_all_that_it_takes) {
  const Terminal terminal;
  LineFile file(terminal.fd());
  std::string shown;
  for (int i = 0; i < 300; ++i) {
    file.write("line of some length " + std::to_string(i) + "\n");
    shown += terminal.screen();
  }
  EXPECT_EQ(file.take_dropped(), 0u);
  EXPECT_EQ(lines_of(shown).size(), 300u);
  EXPECT_EQ(::fcntl(terminal.fd(), F_GETFL) & O_NONBLOCK, 0) << "the shell's is left as it is";
}

TEST_F(LineFileTest, a_stopped_terminal_costs_a_moment_once_and_no_more) {
  const Terminal terminal;
  LineFile file(terminal.fd());
  file.write("before\n");
  ASSERT_EQ(::tcflow(terminal.fd(), TCOOFF), 0);  // Ctrl-S
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 2000; ++i) file.write(std::string(200, 'x') + "\n");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5)) << "2000 waits would be 200 s";
  EXPECT_GT(file.take_dropped(), 1000u);
  EXPECT_EQ(file.why_dropped(), "its reader does not keep up");
  ASSERT_EQ(::tcflow(terminal.fd(), TCOON), 0);
  while (!terminal.screen().empty()) {
  }
  file.write("after\n");
  EXPECT_NE(terminal.screen().find("after"), std::string::npos);
}

TEST_F(LineFileTest, a_terminal_that_is_gone_drops_at_once) {
  Terminal terminal;
  LineFile file(terminal.fd());
  terminal.hang_up();
  for (int i = 0; i < 1000; ++i) file.write("line\n");
  EXPECT_EQ(file.take_dropped(), 1000u);
  EXPECT_EQ(file.why_dropped(), "the terminal or device behind it is gone, or fails");
}

std::atomic<int> ttou_signals = 0;

/// A background job of a terminal with `stty tostop`. Exit code 0: the line was written, and no SIGTTOU came.
int write_in_background(const Terminal& terminal) {
  ::setsid();
  ::ioctl(terminal.fd(), TIOCSCTTY, 0);
  termios settings;
  ::tcgetattr(terminal.fd(), &settings);
  settings.c_lflag |= TOSTOP;
  ::tcsetattr(terminal.fd(), TCSANOW, &settings);
  const pid_t job = ::fork();
  if (job == 0) {
    ::setpgid(0, 0);
    struct sigaction counted {};
    counted.sa_handler = [](int) { ++ttou_signals; };
    counted.sa_flags = SA_RESTART;
    ::sigaction(SIGTTOU, &counted, nullptr);
    ::alarm(20);
    LineFile file(terminal.fd());
    file.write("from behind\n");
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    ::_exit(file.take_dropped() == 0 && ttou_signals == 0 && ::sigismember(&mask, SIGTTOU) == 0 ? 0 : 1);
  }
  int status = 0;
  ::waitpid(job, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

TEST_F(LineFileTest, a_background_job_writes_to_its_terminal_without_a_signal) {
  const Terminal terminal;
  const pid_t session = ::fork();
  if (session == 0) ::_exit(write_in_background(terminal));
  int status = 0;
  ASSERT_EQ(::waitpid(session, &status, 0), session);
  EXPECT_EQ(status, 0);
  EXPECT_NE(terminal.screen().find("from behind"), std::string::npos);
}

/// Lines "name:number:xxx..." of growing length, as many as asked for.
void write_numbered(LineFile& file, const std::string& name, int count) {
  for (int i = 0; i < count; ++i) {
    file.write(name + ":" + std::to_string(i) + ":" + std::string(static_cast<std::size_t>(i % 300), 'x') + "\n");
  }
}

/// Every line well-formed, and each writer's numbers in order and complete.
void expect_complete(const std::string& text, int writers, int count) {
  std::map<std::string, int> next;
  for (const std::string& line : lines_of(text)) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    ASSERT_NE(second, std::string::npos) << line;
    int& expected = next[line.substr(0, first)];
    ASSERT_EQ(line.substr(first + 1, second - first - 1), std::to_string(expected)) << line;
    ASSERT_EQ(line.substr(second + 1), std::string(static_cast<std::size_t>(expected % 300), 'x'));
    ++expected;
  }
  EXPECT_EQ(next.size(), static_cast<std::size_t>(writers));
  for (const auto& [name, lines] : next) EXPECT_EQ(lines, count) << name;
}

TEST_F(LineFileTest, threads_and_processes_do_not_mix_their_lines_in_a_file) {
  constexpr int kCount = 500;
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      LineFile file(::open(path("a").c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
      write_numbered(file, "process" + std::to_string(i), kCount);
      ::_exit(file.take_dropped() == 0 ? 0 : 1);
    }
    children.push_back(pid);
  }
  LineFile file(open_log("a"));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&file, i] { write_numbered(file, "thread" + std::to_string(i), kCount); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const pid_t pid : children) {
    int status = -1;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
  }
  expect_complete(read_all(path("a")), 8, kCount);
}

TEST_F(LineFileTest, nothing_goes_to_the_old_file_once_reopen_has_returned) {
  LineFile file(open_log("0"));
  constexpr int kCount = 5000;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&file, i] { write_numbered(file, std::to_string(i), kCount); });
  std::vector<std::uintmax_t> sizes;
  for (int i = 1; i <= 10; ++i) {
    file.reopen(open_log(std::to_string(i).c_str()));
    sizes.push_back(fs::file_size(path(std::to_string(i - 1).c_str())));
  }
  for (std::thread& thread : threads) thread.join();
  std::string text;
  for (std::size_t i = 0; i <= 10; ++i) {
    text += read_all(path(std::to_string(i).c_str()));
    if (i < sizes.size()) {
      EXPECT_EQ(fs::file_size(path(std::to_string(i).c_str())), sizes[i]);
    }
  }
  expect_complete(text, 4, kCount);
}

}  // namespace
}  // namespace serval
