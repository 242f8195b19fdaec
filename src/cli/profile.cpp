#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <iostream>
#include <optional>
#include <string>
#include <utility>

#include "base/errno_text.hpp"
#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "cli/ask_server.hpp"
#include "cli/bodies.hpp"
#include "cli/draw.hpp"
#include "cli/request.hpp"
#include "cli/usage.hpp"
#include "control/commands.hpp"
#include "control/shown.hpp"
#include "os/spawn.hpp"
#include "os/wait.hpp"

namespace serval::cli {
namespace {

constexpr std::int64_t kDefaultSeconds = 10;
/// Beyond the profile's own length: for workers that do not answer, and a busy master.
constexpr Duration kMorePatience = std::chrono::seconds(20);

int fail(const std::string& why, int code) {
  std::cerr << "serval profile: " << why << '\n';
  return code;
}

/// A file beside the one that is asked for, which it replaces only once it is whole.
struct Beside {
  UniqueFd fd;
  std::string path;
};

std::optional<Beside> open_beside(const std::string& wanted) {
  std::string path = wanted + ".XXXXXX";
  UniqueFd fd(::mkostemp(path.data(), O_CLOEXEC));
  if (!fd) return std::nullopt;
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(fd.get(), 0666 & ~mask);
  return Beside{std::move(fd), std::move(path)};
}

/// Tried before anything is sampled, and nothing is left of it: Ctrl-C meanwhile has nothing to clean up.
bool can_be_written(const std::string& wanted) {
  const auto file = open_beside(wanted);
  return file && ::unlink(file->path.c_str()) == 0;
}

/// False: errno says why.
bool write_file(const std::string& wanted, int from) {
  const auto file = open_beside(wanted);
  if (!file) return false;
  off_t offset = 0;
  ssize_t sent = 0;
  do {
    sent = ::sendfile(file->fd.get(), from, &offset, std::size_t{1} << 30);
  } while (sent > 0 || (sent < 0 && errno == EINTR));
  if (sent == 0 && ::rename(file->path.c_str(), wanted.c_str()) == 0) return true;
  const int error = errno;
  ::unlink(file->path.c_str());
  errno = error;
  return false;
}

/// Says which workers have given nothing.
void say_what_is_missing(const boost::json::object& result) {
  for (const auto* worker : control::objects_in(result, "workers")) {
    if (const std::string why = control::text_at(*worker, "why"); why != control::kUnknown) {
      std::cerr << "serval profile: worker " << control::number(*worker, "slot") << " has no samples: " << why << '\n';
    }
  }
}

/// None: the answer is not what a server says that knows profiles.
std::optional<Drawing> drawing_of(const boost::json::object& result, const Invocation& invocation) {
  const auto region = control::number_at(result, "region");
  const auto hz = control::number_at(result, "hz");
  const auto workers = control::objects_in(result, "workers");
  const auto* cpu = result.if_contains("cpu");
  if (!region || *region <= 0 || !hz || workers.empty() || cpu == nullptr || !cpu->is_bool()) return std::nullopt;
  Drawing drawing{.region = static_cast<std::size_t>(*region),
                  .workers = workers.size(),
                  .cpu = cpu->as_bool(),
                  .hz = static_cast<int>(*hz),
                  .all = invocation.all,
                  .title = cpu->as_bool() ? "serval profile: CPU time" : "serval profile: wall time"};
  // Where they differ, after a reload that has changed server.user, those of one that is not root do for all.
  for (const auto* worker : workers) {
    const auto uid = control::number_at(*worker, "uid");
    const auto gid = control::number_at(*worker, "gid");
    if (!uid || !gid) return std::nullopt;
    if (drawing.uid != 0) break;
    drawing.uid = static_cast<uid_t>(*uid);
    drawing.gid = static_cast<gid_t>(*gid);
  }
  return drawing;
}

int draw_in_another_process(Drawing drawing, const UniqueFd& samples, int output) {
  drawing.samples_fd = samples.get();
  const auto question = write_drawing(drawing);
  if (!question) return fail(question.error(), exit_code::internal);
  os::Spawn what;
  what.program = os::kOwnProgram;
  what.called = "serval draw";
  what.arguments = {"draw", std::to_string(question->get())};
  what.fds = {{output, 1}, {question->get(), question->get()}, {samples.get(), samples.get()}};
  const auto pid = os::spawn(what);
  if (!pid) return fail(pid.error(), exit_code::internal);
  const auto exit = os::wait_for(*pid);
  if (!exit || exit->signaled) {
    return fail("the process that names the frames ended" + (exit ? " by " + exit->text() : std::string()),
                exit_code::internal);
  }
  return exit->code;
}

}  // namespace

int profile(const Invocation& invocation) {
  const control::Command& order = control::command_for(control::Order::profile);
  profile::Format format = profile::Format::table;
  if (!invocation.output.empty() && !profile::format_of(invocation.output, format)) {
    return usage_error(order.name, "the ending of " + quoted(invocation.output) + " says no format",
                       "use .svg, .html, .folded, .txt, .pb, .pprof or .pb.gz");
  }
  const auto request = make_request(*find_command(invocation.command), order, invocation);
  if (const auto* misuse = std::get_if<Misuse>(&request)) return usage_error(order.name, misuse->what, misuse->hint);
  const auto& wanted = std::get<control::Request>(request);
  const auto cannot_write = [&] {
    return fail("cannot write " + invocation.output + ": " + errno_text(), exit_code::cannot_create);
  };
  if (!invocation.output.empty() && !can_be_written(invocation.output)) return cannot_write();
  UniqueFd samples;
  const auto seconds = control::number_at(wanted.arguments, "seconds").value_or(kDefaultSeconds);
  const Asked asked = ask_server(invocation, wanted, std::chrono::seconds(seconds) + kMorePatience,
                                 [&samples](UniqueFd file) { samples = std::move(file); });
  if (asked.code != exit_code::ok) return asked.code;
  say_what_is_missing(asked.result);
  auto drawing = drawing_of(asked.result, invocation);
  if (!samples || !drawing) return fail("the server's answer holds no samples", exit_code::internal);
  drawing->format = format;
  if (invocation.output.empty()) return draw_in_another_process(*drawing, samples, STDOUT_FILENO);
  const UniqueFd drawn(::memfd_create("serval-profile-drawn", MFD_CLOEXEC));
  if (!drawn) return fail("cannot make a memory file: " + errno_text(), exit_code::internal);
  if (const int code = draw_in_another_process(*drawing, samples, drawn.get()); code != exit_code::ok) return code;
  return write_file(invocation.output, drawn.get()) ? exit_code::ok : cannot_write();
}

}  // namespace serval::cli
