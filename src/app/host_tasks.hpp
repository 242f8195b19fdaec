#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <serval/serval.h>

/// The other side of serval_job: what the task of this process is told.
struct serval_job {
  std::vector<std::string> arguments{};
  int instance = -1;  ///< -1: it is no program's
  int ready_fd = -1;  ///< where it says that it is ready, until it has; -1: nobody wants to hear it
};

/// The functions of serval_host for tasks, as serval.h says what they do.
namespace serval::app {

/// The app preloads, in this thread: tasks may be registered. Those from before are forgotten.
void open_tasks();
/// It has preloaded.
void close_tasks();
/// In the order in which they were registered.
std::vector<std::string> registered_tasks();
/// nullptr: there is none of this name. Good for the process's life.
const serval_task* find_task(std::string_view name);

std::int32_t register_task(const serval_task* task, char* why, std::size_t capacity);
serval_text job_argument(serval_job* job, std::size_t nth);
std::int32_t job_instance(serval_job* job);
std::int32_t job_stopping(serval_job* job);
std::int32_t job_stop_fd(serval_job* job);
void job_ready(serval_job* job);

}  // namespace serval::app
