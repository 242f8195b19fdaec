#include "control/server.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <filesystem>
#include <future>
#include <optional>
#include <thread>

#include "control/client.hpp"
#include "os/unique_fd.hpp"
#include "temporary_folder.hpp"

namespace serval::control {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

/// A client that does what control::call would not.
class Raw {
 public:
  explicit Raw(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }

  /// As much as the server takes.
  void send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void end_sending() { ::shutdown(fd_.get(), SHUT_WR); }
  void close() { fd_.reset(); }
  /// All that comes until the server closes.
  std::string read() {
    std::string text;
    char bytes[4096];
    for (;;) {
      const ssize_t size = ::recv(fd_.get(), bytes, sizeof bytes, 0);
      if (size <= 0) return text;
      text.append(bytes, static_cast<std::size_t>(size));
    }
  }

 private:
  UniqueFd fd_;
};

constexpr const char* kStatus = "{\"command\":\"status\"}\n";

/// The server runs on a thread of its own from run() on; `status` does what a test says.
class ServerTest : public testing::Test {
 protected:
  ~ServerTest() override {
    guard_.reset();
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  using Status = std::function<void(const json::object& arguments, Responder responder)>;

  static Handler only_status(Status status) {
    return [status = std::move(status)](const Command& command, const json::object& arguments, Responder responder) {
      EXPECT_EQ(command.order, Order::status);
      status(arguments, std::move(responder));
    };
  }

  void run(Status status, ClientLimits limits = {}) {
    auto listening = Server::listen(io_, path_, 0600, limits);
    ASSERT_TRUE(listening) << listening.error();
    server_ = std::move(*listening);
    server_->on_command(only_status(std::move(status)));
    thread_ = std::thread([this] { io_.run(); });
  }

  Result<Reply> call(std::function<void(std::string_view)> on_progress = [](auto) {}) {
    return control::call({.where = {.path = path_, .automatic = false, .folder = {}},
                          .request = {.command = "status", .arguments = {}},
                          .patience = 10s,
                          .on_progress = std::move(on_progress)});
  }

  /// On the server's thread.
  template <class Function>
  auto there(Function function) {
    std::packaged_task<decltype(function())()> task(std::move(function));
    auto done = task.get_future();
    boost::asio::post(io_, [&task] { task(); });
    return done.get();
  }

  void wait_for_clients(std::size_t number) {
    const auto deadline = Clock::now() + 10s;
    while (there([this] { return server_->clients(); }) != number) {
      ASSERT_LT(Clock::now(), deadline) << "there are never " << number << " clients";
    }
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "control.sock";
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_ = boost::asio::make_work_guard(io_);
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

void answer(const json::object&, const Responder& responder) { responder.finish({{"workers", 2}}); }

TEST_F(ServerTest, AnswersAtOnce) {
  run(answer);
  for (int round = 0; round < 50; ++round) {
    const auto reply = call();
    ASSERT_TRUE(reply) << reply.error();
    EXPECT_TRUE(reply->ok);
    EXPECT_EQ(reply->result.at("workers").as_int64(), 2);
  }
  wait_for_clients(0);
}

TEST_F(ServerTest, AnswersLaterAfterProgress) {
  std::optional<Responder> waiting;
  run([&](const auto&, Responder responder) { waiting = std::move(responder); });
  auto reply = std::async(std::launch::async, [&] {
    std::vector<std::string> progress;
    auto result = call([&](std::string_view text) { progress.emplace_back(text); });
    EXPECT_THAT(progress, ElementsAre("one", "two"));
    return result;
  });
  while (!there([&] { return waiting.has_value(); })) {
  }
  there([&] { waiting->progress("one"); });
  there([&] { waiting->progress("two"); });
  there([&] { waiting->refuse("the new generation does not boot", 1); });
  there([&] { waiting->finish({}); });  // too late, and no harm
  there([&] { waiting.reset(); });
  const auto got = reply.get();
  ASSERT_TRUE(got) << got.error();
  EXPECT_FALSE(got->ok);
  EXPECT_EQ(got->error, "the new generation does not boot");
  EXPECT_EQ(got->exit_code, 1);
}

TEST_F(ServerTest, TellsTheClientWhenACommandIsGivenUp) {
  run([](const auto&, const Responder&) {});
  const auto reply = call();
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_THAT(reply->error, HasSubstr("gave up the command"));
}

TEST_F(ServerTest, ForgetsAClientThatGoesAwayWhileItsCommandRuns) {
  std::optional<Responder> waiting;
  run([&](const auto&, Responder responder) { waiting = std::move(responder); });
  Raw client(path_);
  client.send(kStatus);
  while (!there([&] { return waiting.has_value(); })) {
  }
  client.close();
  wait_for_clients(0);
  there([&] { waiting->progress("nobody hears this"); });
  there([&] { waiting->finish({}); });
  there([&] { waiting.reset(); });
}

TEST_F(ServerTest, AClientThatHasEndedSendingStillReads) {
  std::optional<Responder> waiting;
  run([&](const auto&, Responder responder) { waiting = std::move(responder); });
  Raw client(path_);
  client.send(kStatus);
  client.end_sending();
  while (!there([&] { return waiting.has_value(); })) {
  }
  there([&] { waiting->finish({{"late", true}}); });
  EXPECT_EQ(client.read(), "{\"ok\":true,\"result\":{\"late\":true}}\n");
  there([&] { waiting.reset(); });
}

TEST_F(ServerTest, CutsOffWhoDoesNotKeepToTheProtocol) {
  struct Row {
    std::string sent;
    bool ends;
    const char* answer;
  };
  const Row table[] = {
      {"", false, "no request came in time"},
      {"{\"comm", false, "no request came in time"},
      {"{\"comm", true, "the request ends without an end of line"},
      {std::string(2 * kMaxRequest, 'x'), false, "longer than 65536 bytes"},
      {"GET / HTTP/1.1\r\n\r\n", false, "no JSON"},
      {"{\"command\":\"dance\"}\n", false, "knows no command \\\"dance\\\""},
      {"{\"command\":\"status\",\"arguments\":{\"a\":1}}\n", false, "there is none of this name"},
  };
  run(answer, {.request_timeout = 100ms});
  for (const Row& row : table) {
    Raw client(path_);
    client.send(row.sent);
    if (row.ends) client.end_sending();
    const std::string got = client.read();
    EXPECT_THAT(got, HasSubstr(row.answer)) << row.sent.substr(0, 80);
    EXPECT_THAT(got, HasSubstr("\"ok\":false")) << row.sent.substr(0, 80);
    EXPECT_EQ(got.find('\n'), got.size() - 1);
  }
  wait_for_clients(0);
}

TEST_F(ServerTest, CutsOffWhoDoesNotReadItsAnswer) {
  run(
      [](const auto&, const Responder& responder) {
        responder.finish({{"long", std::string(8 << 20, 'x')}});
      },
      {.write_timeout = 100ms});
  Raw client(path_);
  client.send(kStatus);
  wait_for_clients(1);
  wait_for_clients(0);
  const auto reply = call();  // who reads gets all of it
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(reply->result.at("long").as_string().size(), 8u << 20);
}

TEST_F(ServerTest, AClientThatHasSentNoRequestMakesRoomTheOldestFirst) {
  run(answer, {.clients = 3, .request_timeout = 1h});
  Raw oldest(path_);
  oldest.send("{\"comm");
  wait_for_clients(1);
  Raw second(path_), third(path_);
  wait_for_clients(3);
  const auto reply = call();
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_TRUE(reply->ok);
  EXPECT_THAT(oldest.read(), HasSubstr("other clients need the room, and no request had come yet\",\"exit\":69"));
  second.send(kStatus);
  EXPECT_THAT(second.read(), HasSubstr("\"ok\":true"));
}

TEST_F(ServerTest, ACommandIsAnsweredAtOnceWhateverNumberOfClientsIdles) {
  run(answer, {.request_timeout = 1h});
  std::vector<std::unique_ptr<Raw>> idle;
  for (int i = 0; i < 400; ++i) idle.push_back(std::make_unique<Raw>(path_));
  const auto reply = call();
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_TRUE(reply->ok);
}

TEST_F(ServerTest, ACommandThatWaitsForItsAnswerDoesNotMakeRoom) {
  std::vector<Responder> waiting;
  run([&](const auto&, const Responder& responder) { waiting.push_back(responder); },
      {.clients = 2, .request_timeout = 1h});
  Raw first(path_), second(path_);
  first.send(kStatus);
  second.send(kStatus);
  while (there([&] { return waiting.size(); }) != 2) {
  }
  Raw third(path_);  // waits in the kernel's queue
  third.send(kStatus);
  there([&] { waiting[0].finish({{"turn", 1}}); });
  while (there([&] { return waiting.size(); }) != 3) {
  }
  there([&] { waiting[1].finish({{"turn", 2}}); });
  there([&] { waiting[2].finish({{"turn", 3}}); });
  EXPECT_THAT(first.read() + second.read(), testing::AllOf(HasSubstr("\"turn\":1"), HasSubstr("\"turn\":2")));
  EXPECT_THAT(third.read(), HasSubstr("\"turn\":3"));
  there([&] { waiting.clear(); });
}

TEST_F(ServerTest, ItsSocketHasItsModeWhateverTheUmask) {
  for (const unsigned mode : {0600u, 0660u, 0666u}) {
    const mode_t before = ::umask(mode == 0600 ? 0 : 0777);
    const auto server = Server::listen(io_, path_, mode);
    const mode_t after = ::umask(before);
    ASSERT_TRUE(server) << server.error();
    struct stat status = {};
    ASSERT_EQ(::lstat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, mode);
    EXPECT_EQ(after, mode == 0600 ? 0u : 0777u);
  }
}

TEST_F(ServerTest, ReplacesADeadServersSocketAndNoLiveOnes) {
  auto first = Server::listen(io_, path_, 0600);
  ASSERT_TRUE(first) << first.error();
  const auto second = Server::listen(io_, path_, 0600);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), HasSubstr("cannot listen on unix:" + path_ + ": another program listens there"));

  const std::string kept = folder_ / "kept";
  std::filesystem::create_hard_link(path_, kept);
  first->reset();
  EXPECT_FALSE(std::filesystem::exists(path_)) << "removed at the end";
  std::filesystem::rename(kept, path_);  // as if the server had been killed
  const auto third = Server::listen(io_, path_, 0600);
  EXPECT_TRUE(third) << third.error();
}

TEST_F(ServerTest, LeavesASocketThatIsNotItsOwnAnyMore) {
  auto first = Server::listen(io_, path_, 0600);
  ASSERT_TRUE(first) << first.error();
  std::filesystem::remove(path_);
  const auto second = Server::listen(io_, path_, 0600);
  ASSERT_TRUE(second) << second.error();
  first->reset();
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(ServerTest, WhoHasNotSaidAllIsHeardOutByAnother) {
  run([](const auto&, const Responder& responder) { responder.finish({{"state", "serving"}}); });
  const std::string_view request = kStatus;
  Raw client(path_);
  client.send(request.substr(0, 7));
  std::vector<PendingClient> unheard;
  for (const auto deadline = Clock::now() + 10s; unheard.empty() || unheard[0].read.empty();) {
    ASSERT_LT(Clock::now(), deadline);
    unheard = there([this] { return server_->pending(); });
  }
  EXPECT_EQ(unheard[0].read, request.substr(0, 7));
  there([&] {
    EXPECT_EQ(server_->unanswered(), 0u);
    const int fd = ::dup(unheard[0].fd);
    server_ = nullptr;
    server_ = std::move(Server::listen(io_, path_, 0600).value());
    server_->on_command(only_status([](const auto&, const Responder& responder) {
      responder.finish({{"state", "going on"}});
    }));
    server_->hear(fd, unheard[0].read);
  });
  client.send(request.substr(7));
  EXPECT_THAT(client.read(), HasSubstr("going on"));
}

TEST_F(ServerTest, WhoWaitsIsCountedUntilHeIsGone) {
  std::optional<Responder> waiting;
  run([&](const auto&, const Responder& responder) { waiting = responder; });
  std::promise<void> gone;
  there([&] { server_->on_gone([&] { gone.set_value(); }); });
  Raw client(path_);
  client.send(kStatus);
  for (const auto deadline = Clock::now() + 10s; there([this] { return server_->unanswered(); }) != 1;) {
    ASSERT_LT(Clock::now(), deadline);
  }
  there([&] { std::exchange(waiting, std::nullopt)->finish({}); });
  gone.get_future().wait();
  EXPECT_EQ(there([this] { return server_->unanswered(); }), 0u);
}

TEST_F(ServerTest, APathThatIsTooLongIsRefusedByName) {
  const auto server = Server::listen(io_, "/tmp/" + std::string(120, 'x'), 0600);
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error(), HasSubstr("the path has 125 bytes, a socket's may have 107"));
}

TEST_F(ServerTest, CallSaysWhyThereIsNoServer) {
  EXPECT_THAT(call().error(), HasSubstr("no server to talk to at " + path_ + ": No such file or directory"));
  auto server = Server::listen(io_, path_, 0600);
  ASSERT_TRUE(server) << server.error();
  const auto silent = control::call(
      {.where = {.path = path_, .automatic = false, .folder = {}}, .request = {"status", {}}, .patience = 50ms});
  EXPECT_THAT(silent.error(), HasSubstr("the server at " + path_ + " does not answer within 50ms"));
  std::filesystem::create_hard_link(path_, folder_ / "kept");
  server->reset();
  std::filesystem::rename(folder_ / "kept", path_);
  EXPECT_THAT(call().error(), HasSubstr("nobody listens there any more"));
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  EXPECT_THAT(call().error(), HasSubstr("it is a folder, and no socket"));
  std::filesystem::remove(path_);
  UniqueFd file(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  EXPECT_THAT(call().error(), HasSubstr("it is a file, and no socket"));
}

TEST(MayCommand, WhomTheModeDoesNotKeepOut) {
  struct Row {
    uid_t peer;
    unsigned mode;
    bool may;
  };
  const Row table[] = {{0, 0600, true}, {7, 0600, true}, {8, 0600, false}, {8, 0660, true},
                       {8, 0606, true}, {8, 0666, true}, {8, 0700, false}};
  for (const Row& row : table) EXPECT_EQ(may_command(row.peer, 7, row.mode), row.may) << row.peer << ' ' << row.mode;
}

}  // namespace
}  // namespace serval::control
