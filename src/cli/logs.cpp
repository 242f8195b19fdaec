#include <poll.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/exit_code.hpp"
#include "base/log_text.hpp"
#include "base/text.hpp"
#include "cli/ask_server.hpp"
#include "cli/bodies.hpp"
#include "cli/growing_file.hpp"
#include "cli/log_filter.hpp"
#include "cli/log_paths.hpp"
#include "cli/usage.hpp"
#include "os/file_watch.hpp"

namespace serval::cli {
namespace {

constexpr auto kPatience = std::chrono::seconds(3);
constexpr int kMaxLines = 1'000'000;
constexpr int kMaxSlot = 1'000'000;
/// Between two looks at what cannot be watched.
constexpr int kLookAgainMs = 1000;

/// What the flags ask for.
struct Wanted {
  int lines = 100;
  LogFilter filter;
};

std::optional<int> parse_number(std::string_view text, int max) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0 || number > max) return std::nullopt;
  return number;
}

/// None: a flag's value is not right, and standard error has said so.
std::optional<Wanted> read_flags(const Invocation& invocation) {
  Wanted wanted;
  if (!invocation.lines.empty()) {
    const auto lines = parse_number(invocation.lines, kMaxLines);
    if (!lines) {
      usage_error("logs", "-n " + quoted(invocation.lines) + " is no number from 0 to " + std::to_string(kMaxLines),
                  "for example -n 20");
      return std::nullopt;
    }
    wanted.lines = *lines;
  }
  if (!invocation.worker.empty()) {
    const auto slot = parse_number(invocation.worker, kMaxSlot);
    if (!slot) {
      usage_error("logs", "--worker " + quoted(invocation.worker) + " is no slot",
                  "for example --worker 0; serval status lists them");
      return std::nullopt;
    }
    wanted.filter.process = "worker[" + std::to_string(*slot) + "]";
  }
  wanted.filter.program = invocation.program;
  if (!invocation.level.empty()) {
    wanted.filter.at_least = level_of(invocation.level);
    if (!wanted.filter.at_least) {
      usage_error("logs", "--level " + quoted(invocation.level) + " is no level",
                  "expected debug, info, warning or error");
      return std::nullopt;
    }
  }
  wanted.filter.text = invocation.grep;
  return wanted;
}

int failed_with(std::string_view what, std::string_view hint) {
  std::cerr << failed(exit_code::app_failed, "logs", what, hint).message;
  return exit_code::app_failed;
}

/// serval's lines hold no control bytes, but the file may hold others.
void print(std::string_view line) {
  std::string shown;
  log::append_text(shown, line, false);
  std::cout << shown << '\n';
}

int cannot_read(const std::string& path, const std::string& why) {
  return failed_with("cannot read the log " + path + ": " + why,
                     "it is read with the rights of whoever asks; a named pipe or device is read where it leads to");
}

/// One file from which is printed what comes, over rotations.
class Followed {
 public:
  Followed(std::string path, GrowingFile file, const LogFilter& filter)
      : path_(std::move(path)), file_(std::move(file)), filter_(filter) {}

  /// Prints what is there that passes.
  void print_last(std::size_t count) {
    const auto matches = [&](std::string_view line) { return passes(filter_, line); };
    for (const std::string& line : file_.take_last(count, matches)) print(line);
  }

  void print_all_new() {
    // Watched first and looked at then: nothing that happens in between is missed.
    watched_ = watch_.watch(path_);
    do {
      print_new();
    } while (take_successor());
  }

  int fd() const { return watch_.fd(); }
  void clear() { watch_.clear(); }
  bool has_to_be_looked_at() const { return !watched_ || said_; }

 private:
  void print_new() {
    const auto sink = [this](std::string_view line) {
      if (passes(filter_, line)) print(line);
    };
    // A rotation renames the file first, and until serval has reopened its log, lines still go to the one it has.
    if (before_) before_->read_new(sink);
    file_.read_new(sink);
  }

  bool take_successor() {
    if (!file_.is_replaced_at(path_)) return false;
    Result<GrowingFile> successor = GrowingFile::open(path_);
    if (!successor) {
      if (!said_) cannot_read(path_, successor.error());
      said_ = true;
      return false;
    }
    said_ = false;
    before_ = std::exchange(file_, std::move(*successor));
    return true;
  }

  std::string path_;
  GrowingFile file_;
  std::optional<GrowingFile> before_;  ///< the one that had the path before it
  LogFilter filter_;
  os::FileWatch watch_;
  bool watched_ = false;
  bool said_ = false;  ///< that the file which has the path now cannot be read
};

/// Until a signal ends the process or nobody reads what is printed any more.
int follow(std::vector<std::unique_ptr<Followed>>& files) {
  while (std::cout) {
    std::vector<pollfd> events = {{STDOUT_FILENO, 0, 0}};
    bool look_again = false;
    for (const auto& file : files) {
      file->print_all_new();
      events.push_back({file->fd(), POLLIN, 0});
      look_again = look_again || file->has_to_be_looked_at();
    }
    std::cout.flush();
    ::poll(events.data(), events.size(), look_again ? kLookAgainMs : -1);
    for (const auto& file : files) file->clear();
    if ((events.front().revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) break;
  }
  return exit_code::ok;
}

/// As tail(1): whoever interrupts it has seen enough, and so has a reader that leaves.
void end_by_signals() {
  for (const int number : {SIGINT, SIGTERM}) ::signal(number, [](int) { ::_exit(exit_code::ok); });
  ::signal(SIGPIPE, SIG_DFL);
}

}  // namespace

int logs(const Invocation& invocation) {
  auto wanted = read_flags(invocation);
  if (!wanted) return exit_code::usage;
  const Asked asked = ask_server(invocation, {.command = "status", .arguments = {{"memory", false}}}, kPatience);
  if (asked.code != exit_code::ok) return asked.code;
  const LogPaths found = log_paths(asked.result, invocation.program);
  if (found.paths.empty()) return failed_with(found.why, found.hint);
  if (found.of_program) {
    if (wanted->filter.at_least)
      return failed_with("the file of a program's output has no levels", "leave --level out, or use --grep");
    wanted->filter.program.clear();  // all of it is that program's
  }
  std::vector<std::unique_ptr<Followed>> files;
  for (const std::string& path : found.paths) {
    Result<GrowingFile> file = GrowingFile::open(path);
    if (!file) return cannot_read(path, file.error());
    files.push_back(std::make_unique<Followed>(path, std::move(*file), wanted->filter));
  }
  end_by_signals();
  for (const auto& file : files) file->print_last(static_cast<std::size_t>(wanted->lines));
  return invocation.follow ? follow(files) : exit_code::ok;
}

}  // namespace serval::cli
