#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <future>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "http/request_id.hpp"
#include "net/accept.hpp"
#include "os/unique_fd.hpp"
#include "server/exchange.hpp"
#include "server/hub.hpp"

// The engine in another program than serval: this file uses the layers `net` and `server` above the protocol, and its
// program links nothing above them.

namespace serval::server {
namespace {

namespace asio = boost::asio;

/// All that a program says about its answers.
class Echo final : public Handler {
 public:
  Taken take(Exchange& exchange) override {
    const http::Request& request = exchange.request();
    std::string body(request.method);
    body.append(" ").append(request.path).append(" from ").append(exchange.origin().peer);
    body.append(": ").append(exchange.body().view());
    const http::Field fields[] = {{"Content-Type", "text/plain"}};
    const std::string trouble = exchange.respond({.status = 200, .fields = fields, .body = body, .release = {}});
    if (!trouble.empty()) exchange.fail();
    return Taken::answered;
  }
};

/// Ends the program when its client has left.
class UntilTheFirstIsGone final : public Observer {
 public:
  explicit UntilTheFirstIsGone(asio::io_context& io) : io_(io) {}
  void on_connection_over() override { io_.stop(); }

 private:
  asio::io_context& io_;
};

sockaddr_in any_port() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  return address;
}

class Listener {
 public:
  explicit Listener(asio::io_context& io)
      : waits_(io), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = any_port();
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(fd_.get(), 8), 0);
    EXPECT_EQ(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ::ntohs(address.sin_port);
    waits_.assign(::dup(fd_.get()));
  }
  int port() const { return port_; }
  void serve(Hub& hub) {
    waits_.async_wait(asio::posix::stream_descriptor::wait_read, [this, &hub](const boost::system::error_code& error) {
      if (error) return;
      net::Accepted accepted = net::accept_one(fd_.get());
      if (accepted.kind == net::Accepted::Kind::one) {
        hub.serve(std::move(accepted.connection), std::move(accepted.peer));
      }
      serve(hub);
    });
  }

 private:
  asio::posix::stream_descriptor waits_;
  UniqueFd fd_;
  int port_ = 0;
};

/// What a server on that port sends until it closes.
std::string ask(int port, std::string_view request) {
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = any_port();
  address.sin_port = ::htons(static_cast<std::uint16_t>(port));
  if (::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return "not connected";
  if (::write(client.get(), request.data(), request.size()) != static_cast<ssize_t>(request.size()))
    return "not written";
  std::string answer;
  char some[4096];
  for (ssize_t bytes; (bytes = ::read(client.get(), some, sizeof some)) > 0;) {
    answer.append(some, static_cast<std::size_t>(bytes));
  }
  return answer;
}

TEST(SecondProgram, AnswersOnAPort) {
  http::reseed_request_ids();
  asio::io_context io;
  http::Farewell farewell;
  Echo echo;
  UntilTheFirstIsGone observer(io);
  Migration stays;
  Hub hub(io, {}, {.farewell = farewell, .handler = echo, .observer = observer, .migration = stays});
  Listener listener(io);
  listener.serve(hub);

  std::future<std::string> answer = std::async(std::launch::async, [port = listener.port()] {
    return ask(port, "POST /echo?a=b HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello");
  });
  io.run();

  const std::string is = answer.get();
  EXPECT_TRUE(is.starts_with("HTTP/1.1 200 OK\r\n")) << is;
  EXPECT_TRUE(is.ends_with("\r\n\r\nPOST /echo from 127.0.0.1: hello")) << is;
}

}  // namespace
}  // namespace serval::server
