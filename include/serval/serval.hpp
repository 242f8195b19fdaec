/// serval.hpp: write an app for serval in C++20. Header-only, on top of the C ABI in serval.h; nothing to link. A whole app:
///
///   #include <serval/serval.hpp>
///
///   class Hello : public serval::App {
///    public:
///     serval::Response handle(const serval::Request&) override { return "Hello, World!\n"; }
///   };
///   SERVAL_APP(Hello)
///
/// Where what runs. The app object is made once per generation, in the mold, a process with one thread that serves
/// nothing; the workers are forked from it and share its memory copy-on-write. Load big tables in the constructor; open
/// connections and start threads in worker_start. worker_start, worker_stop, and often handle run on a worker's main
/// thread, whose thread_local objects are never destroyed: free what has to be freed in worker_stop. Handlers for
/// crashes (SIGSEGV and the like) that the constructor installs have their turn after serval's own has reported; one
/// that mends the fault and goes on is to be installed in worker_start.
///
/// Forks and descriptors. A child that is forked anywhere must leave by _exit or exec: one that comes back out of the
/// call is ended. Close only what you have opened. Many connections mean high descriptors: select(2) ends at 1024,
/// poll(2) does not.
///
/// Errors. An exception from the constructor refuses the generation, one from worker_start ends that worker, one from handle makes its
/// request a 500; the exception's type and text are in serval's log, never in an answer.
#pragma once

#include <serval/serval.h>

#include <cxxabi.h>

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace serval {

namespace detail {

inline const serval_host* host = nullptr;  ///< set by serval_app_main, before anything else runs
inline void (*declare_metrics)() = nullptr;  ///< metrics.hpp's, if there are metrics that were made before the app was loaded

inline std::string_view view(serval_text text) { return text.size == 0 ? std::string_view() : std::string_view(text.data, text.size); }
inline serval_text text(std::string_view view) { return {view.data(), view.size()}; }

inline int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

inline bool equal_names(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

}  // namespace detail

/// Decodes %XX; malformed escapes stay as they are. `plus_is_space` as in queries and HTML forms.
inline std::string percent_decode(std::string_view text, bool plus_is_space = false) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? detail::hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? detail::hex_digit(text[i + 2]) : -1;
    if (low >= 0) {
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += text[i] == '+' && plus_is_space ? ' ' : text[i];
    }
  }
  return decoded;
}

/// The decoded parameters of "a=1&b=x%20y", in their order, repeated ones kept; also reads a form's body (application/x-www-form-urlencoded).
inline std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> params;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(pair.size() < query.size() ? pair.size() + 1 : pair.size());
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    params.emplace_back(percent_decode(pair.substr(0, equals), true),
                        equals == pair.npos ? std::string() : percent_decode(pair.substr(equals + 1), true));
  }
  return params;
}

enum class LogLevel { debug = SERVAL_LOG_DEBUG, info = SERVAL_LOG_INFO, warning = SERVAL_LOG_WARNING, error = SERVAL_LOG_ERROR };

