#include "master/config_reader.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <utility>

#include "base/errno_text.hpp"
#include "base/units.hpp"
#include "os/memory_file.hpp"
#include "os/spawn.hpp"
#include "os/wait.hpp"

namespace serval::master {
namespace {

using namespace std::chrono_literals;

/// The file has a megabyte, at maximum.
constexpr Duration kReadTimeout = 10s;
/// A value may be longer as JSON than it is as TOML, and problems repeat parts of it.
constexpr off_t kMaxAnswerBytes = 32 * 1024 * 1024;

Result<config::Reading> reading_in(int fd) {
  struct stat status = {};
  if (::fstat(fd, &status) != 0 || status.st_size > kMaxAnswerBytes)
    return Error{"the configuration that was read is too large"};
  const auto text = os::read_memory_file(fd, "the configuration that was read");
  if (!text) return Error{text.error()};
  return config::read_reading(*text);
}

}  // namespace

void ConfigReader::read(const config::Sources& sources, Done done) {
  if (const auto started = start(sources, done); !started)
    done(Error{"cannot read the configuration: " + started.error()});
}

Result<void> ConfigReader::start(const config::Sources& sources, Done& done) {
  const auto question =
      os::make_memory_file("serval-sources", "where the configuration comes from", config::write_sources(sources));
  if (!question) return Error{question.error()};
  UniqueFd answer(::memfd_create("serval-reading", MFD_CLOEXEC));
  const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!answer || !nothing) return Error{"no descriptor for the answer: " + errno_text()};
  os::Spawn what;
  what.program = program_;
  what.arguments = {"read", std::to_string(question->get())};
  what.fds = {{nothing.get(), 0}, {answer.get(), 1}, {question->get(), question->get()}};
  const auto pid = os::spawn(what);
  if (!pid) return Error{pid.error()};
  reading_.emplace(*pid, std::move(answer), std::move(done), boost::asio::steady_timer(io_, kReadTimeout));
  reaper_.await(*pid, [this](const os::ChildExit& exit) { on_exit(exit); });
  reading_->timer.async_wait([this, pid = *pid](const auto& error) {
    if (error || !reading_ || reading_->pid != pid) return;
    kill();
    end(Error{"the configuration has not been read within " + format_duration(kReadTimeout) +
              ": is the file a pipe, or on a disk that is gone?"});
  });
  return {};
}

void ConfigReader::on_exit(const os::ChildExit& exit) {
  if (exit.clean()) {
    end(reading_in(reading_->answer.get()));
  } else {
    end(Error{"the process that read the configuration ended: " + exit.text()});
  }
}

/// One that waits for a disk does not even die: its end is not waited for.
void ConfigReader::kill() {
  os::kill_child(reading_->pid, SIGKILL);
  reaper_.forget(reading_->pid);
}

void ConfigReader::end(Result<config::Reading> result) {
  const Done done = std::move(reading_->done);
  reading_.reset();
  done(std::move(result));
}

void ConfigReader::cancel(const std::string& why) {
  if (!reading_) return;
  kill();
  end(Error{why});
}

void ConfigReader::give_up() {
  if (reading_) kill();
  reading_.reset();
}

}  // namespace serval::master
