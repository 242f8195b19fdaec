#include "master/stack_names.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <iterator>
#include <span>
#include <utility>

#include "base/errno_text.hpp"
#include "base/log.hpp"
#include "os/mapped_files.hpp"
#include "os/spawn.hpp"
#include "os/wait.hpp"
#include "stack/names.hpp"

namespace serval::master {
namespace {

constexpr auto kLayoutStays = std::chrono::seconds(1);
constexpr std::size_t kMaxAnswerBytes = 1024 * 1024;

/// The next bytes; none at the end, or if it cannot be read (any more).
std::size_t read_some(int fd, std::span<char> buffer) {
  ssize_t size = -1;
  do {
    size = ::read(fd, buffer.data(), buffer.size());
  } while (size < 0 && errno == EINTR);
  return size > 0 ? static_cast<std::size_t>(size) : 0;
}

}  // namespace

StackNames::StackNames(boost::asio::io_context& io, std::string program, Duration patience)
    : io_(io),
      program_(std::move(program)),
      patience_(patience),
      timer_(io),
      self_(std::make_shared<StackNames*>(this)) {}

StackNames::~StackNames() { kill_namer(); }

void StackNames::name(pid_t layout, const stack::Frames& frames, Done done) {
  const auto count = static_cast<std::size_t>(std::clamp(frames.count, 0, stack::kMaxFrames));
  const auto addresses = std::span(frames.address).first(count);
  Asked asked{nullptr, {addresses.begin(), addresses.end()}, std::move(done), Clock::now() + patience_};
  if (waiting_.size() < kMaxWaiting) asked.layout = layout_of(layout);
  if (asked.layout == nullptr || asked.layout->maps.empty()) {
    auto bare = stack::bare_frames(asked.stack, maps_of(asked.layout));
    return answer_later(std::move(asked), std::move(bare));
  }
  waiting_.push_back(std::move(asked));
  start_next();
}

StackNames::SharedLayout StackNames::layout_of(pid_t pid) {
  const TimePoint now = Clock::now();
  if (last_read_.pid == pid && now < last_read_.until) return last_read_.layout;
  struct stat folder = {};
  if (::stat(("/proc/" + std::to_string(pid)).c_str(), &folder) != 0) return nullptr;
  last_read_ = {pid, now + kLayoutStays,
                std::make_shared<const Layout>(Layout{os::mapped_files(pid), folder.st_uid, folder.st_gid})};
  return last_read_.layout;
}

void StackNames::give_up() {
  kill_namer();
  std::vector<Asked> left;
  if (namer_) left = std::move(namer_->asked);
  namer_.reset();
  std::move(waiting_.begin(), waiting_.end(), std::back_inserter(left));
  waiting_.clear();
  timer_.cancel();
  deliver();
  for (Asked& asked : left) asked.done(stack::bare_frames(asked.stack, maps_of(asked.layout)));
}

void StackNames::start_next() {
  while (!namer_ && !waiting_.empty()) {
    namer_ = std::make_unique<Namer>();
    do {
      namer_->asked.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    } while (!waiting_.empty() && *waiting_.front().layout == *namer_->asked.front().layout);
    if (const auto pid = start(*namer_)) {
      namer_->pid = *pid;
    } else {
      fail(pid.error());
    }
  }
  arm_timer();
}

Result<pid_t> StackNames::start(Namer& namer) {
  const Layout& layout = *namer.asked.front().layout;
  stack::Question question{.maps = layout.maps, .stacks = {}, .uid = layout.uid, .gid = layout.gid};
  for (const Asked& asked : namer.asked) question.stacks.push_back(asked.stack);
  const auto question_fd = stack::write_question(question);
  if (!question_fd) return Error{question_fd.error()};
  const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!nothing) return Error{"cannot open /dev/null: " + errno_text()};
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{"cannot make a pipe: " + errno_text()};
  namer.answer_fd.reset(ends[0]);
  const UniqueFd write_end(ends[1]);
  ::fcntl(namer.answer_fd.get(), F_SETFL, O_NONBLOCK);

  os::Spawn what;
  what.program = program_;
  what.arguments = {"stack", std::to_string(question_fd->get())};
  what.fds = {{nothing.get(), 0}, {write_end.get(), 1}, {question_fd->get(), question_fd->get()}};
  auto pid = os::spawn(what);
  if (pid) namer.watch.emplace(io_, namer.answer_fd.get(), [this] { read_answer(); });
  return pid;
}

void StackNames::read_answer() {
  std::array<char, 16 * 1024> buffer;
  for (;;) {
    errno = 0;
    const std::size_t size = read_some(namer_->answer_fd.get(), buffer);
    if (size == 0 && errno == EAGAIN) return;
    if (size == 0) break;
    namer_->answer.append(buffer.data(), size);
    if (namer_->answer.size() > kMaxAnswerBytes) {
      kill_namer();
      fail("the answer is too long");
      return start_next();
    }
  }
  namer_->pid = 0;  // it has closed its output and so has ended, or is about to
  if (namer_->answer.empty()) {
    fail("no answer: the debug information may take more memory than `serval stack` is allowed");
  } else if (auto names = stack::parse_answer(namer_->answer)) {
    finish(std::move(*names));
  } else {
    fail(names.error());
  }
  start_next();
}

void StackNames::finish(std::vector<std::vector<std::string>> names) {
  const auto ended = std::move(namer_);
  names.resize(ended->asked.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    Asked& asked = ended->asked[i];
    if (names[i].size() != asked.stack.size()) names[i] = stack::bare_frames(asked.stack, maps_of(asked.layout));
    answer_later(std::move(asked), std::move(names[i]));
  }
}

void StackNames::fail(const std::string& why) {
  log::warning("stack frames could not be named, they are shown as places in their files", {{"why", why}});
  finish({});
}

/// A pid that is kept is that of a process that has not ended yet, since its end closes the pipe.
void StackNames::kill_namer() {
  if (namer_ && namer_->pid > 0) os::kill_child(std::exchange(namer_->pid, 0), SIGKILL);
}

/// Never within name(): its caller need not expect the call yet.
void StackNames::answer_later(Asked asked, std::vector<std::string> frames) {
  answered_.push_back([done = std::move(asked.done), frames = std::move(frames)] { done(frames); });
  if (answered_.size() > 1) return;
  boost::asio::post(io_, [self = std::weak_ptr(self_)] {
    if (const auto alive = self.lock()) (*alive)->deliver();
  });
}

void StackNames::deliver() {
  const auto calls = std::exchange(answered_, {});
  for (const auto& call : calls) call();
}

void StackNames::arm_timer() {
  timer_.cancel();
  if (!namer_) return;
  timer_.expires_at(namer_->asked.front().deadline);
  timer_.async_wait([self = std::weak_ptr(self_)](const auto& error) {
    const auto alive = self.lock();
    if (alive && !error) (*alive)->on_deadline();
  });
}

/// A call that was on its way when the answer came finds another process, or none.
void StackNames::on_deadline() {
  if (namer_) read_answer();  // it may be there just now; if not, the process lives and its pid is its own
  if (!namer_ || Clock::now() < namer_->asked.front().deadline) return;
  kill_namer();
  fail("it takes too long");
  start_next();
}

}  // namespace serval::master