/// A line in serval's log, under the name of this process. On any thread, from the constructor on; control bytes are escaped. On a thread
/// that is in handle() it has the request's request_id, which lines on standard output and standard error cannot have.
/// Where there is no serval, as in a unit test of the app, it goes to standard error.
inline void log(LogLevel level, std::string_view text) {
  if (detail::host != nullptr) return detail::host->log(static_cast<std::int32_t>(level), detail::text(text));
  std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

/// What the constructor is told. Valid while it runs.
class Preload {
 public:
  explicit Preload(const serval_preload& raw) : name_(detail::view(raw.name)), generation_(static_cast<int>(raw.generation)) {
    for (std::size_t i = 0; i < raw.arg_count; ++i) args_.emplace_back(detail::view(raw.args[i]));
  }

  const std::vector<std::string>& args() const { return args_; }  ///< [app] args
  int generation() const { return generation_; }                  ///< 1 for the first load, one more for each reload
  const std::string& name() const { return name_; }               ///< [server] name
  void log(LogLevel level, std::string_view text) const { serval::log(level, text); }

 private:
  std::vector<std::string> args_;
  std::string name_;
  int generation_;
};

/// What worker_start is told. Valid during that call.
class Worker {
 public:
  explicit Worker(const serval_worker& raw) : raw_(raw) {}

  /// 0 to count - 1; a successor has that of the worker it replaces, which may still finish its requests.
  int slot() const { return static_cast<int>(raw_.slot); }
  int generation() const { return static_cast<int>(raw_.generation); }
  int threads() const { return static_cast<int>(raw_.threads); }  ///< how many calls of handle may run at once, on one thread more in turn
  std::string_view name() const { return detail::view(raw_.name); }

 private:
  const serval_worker& raw_;
};

struct Header {
  std::string_view name;
  std::string_view value;
};

/// All header fields of a request, in the order received: `for (const auto& [name, value] : request.headers())`.
class Headers {
 public:
  class Iterator {
   public:
    using value_type = Header;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    explicit Iterator(const serval_field* field) : field_(field) {}
    Header operator*() const { return {detail::view(field_->name), detail::view(field_->value)}; }
    Iterator& operator++() {
      ++field_;
      return *this;
    }
    Iterator operator++(int) { return Iterator(field_++); }
    bool operator==(const Iterator&) const = default;

   private:
    const serval_field* field_ = nullptr;
  };

  Headers(const serval_field* fields, std::size_t size) : fields_(fields), size_(size) {}
  Iterator begin() const { return Iterator(fields_); }
  Iterator end() const { return Iterator(fields_ + size_); }
  std::size_t size() const { return size_; }

 private:
  const serval_field* fields_;
  std::size_t size_;
};

/// One request. It and every view from it are valid until handle has returned. May be read by several threads meanwhile.
class Request {
 public:
  explicit Request(const serval_request& raw, serval_exchange* exchange = nullptr) : raw_(raw), exchange_(exchange) {
    if (raw_path().find('%') != std::string_view::npos) decoded_path_ = percent_decode(raw_path());
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  std::string_view method() const { return detail::view(raw_.method); }
  std::string_view target() const { return detail::view(raw_.target); }  ///< as sent
  /// Percent-decoded, so it may hold any byte; a decoded %2F cannot be told from a slash: raw_path() tells.
  std::string_view path() const { return decoded_path_.empty() ? raw_path() : std::string_view(decoded_path_); }
  std::string_view raw_path() const { return detail::view(raw_.path); }
  std::string_view query() const { return detail::view(raw_.query); }  ///< after '?', as sent
  int http_major() const { return raw_.http_major; }
  int http_minor() const { return raw_.http_minor; }

  /// Decoded value of the first query parameter called `name`.
  std::optional<std::string> param(std::string_view name) const {
    for (auto& [key, value] : params()) {
      if (key == name) return std::move(value);
    }
    return std::nullopt;
  }
  /// All query parameters, decoded, in their order, repeated ones kept.
  std::vector<std::pair<std::string, std::string>> params() const { return parse_query(query()); }

  /// Value of the first header field called `name`, in any case of letters.
  std::optional<std::string_view> header(std::string_view name) const {
    for (const Header& header : headers()) {
      if (detail::equal_names(header.name, name)) return header.value;
    }
    return std::nullopt;
  }
  /// The values of all fields called `name`.
  std::vector<std::string_view> header_values(std::string_view name) const {
    std::vector<std::string_view> values;
    for (const Header& header : headers()) {
      if (detail::equal_names(header.name, name)) values.push_back(header.value);
    }
    return values;
  }
  Headers headers() const { return {raw_.headers, raw_.header_count}; }

  std::string_view host() const { return detail::view(raw_.host); }  ///< the Host field, or the authority of an absolute target
  std::string_view body() const { return detail::view(raw_.body); }  ///< whole and decoded; a large one is a file mapped into memory
  int body_fd() const { return raw_.body_fd; }  ///< that file, else -1; serval closes it. Its offset is anywhere: pread(2), or rewind first
  std::string_view peer() const { return detail::view(raw_.peer); }  ///< the client's address: "127.0.0.1", "::1", or "unix"
  int peer_port() const { return static_cast<int>(raw_.peer_port); }
  std::string_view scheme() const { return detail::view(raw_.scheme); }          ///< "http" or "https"
  std::string_view request_id() const { return detail::view(raw_.request_id); }  ///< the one in serval's log lines about this request
  /// What calls to other services take along as their traceparent (W3C Trace Context); empty: serval traces nothing, pass on the field that came.
  std::string_view traceparent() const {
    return SERVAL_HAS(&raw_, traceparent) ? detail::view(raw_.traceparent) : std::string_view();
  }

  // These three on the thread that runs handle, before it returns.

  /// When serval will give this request up, as extended so far; time_point::max() if never.
  std::chrono::steady_clock::time_point deadline() const {
    using Clock = std::chrono::steady_clock;
    const std::uint64_t ns = exchange_ == nullptr ? raw_.deadline_ns : detail::host->deadline(exchange_);
    if (ns == 0) return Clock::time_point::max();
    return Clock::time_point(std::chrono::duration_cast<Clock::duration>(std::chrono::nanoseconds(ns)));
  }
  /// Moves the deadline to `from_now`, never to an earlier time. False if it is too late: the request has been given up.
  bool extend(std::chrono::nanoseconds from_now) const {
    return exchange_ != nullptr && detail::host->extend(exchange_, from_now.count() < 0 ? 0 : static_cast<std::uint64_t>(from_now.count())) != 0;
  }
  /// The request has been given up: the deadline is over, or the worker is at its end. Nobody waits for the answer: clean up and return.
  bool cancelled() const { return exchange_ != nullptr && detail::host->cancelled(exchange_) != 0; }

  const serval_request& raw() const { return raw_; }

 private:
  const serval_request& raw_;
  serval_exchange* exchange_;
  std::string decoded_path_;
};

/// An answer. `return "text";` is one; so is `return serval::Response::json(document).header("Cache-Control", "no-store");`.
/// serval adds Date, Content-Length and Connection itself. Bodies are moved, not copied.
class Response {
 public:
  /// 200 with plain text.
  Response(std::string body) : body_(std::move(body)), type_(kText) {}
  Response(std::string_view body) : Response(std::string(body)) {}
  Response(const char* body) : Response(std::string(body)) {}
  /// Plain text with another status.
  Response(int status, std::string body) : status_(status), body_(std::move(body)), type_(kText) {}
  /// `type` is the Content-Type; empty: none.
  Response(int status, std::string body, std::string_view type) : status_(status), body_(std::move(body)), own_type_(type) {}

  static Response text(std::string body, int status = 200) { return Response(status, std::move(body), StaticType{kText}); }
  static Response html(std::string body, int status = 200) { return Response(status, std::move(body), StaticType{kHtml}); }
  static Response json(std::string body, int status = 200) { return Response(status, std::move(body), StaticType{kJson}); }
  static Response bytes(std::string body, int status = 200) { return Response(status, std::move(body), StaticType{kBytes}); }
  /// Without a body.
  static Response status(int status) { return Response(status, std::string(), StaticType{}); }
  static Response redirect(std::string location, int status = 302) {
    return Response::status(status).header("Location", std::move(location));
  }
  /// `body` is not copied at all: it must stay as it is until the process ends (preloaded data, literals).
  static Response unowned(std::string_view body, std::string_view type, int status = 200) {
    Response response(status, std::string(), type);
    response.unowned_ = body;
    return response;
  }

  /// Adds a field; repeated ones are sent repeated. A Content-Type here takes the place of the constructor's.
  Response& header(std::string name, std::string value) & {
    if (detail::equal_names(name, "Content-Type")) {
      type_ = {};
      own_type_ = std::move(value);
    } else {
      headers_.emplace_back(std::move(name), std::move(value));
    }
    return *this;
  }
  Response&& header(std::string name, std::string value) && { return std::move(header(std::move(name), std::move(value))); }

  int status() const { return status_; }
  std::string_view body() const { return unowned_.data() != nullptr ? unowned_ : std::string_view(body_); }
  std::string_view content_type() const { return own_type_.empty() ? type_ : std::string_view(own_type_); }  ///< empty: none
  const std::vector<std::pair<std::string, std::string>>& headers() const { return headers_; }  ///< but Content-Type

  /// Hands this answer over; it is empty afterwards. The library calls it with what handle returned.
  void send(serval_exchange* exchange) && {
    constexpr std::size_t kFew = 16;
    std::array<serval_field, kFew> few;
    std::vector<serval_field> many;
    serval_field* fields = few.data();
    if (headers_.size() + 1 > kFew) {
      many.resize(headers_.size() + 1);
      fields = many.data();
    }
    std::size_t count = 0;
    if (!content_type().empty()) fields[count++] = {detail::text("Content-Type"), detail::text(content_type())};
    for (const auto& [name, value] : headers_) fields[count++] = {detail::text(name), detail::text(value)};

    serval_response raw{};
    raw.size = sizeof raw;
    raw.status = status_;
    raw.headers = fields;
    raw.header_count = count;
    lend_body(raw);
    detail::host->respond(exchange, &raw);
  }

 private:
  static constexpr std::string_view kText = "text/plain; charset=utf-8";
  static constexpr std::string_view kHtml = "text/html; charset=utf-8";
  static constexpr std::string_view kJson = "application/json";
  static constexpr std::string_view kBytes = "application/octet-stream";
  /// Up to here serval's copy of the body is cheaper than an allocation that keeps it.
  static constexpr std::size_t kCopied = 16 * 1024;

  struct StaticType {
    std::string_view type;
  };
  Response(int status, std::string body, StaticType type) : status_(status), body_(std::move(body)), type_(type.type) {}

  void lend_body(serval_response& raw) {
    raw.body = detail::text(body());
    if (unowned_.data() != nullptr) {
      raw.release = [](void*) {};
    } else if (body_.size() > kCopied) {
      auto kept = std::make_unique<std::string>(std::move(body_));
      raw.body = detail::text(*kept);
      raw.release = [](void* context) { delete static_cast<std::string*>(context); };
      raw.release_context = kept.release();
    }
  }

  int status_ = 200;
  std::string body_;
  std::string_view unowned_;
  std::string_view type_;  ///< one of the constants above
  std::string own_type_;   ///< stronger than type_
  std::vector<std::pair<std::string, std::string>> headers_;
};

/// Base of the user's app. Made by SERVAL_APP, with a Preload& if it has such a constructor, else without arguments.
class App {
 public:
  virtual ~App() = default;
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  /// In each new worker, before its first request, on its main thread.
  virtual void worker_start(Worker&) {}
  /// Answers a request. On app threads, several calls at once.
  virtual Response handle(const Request& request) = 0;
  /// May this worker be given requests? Asked on the main thread after worker_start, again and again until the first
  /// yes; from then on about every health.ready_interval on an app thread, beside calls of handle, never twice at a
  /// time. A worker that says no gets no new connections while others say yes, and serval counts it as not ready.
  virtual bool ready() { return true; }
  /// In each worker, after its last request, on its main thread.
  virtual void worker_stop() {}

 protected:
  App() = default;
};

namespace detail {

/// Hands the type and the text of the exception being handled to `say`: "std::runtime_error: no such table". To be called from a catch block only.
template <class Say>
void say_current_exception(Say say) noexcept {
  try {
    const std::type_info* type = abi::__cxa_current_exception_type();  // none for those of other languages
    int status = -1;
    const std::unique_ptr<char, void (*)(void*)> readable(type ? abi::__cxa_demangle(type->name(), nullptr, nullptr, &status) : nullptr, std::free);
    const std::string name = readable ? readable.get() : "another language";
    try {
      throw;
    } catch (const std::exception& exception) {
      const std::string_view what = exception.what();
      const std::string words = what.empty() || what == name ? name : name + ": " + std::string(what);
      say(text(words));
    } catch (...) {
      const std::string words = "an exception of type " + name;
      say(text(words));
    }
  } catch (...) {  // no memory for the words
    say(serval_text_of("an exception"));
  }
}

/// Runs `body`; 0, or 1 after the exception's text has gone to `error`.
template <class Body>
std::int32_t attempt(serval_error* error, Body body) noexcept {
  try {
    body();
    return 0;
  } catch (...) {
    say_current_exception([&](serval_text why) { host->explain(error, why); });
    return 1;
  }
}

/// The C functions of an app of class Type; none lets an exception out.
template <class Type>
struct Bridge {
  static App& app(void* state) { return *static_cast<App*>(state); }

  static std::int32_t preload(const serval_preload* raw, void** state, serval_error* error) {
    return attempt(error, [&] {
      if (declare_metrics != nullptr) declare_metrics();
      if constexpr (std::is_constructible_v<Type, Preload&>) {
        Preload told(*raw);
        *state = static_cast<App*>(new Type(told));
      } else {
        *state = static_cast<App*>(new Type());
      }
    });
  }

  static std::int32_t worker_start(void* state, const serval_worker* raw, serval_error* error) {
    return attempt(error, [&] {
      Worker worker(*raw);
      app(state).worker_start(worker);
    });
  }

  static std::int32_t handle(void* state, const serval_request* raw, serval_exchange* exchange) {
    try {
      const Request request(*raw, exchange);
      app(state).handle(request).send(exchange);
    } catch (...) {
      say_current_exception([&](serval_text why) { host->fail(exchange, why); });
    }
    return SERVAL_ANSWERED;
  }

  /// Asked again and again: the same exception is logged once, until there is none.
  static std::int32_t ready(void* state) {
    static std::string said;
    try {
      const bool is_ready = app(state).ready();
      said.clear();
      return is_ready ? 1 : 0;
    } catch (...) {
      say_current_exception([](serval_text why) {
        const std::string line = "ready() threw, taken for no: " + std::string(view(why));
        if (line == said) return;
        said = line;
        host->log(SERVAL_LOG_ERROR, text(line));
      });
      return 0;
    }
  }

  static void worker_stop(void* state) {
    try {
      app(state).worker_stop();
    } catch (...) {
      say_current_exception([](serval_text why) {
        host->log(SERVAL_LOG_ERROR, text("worker_stop() threw: " + std::string(view(why))));
      });
    }
  }

  static void destroy(void* state) { delete static_cast<App*>(state); }
};

template <class Type>
const serval_app* app_table(const serval_host* offered) {
  static_assert(std::derived_from<Type, App>, "SERVAL_APP(Type): Type must derive from serval::App");
  static_assert(std::is_constructible_v<Type, Preload&> || std::is_default_constructible_v<Type>,
                "SERVAL_APP(Type): Type needs a constructor that takes serval::Preload& or nothing");
  using Functions = Bridge<Type>;
  static const serval_app table = {
      .size = sizeof(serval_app),
      .abi_major = SERVAL_ABI_MAJOR,
      .abi_minor = SERVAL_ABI_MINOR,
      .features = 0,
      .preload = Functions::preload,
      .worker_start = Functions::worker_start,
      .handle = Functions::handle,
      .ready = Functions::ready,
      .worker_stop = Functions::worker_stop,
      .destroy = Functions::destroy,
  };
  host = offered;
  return &table;
}

}  // namespace detail
}  // namespace serval

/// Makes `Type` this library's app. Once, in one source file, at namespace scope.
#define SERVAL_APP(Type) \
  extern "C" SERVAL_EXPORT const serval_app* serval_app_main(const serval_host* host) { return ::serval::detail::app_table<Type>(host); }
