#include "app/host.hpp"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <iterator>
#include <memory>
#include <type_traits>

#include "app/forked_child.hpp"
#include "app/host_metrics.hpp"
#include "app/host_tasks.hpp"
#include "app/one_line.hpp"
#include "base/log.hpp"
#include "http/query.hpp"

namespace serval::app {
namespace {

thread_local serval_exchange* current_exchange = nullptr;

/// Runs `body`; nothing it throws gets into the app's frames, which may be C. The answer is then missing, which
/// App::handle reports.
template <class Body>
void guarded(const char* what, Body body) noexcept {
  try {
    body();
  } catch (const std::exception& exception) {
    try {
      log::error(what, {{"error", exception.what()}});
    } catch (...) {
      // Out of memory twice: the app's request fails as unanswered.
    }
  } catch (...) {
  }
}

bool null_with_length(serval_text text) { return text.data == nullptr && text.size != 0; }

/// Header fields as http has them. Most answers have few, so the usual ones take no allocation.
class Fields {
 public:
  Fields(const serval_field* fields, std::size_t count) {
    if (count > std::size(few_)) many_.resize(count);
    http::Field* out = count > std::size(few_) ? many_.data() : few_;
    for (std::size_t i = 0; i < count; ++i) std::construct_at(out + i, view(fields[i].name), view(fields[i].value));
    span_ = {out, count};
  }
  std::span<const http::Field> span() const { return span_; }

 private:
  union {
    http::Field few_[16];  ///< begun as far as there are any: empty ones would be written for each answer
  };
  static_assert(std::is_trivially_destructible_v<http::Field>);
  std::vector<http::Field> many_;
  std::span<const http::Field> span_;
};

/// Why the ABI's rules forbid this response; null if they do not. Whether its headers may be sent is http's question,
/// not asked here.
const char* why_not_valid(const serval_response& response) {
  if (response.status < 200 || response.status > 599) return "the status is not between 200 and 599";
  if (null_with_length(response.body)) return "the body is a null pointer with a length";
  if (response.headers == nullptr && response.header_count != 0) return "the headers are a null pointer with a count";
  for (std::size_t i = 0; i < response.header_count; ++i) {
    if (null_with_length(response.headers[i].name) || null_with_length(response.headers[i].value))
      return "a header is a null pointer with a length";
  }
  return nullptr;
}

/// True if the calling thread may answer `exchange` now, and marks it as answered.
bool take(serval_exchange* exchange) {
  end_if_forked("handle");  // with an answer: the parent gives it
  if (exchange == nullptr || exchange != current_exchange) {
    log::warning("app answered outside of handle, ignored: the request was over or belongs to another thread");
    return false;
  }
  if (exchange->answered) {
    log::warning("app answered twice, the second answer is ignored",
                 {{"request_id", exchange->request_id}, {"method", exchange->method}, {"target", exchange->target}});
    return false;
  }
  exchange->answered = true;
  return true;
}

/// Calls the app's release unless the receiver of the answer has taken that over.
class ReleaseUnlessTaken {
 public:
  explicit ReleaseUnlessTaken(const serval_response& response)
      : release_(response.release), context_(response.release_context) {}
  ~ReleaseUnlessTaken() {
    if (release_ != nullptr) call_release(release_, context_);
  }
  ReleaseUnlessTaken(const ReleaseUnlessTaken&) = delete;
  ReleaseUnlessTaken& operator=(const ReleaseUnlessTaken&) = delete;
  void taken() { release_ = nullptr; }

