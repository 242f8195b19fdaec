#include "app/app.hpp"

#include <unistd.h>

#include <array>
#include <cstddef>

#include "app/forked_child.hpp"
#include "app/host.hpp"
#include "app/host_tasks.hpp"
#include "app/module.hpp"
#include "app/one_line.hpp"
#include "base/check.hpp"
#include "base/demangle.hpp"
#include "base/log.hpp"
#include "base/task_name.hpp"

namespace serval::app {
namespace {

/// The request's header fields as the ABI has them. Requests have about ten, so the usual ones take no allocation.
class Headers {
 public:
  explicit Headers(std::span<const http::Field> fields) : size_(fields.size()) {
    if (size_ > few_.size()) many_.resize(size_);
    data_ = size_ > few_.size() ? many_.data() : few_.data();
    for (std::size_t i = 0; i < size_; ++i) data_[i] = {text(fields[i].name), text(fields[i].value)};
  }
  Headers(const Headers&) = delete;
  Headers& operator=(const Headers&) = delete;
  const serval_field* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_;
  serval_field* data_;
  std::array<serval_field, 32> few_;
  std::vector<serval_field> many_;
};

serval_request request_view(const Request& request, const Headers& headers) {
  const http::Request& head = *request.head;
  return {
      .size = sizeof(serval_request),
      .http_major = static_cast<std::uint16_t>(head.version.major),
      .http_minor = static_cast<std::uint16_t>(head.version.minor),
      .method = text(head.method),
      .target = text(head.target),
      .path = text(head.path),
      .query = text(head.query),
      .host = text(head.host),
      .scheme = text(request.scheme),
      .peer = text(request.peer),
      .request_id = text(request.request_id),
      .headers = headers.data(),
      .header_count = headers.size(),
      .body = text(request.body),
      .body_fd = request.body_fd,
      .peer_port = request.peer_port,
      .deadline_ns = nanoseconds_of(request.deadline),
      .traceparent = text(request.traceparent),
  };
}

/// Calls `call_name` of the app, which may fail, and makes one sentence of whatever comes back.
template <class Call>
Result<void> attempt(const char* call_name, Call call) {
  serval_error error;
  std::string why;
  try {
    const AppCall out(call_name);
    if (call(&error) == 0) return {};
    why = error.why.empty() ? "it gave no reason" : error.why;
  } catch (...) {
    why = one_line(current_exception_text());
  }
  return Error{"app's " + std::string(call_name) + " failed: " + why};
}

}  // namespace

struct App::Impl {
  const serval_app* table = nullptr;
  void* state = nullptr;
  pid_t preloaded_in = 0;           ///< 0: not preloaded
  bool ready_trouble_said = false;  ///< ready() is asked again and again; its exception is logged once per spell
};

App::App(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

App::~App() {
  // A worker must not run destructors over pages it shares with the mold.
  if (impl_->preloaded_in != ::getpid() || impl_->table->destroy == nullptr) return;
  try {
    const AppCall call("destroy");
    impl_->table->destroy(impl_->state);
  } catch (...) {
    log::error("app threw in destroy", {{"error", one_line(current_exception_text())}});
  }
}

Result<std::unique_ptr<App>> App::load(const std::string& path) {
  Result<const serval_app*> table = load_module(path, host());
  if (!table) return Error{table.error()};
  auto impl = std::make_unique<Impl>();
  impl->table = *table;
  return std::unique_ptr<App>(new App(std::move(impl)));
}

Result<void> App::preload(const std::vector<std::string>& args, int generation, std::string_view server_name) {
  SERVAL_CHECK(impl_->preloaded_in == 0);
  std::vector<serval_text> arg_views;
  for (const std::string& arg : args) arg_views.push_back(text(arg));
  const serval_preload preload = {
      .size = sizeof(serval_preload),
      .generation = static_cast<std::uint32_t>(generation),
      .name = text(server_name),
      .args = arg_views.data(),
      .arg_count = arg_views.size(),
  };
  open_tasks();
  Result<void> done =
      attempt("preload", [&](serval_error* error) { return impl_->table->preload(&preload, &impl_->state, error); });
  close_tasks();
  if (done) impl_->preloaded_in = ::getpid();
  return done;
}

Result<void> App::worker_start(const WorkerInfo& info) {
  if (impl_->table->worker_start == nullptr) return {};
  const serval_worker worker = {
      .size = sizeof(serval_worker),
      .generation = static_cast<std::uint32_t>(info.generation),
      .slot = static_cast<std::uint32_t>(info.slot),
      .threads = static_cast<std::uint32_t>(info.threads),
      .name = text(info.server_name),
  };
  return attempt("worker_start",
                 [&](serval_error* error) { return impl_->table->worker_start(impl_->state, &worker, error); });
}

bool App::is_asked_again() const { return impl_->table->ready != nullptr && impl_->table->abi_minor >= 2; }

bool App::ready() {
  if (impl_->table->ready == nullptr) return true;
  std::string why;
  try {
    const AppCall call("ready");
    const bool ready = impl_->table->ready(impl_->state) != 0;
    impl_->ready_trouble_said = false;
    return ready;
  } catch (...) {
    why = one_line(current_exception_text());
  }
  if (!impl_->ready_trouble_said) log::error("app threw in ready, taken for no", {{"error", why}});
  impl_->ready_trouble_said = true;
  return false;
}

void App::worker_stop() {
  if (impl_->table->worker_stop == nullptr) return;
  const Result<void> done = attempt("worker_stop", [&](serval_error*) {
    impl_->table->worker_stop(impl_->state);
    return 0;
  });
  if (!done) log::error(done.error());
}

void App::handle(const Request& request, Answer& answer) {
  const Headers headers(request.head->fields);
  const serval_request view = request_view(request, headers);
  serval_exchange exchange{.answer = answer,
                           .method = request.head->method,
                           .target = request.shown_target,
                           .request_id = request.request_id};
  const Answering answering(exchange);
  std::string why;
  try {
    const AppCall call("handle");
    const std::int32_t handled = impl_->table->handle(impl_->state, &view, &exchange);
    if (exchange.answered) return;
    why = exchange.why_unanswered;
    if (handled != SERVAL_ANSWERED) why += " and gave " + std::to_string(handled) + ", which this serval does not know";
  } catch (...) {
    why = one_line(current_exception_text());
  }
  if (!exchange.answered) answer.fail(why);
}

std::vector<std::string> App::tasks() const { return registered_tasks(); }

/// Only what the kernel lets through is an exit code.
Result<int> App::run_task(const std::string& name, TaskRun run) {
  const serval_task* task = find_task(name);
  if (task == nullptr) return Error{no_such_task(name, tasks())};
  serval_job job{.arguments = std::move(run.arguments), .instance = run.instance, .ready_fd = run.ready_fd};
  serval_error error;
  int code = 0;
  try {
    const AppCall call("a task");
    code = task->run(task->context, &job, &error);
    if (code < 0 || code > 255) code = 255;
  } catch (...) {
    code = 1;
    error.why = one_line(current_exception_text());
  }
  if (code != 0 && !error.why.empty())
    log::error("task failed", {{"task", name}, {"exit_code", code}, {"why", error.why}});
  return code;
}

}  // namespace serval::app
