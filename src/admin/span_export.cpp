#include "admin/span_export.hpp"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/log.hpp"

namespace serval::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using namespace std::chrono_literals;
using tcp = asio::ip::tcp;
using Response = beast::http::response_parser<beast::http::string_body>;

constexpr std::size_t kMostKept = 4096;
constexpr std::size_t kBatch = 512;
/// What comes within it goes out together.
constexpr auto kDelay = 1s;
/// Between two tries for the same batch, doubled each time; after the last one it is dropped.
constexpr auto kFirstPause = 1s;
constexpr int kTries = 4;

/// Worth another try (OTLP specification, "Retryable Response Codes").
bool may_come_right(unsigned status) { return status == 429 || status == 502 || status == 503 || status == 504; }

}  // namespace

/// Shared with the operations that are under way.
class SpanExport::Work : public std::enable_shared_from_this<Work> {
 public:
  Work(asio::io_context& io, int fd, config::Telemetry telemetry, TraceResource resource)
      : telemetry_(std::move(telemetry)),
        resource_(std::move(resource)),
        pipe_(io, fd),
        timer_(io),
        resolver_(io),
        io_(io) {}

  void start() { listen(); }
  void stop() {
    stopped_ = true;
    pipe_.release();
    timer_.cancel();
    resolver_.cancel();
    if (stream_) stream_->cancel();
  }
  SpanCounts counts() const { return counts_; }

 private:
  void listen() {
    pipe_.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const auto& error) {
      if (error || self->stopped_) return;
      self->take();
      self->listen();
    });
  }

  void take() {
    for (std::size_t i = 0; i < kBatch; ++i) {
      auto span = ipc::receive_span(pipe_.native_handle());
      if (!span) break;
      if (waiting_.size() < kMostKept) {
        waiting_.push_back(*span);
      } else {
        ++counts_.dropped;
      }
    }
    if (!busy_ && !waiting_.empty()) pause(kDelay);
  }

  void pause(Duration delay) {
    busy_ = true;
    timer_.expires_after(delay);
    timer_.async_wait([self = shared_from_this()](const auto& error) {
      if (!error && !self->stopped_) self->post();
    });
  }

  void post() {
    if (in_hand_.empty()) {
      const std::size_t count = std::min(waiting_.size(), kBatch);
      in_hand_.assign(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
      waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
      tries_ = 0;
    }
    ++tries_;
    resolver_.async_resolve(telemetry_.host, telemetry_.port,
                            [self = shared_from_this()](const auto& error, const auto& found) {
                              if (error) return self->failed(error.message());
                              self->connect(found);
                            });
  }

  void connect(const tcp::resolver::results_type& found) {
    stream_.emplace(io_);
    stream_->expires_after(telemetry_.timeout);
    stream_->async_connect(found, [self = shared_from_this()](const auto& error, const auto&) {
      if (error) return self->failed(error.message());
      self->send();
    });
  }

  void send() {
    request_ = {};
    request_.method(beast::http::verb::post);
    request_.target(telemetry_.path);
    request_.set(beast::http::field::host, telemetry_.host + ":" + telemetry_.port);
    request_.set(beast::http::field::content_type, "application/json");
    request_.set(beast::http::field::user_agent, "serval");
    request_.set(beast::http::field::connection, "close");
    for (const auto& [name, value] : telemetry_.headers) request_.set(name, value);
    request_.body() = otlp_request(in_hand_, resource_);
    request_.prepare_payload();
    beast::http::async_write(*stream_, request_, [self = shared_from_this()](const auto& error, std::size_t) {
      if (error) return self->failed(error.message());
      self->read();
    });
  }

  void read() {
    buffer_.clear();
    response_.emplace();
    response_->body_limit(64 * 1024);
    beast::http::async_read(*stream_, buffer_, *response_, [self = shared_from_this()](const auto& error, std::size_t) {
      if (error) return self->failed(error.message());
      self->answered(self->response_->get().result_int());
    });
  }

  void answered(unsigned status) {
    if (status / 100 == 2) {
      counts_.exported += in_hand_.size();
      if (std::exchange(failing_, false)) log::info("the collector takes spans again");
      return next();
    }
    failed("it answered " + std::to_string(status), may_come_right(status));
  }

  /// Said once; from then on the counters tell.
  void failed(const std::string& why, bool again = true) {
    if (stopped_) return;
    stream_.reset();
    if (!std::exchange(failing_, true)) {
      log::warning("the collector does not take spans",
                   {{"collector", telemetry_.host + ":" + telemetry_.port}, {"why", why}});
    }
    if (again && tries_ < kTries) return pause(kFirstPause * (1 << (tries_ - 1)));
    counts_.dropped += in_hand_.size();
    next();
  }

  void next() {
    stream_.reset();
    in_hand_.clear();
    busy_ = false;
    if (!waiting_.empty()) pause(waiting_.size() >= kBatch ? Duration(0) : Duration(kDelay));
  }

  const config::Telemetry telemetry_;
  const TraceResource resource_;
  asio::posix::stream_descriptor pipe_;
  asio::steady_timer timer_;
  tcp::resolver resolver_;
  asio::io_context& io_;
  std::optional<beast::tcp_stream> stream_;
  beast::http::request<beast::http::string_body> request_;
  beast::flat_buffer buffer_;
  std::optional<Response> response_;
  std::vector<ipc::Span> waiting_;
  std::vector<ipc::Span> in_hand_;
  int tries_ = 0;
  bool busy_ = false;     ///< a batch is under way, or about to be
  bool failing_ = false;  ///< and that has been said
  bool stopped_ = false;
  SpanCounts counts_;
};

SpanExport::SpanExport(asio::io_context& io, int spans_fd, config::Telemetry telemetry, TraceResource resource)
    : work_(std::make_shared<Work>(io, spans_fd, std::move(telemetry), std::move(resource))) {
  work_->start();
}

SpanExport::~SpanExport() { work_->stop(); }

SpanCounts SpanExport::counts() const { return work_->counts(); }

}  // namespace serval::admin