 private:
  void (*release_)(void*);
  void* context_;
};

void deliver(serval_exchange& exchange, const Answer::Response& response) {
  try {
    exchange.answer.respond(response);
  } catch (...) {
    exchange.answered = false;
    exchange.why_unanswered = "serval could not take the answer";
    throw;
  }
}

void respond(serval_exchange* exchange, const serval_response* response) {
  guarded("app's answer could not be taken", [&] {
    constexpr std::size_t kFirstSize =
        offsetof(serval_response, release_context) + sizeof(serval_response::release_context);
    if (response == nullptr || response->size < kFirstSize) {
      if (take(exchange)) exchange->answer.fail("the serval_response is null or its `size` is not set");
      return;
    }
    ReleaseUnlessTaken release(*response);
    if (!take(exchange)) return;
    if (const char* why = why_not_valid(*response)) {
      return exchange->answer.fail(std::string("the response is not valid: ") + why + " (status " +
                                   std::to_string(response->status) + ")");
    }
    const Fields fields(response->headers, response->header_count);
    release.taken();
    deliver(*exchange, {response->status,
                        fields.span(),
                        view(response->body),
                        {response->release, response->release_context, call_release}});
  });
}

void fail(serval_exchange* exchange, serval_text why) {
  guarded("app's failure could not be taken", [&] {
    if (!take(exchange)) return;
    const std::string sentence = one_line(view(why));
    exchange->answer.fail(sentence.empty() ? "the app gave no reason" : sentence);
  });
}

log::Level level_of(int32_t level) {
  switch (level) {
    case SERVAL_LOG_DEBUG: return log::Level::debug;
    case SERVAL_LOG_INFO: return log::Level::info;
    case SERVAL_LOG_WARNING: return log::Level::warning;
  }
  return log::Level::error;
}

void write_log(int32_t level, serval_text message) {
  guarded("app's log line is lost", [&] {
    const std::string sentence = one_line(view(message));
    // Threads of the app's own handle nothing, so their lines belong to no request that serval could name.
    if (current_exchange == nullptr) {
      log::write(level_of(level), sentence, {{"from", "app"}});
    } else {
      log::write(level_of(level), sentence, {{"from", "app"}, {"request_id", current_exchange->request_id}});
    }
  });
}

void explain(serval_error* error, serval_text why) {
  guarded("app's error is lost", [&] {
    if (error != nullptr) error->why = one_line(view(why));
  });
}

serval_text header(const serval_request* request, serval_text name, std::size_t nth) {
  for (std::size_t i = 0; i < request->header_count; ++i) {
    if (http::equal_names(view(request->headers[i].name), view(name)) && nth-- == 0) return request->headers[i].value;
  }
  return {nullptr, 0};
}

/// What fits of `text`, as snprintf(3) does: the whole length is returned.
int64_t copy_out(std::string_view text, char* buffer, std::size_t capacity) {
  text.copy(buffer, capacity);
  return static_cast<int64_t>(text.size());
}

int64_t query_value(const serval_request* request, serval_text name, std::size_t nth, char* buffer,
                    std::size_t capacity) {
  int64_t length = -1;
  guarded("app's query could not be read", [&] {
    for (const http::Parameter& parameter : http::parse_query(view(request->query))) {
      if (parameter.name != view(name) || nth-- > 0) continue;
      length = copy_out(parameter.value, buffer, capacity);
      return;
    }
  });
  return length;
}

int64_t percent_decode(serval_text encoded, char* buffer, std::size_t capacity) {
  int64_t length = 0;
  guarded("app's text could not be decoded",
          [&] { length = copy_out(http::decode_path(view(encoded)), buffer, capacity); });
  return length;
}

/// What `ask` says of a request that the calling thread handles; `otherwise`, with a line in the log, of any other.
template <class Ask, class Value>
Value of_current(serval_exchange* exchange, Value otherwise, Ask ask) {
  Value value = otherwise;
  guarded("app's question could not be answered", [&] {
    if (exchange != nullptr && exchange == current_exchange) {
      value = ask(exchange->answer);
    } else {
      log::warning(
          "app asked about a deadline outside of handle, ignored: the request was over or belongs to another thread");
    }
  });
  return value;
}

std::uint64_t deadline(serval_exchange* exchange) {
  return of_current(exchange, std::uint64_t{0}, [](const Answer& answer) { return nanoseconds_of(answer.deadline()); });
}

int32_t extend(serval_exchange* exchange, std::uint64_t nanoseconds) {
  // A year: beyond, the clock's own range would come near.
  constexpr std::uint64_t kMaxExtension = 365ULL * 24 * 3600 * 1'000'000'000;
  return of_current(exchange, int32_t{0}, [&](Answer& answer) {
    return answer.extend(std::chrono::nanoseconds(std::min(nanoseconds, kMaxExtension))) ? 1 : 0;
  });
}

int32_t cancelled(serval_exchange* exchange) {
  return of_current(exchange, int32_t{1}, [](const Answer& answer) { return answer.cancelled() ? 1 : 0; });
}

}  // namespace

std::uint64_t nanoseconds_of(std::chrono::steady_clock::time_point time) {
  if (time == std::chrono::steady_clock::time_point::max()) return 0;
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

const serval_host& host() {
  static const serval_host table = {
      .size = sizeof(serval_host),
      .abi_major = SERVAL_ABI_MAJOR,
      .abi_minor = SERVAL_ABI_MINOR,
      .features = 0,
      .version = text(SERVAL_VERSION),
      .log = write_log,
      .explain = explain,
      .respond = respond,
      .fail = fail,
      .header = header,
      .query_value = query_value,
      .percent_decode = percent_decode,
      .deadline = deadline,
      .extend = extend,
      .cancelled = cancelled,
      .metric = declare_metric,
      .metric_row = metric_row,
      .metric_add = metric_add,
      .metric_set = metric_set,
      .metric_move = metric_move,
      .metric_observe = metric_observe,
      .task = register_task,
      .job_argument = job_argument,
      .job_instance = job_instance,
      .job_stopping = job_stopping,
      .job_stop_fd = job_stop_fd,
      .job_ready = job_ready,
  };
  return table;
}

Answering::Answering(serval_exchange& exchange) { current_exchange = &exchange; }
Answering::~Answering() { current_exchange = nullptr; }

}  // namespace serval::app
