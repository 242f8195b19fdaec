#include "app/host_tasks.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <exception>

#include "app/abi_text.hpp"
#include "app/one_line.hpp"
#include "base/result.hpp"
#include "base/task_name.hpp"
#include "base/text.hpp"
#include "os/stop_signal.hpp"

namespace serval::app {
namespace {

struct Registered {
  std::string name;
  serval_task task;
};

/// The app's functions know no context of ours: there is one app in a process.
bool is_open = false;
std::deque<Registered> tasks;  // its elements stay where they are

constexpr std::size_t kFirstSize = offsetof(serval_task, context) + sizeof(serval_task::context);

Result<void> add(const serval_task& task) {
  if (task.size < kFirstSize) return Error{"a serval_task's size is that of the struct"};
  const std::string_view name = view(task.name);
  const auto refuse = [&](const std::string& why) {
    return Error{"task " + quoted(one_line(shortened(name, 80))) + " cannot be registered: " + why};
  };
  if (!is_open) return refuse("that is possible only while the app preloads, in its constructor");
  if (!is_task_name(name)) return refuse("a name has " + std::string(kTaskNameRule));
  if (task.run == nullptr) return refuse("it has no function");
  if (find_task(name) != nullptr) return refuse("the app has one of that name already");
  if (tasks.size() == kMaxTasks) return refuse("the app has " + std::to_string(kMaxTasks) + " already");
  Registered& added = tasks.emplace_back(Registered{std::string(name), task});
  added.task.name = text(added.name);
  return {};
}

}  // namespace

void open_tasks() {
  tasks.clear();
  is_open = true;
}

void close_tasks() { is_open = false; }

std::vector<std::string> registered_tasks() {
  std::vector<std::string> names;
  for (const Registered& one : tasks) names.push_back(one.name);
  return names;
}

const serval_task* find_task(std::string_view name) {
  const auto found = std::find_if(tasks.begin(), tasks.end(), [name](const auto& one) { return one.name == name; });
  return found == tasks.end() ? nullptr : &found->task;
}

/// Nothing that is thrown gets into the app's frames, which may be C.
std::int32_t register_task(const serval_task* task, char* why, std::size_t capacity) try {
  const auto added = add(*task);
  if (!added) say_why(added.error(), why, capacity);
  return added ? 1 : 0;
} catch (const std::exception& exception) {
  say_why(exception.what(), why, capacity);
  return 0;
}

serval_text job_argument(serval_job* job, std::size_t nth) {
  if (nth >= job->arguments.size()) return {nullptr, 0};
  return text(job->arguments[nth]);
}

std::int32_t job_instance(serval_job* job) { return job->instance; }

std::int32_t job_stopping(serval_job*) { return os::stop_asked() ? 1 : 0; }

std::int32_t job_stop_fd(serval_job*) { return os::stop_fd(); }

/// Two threads that say it at once write two lines at most, of which the first one counts.
void job_ready(serval_job* job) {
  if (job->ready_fd < 0) return;
  while (::write(job->ready_fd, "\n", 1) < 0 && errno == EINTR) {
  }
}

}  // namespace serval::app
