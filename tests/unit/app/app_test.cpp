#include "app/app.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include "base/log.hpp"

namespace serval::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

/// Takes an answer and keeps what it says; releases bodies at once if told so, else at its end.
class Taken final : public Answer {
 public:
  ~Taken() {
    release_();
  }

  std::chrono::steady_clock::time_point deadline() const override { return due; }
  void respond(const Response& response) override {
    ++answers;
    status = response.status;
    body = response.body;
    borrowed = response.release.release != nullptr;
    release_ = response.release;
    for (const http::Field& field : response.fields) fields.emplace_back(field.name, field.value);
  }
  void fail(std::string_view why) override {
    ++answers;
    failure = why;
  }

  std::chrono::steady_clock::time_point due = std::chrono::steady_clock::time_point::max();
  int answers = 0;
  int status = 0;
  std::string body;
  bool borrowed = false;
  std::vector<std::pair<std::string, std::string>> fields;
  std::optional<std::string> failure;

 private:
  Release release_;
};

std::unique_ptr<App> loaded(const std::string& path) {
  Result<std::unique_ptr<App>> app = App::load(path);
  if (!app) throw std::runtime_error(app.error());
  return std::move(*app);
}

std::unique_ptr<App> preloaded(const std::string& path, const std::vector<std::string>& args = {}) {
  std::unique_ptr<App> app = loaded(path);
  if (const Result<void> done = app->preload(args, 3, "shop"); !done) throw std::runtime_error(done.error());
  return app;
}

/// A GET of `path`, which is given as it is sent, with `fields`.
void get(App& app, std::string_view path, Taken& taken, std::span<const http::Field> fields = {},
         std::string_view query = {}) {
  http::Request head;
  head.method = "GET";
  head.target = path;
  head.path = path;
  head.query = query;
  head.fields = fields;
  Request request;
  request.head = &head;
  request.peer = "127.0.0.1";
  request.scheme = "http";
  request.request_id = "r1";
  app.handle(request, taken);
  EXPECT_EQ(taken.answers, 1) << path;
}

std::string failure_of(App& app, std::string_view path, std::span<const http::Field> fields = {}) {
  Taken taken;
  get(app, path, taken, fields);
  return taken.failure.value_or("did not fail");
}

/// What is logged while it lives.
class LogFile {
 public:
  LogFile() : fd_(::memfd_create("log", MFD_CLOEXEC)) { log::start({.fd = fd_}, "worker[0]"); }
  ~LogFile() {
    log::start({}, "test");
    ::close(fd_);
  }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  std::string text() const {
    std::string text(static_cast<std::size_t>(::lseek(fd_, 0, SEEK_END)), '\0');
    EXPECT_EQ(::pread(fd_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    return text;
  }

 private:
  int fd_;
};

std::string body_of(App& app, std::string_view path) {
  Taken taken;
  get(app, path, taken);
  return taken.failure ? "failed: " + *taken.failure : taken.body;
}

int unread(int fd) {
  int bytes = -1;
  ::ioctl(fd, FIONREAD, &bytes);
  return bytes;
}

// ---- Preload, start, ready ----

TEST(App, its_log_lines_name_the_request_whose_thread_wrote_them) {
  const LogFile log;
  {
    const auto app = preloaded(FIXTURE_PROBE);
    EXPECT_EQ(body_of(*app, "/log"), "logged");
  }
  EXPECT_THAT(log.text(), HasSubstr("from the handler's thread from=app request_id=r1\n"));
  EXPECT_THAT(log.text(), HasSubstr("from another thread from=app\n"));
  EXPECT_THAT(log.text(), HasSubstr("from the destructor from=app\n"));
}

TEST(AppLife, PreloadAndWorkerStartAreToldWhoAsks) {
  const auto app = preloaded(FIXTURE_PROBE, {"a", "", "b c"});
  EXPECT_FALSE(app->ready());
  ASSERT_TRUE(app->worker_start({.slot = 2, .generation = 3, .threads = 5, .server_name = "shop"}));
  EXPECT_TRUE(app->ready());
  EXPECT_EQ(body_of(*app, "/told"), "shop 3 a  b c | shop 2 3 5");
  app->worker_stop();
  EXPECT_FALSE(app->ready());
}

TEST(AppLife, AnExceptionInPreloadIsOneLine) {
  EXPECT_EQ(loaded(FIXTURE_PROBE)->preload({"throw"}, 1, "shop").error(),
            "app's preload failed: std::runtime_error: the shelf\\x0ais empty");
  EXPECT_EQ(loaded(FIXTURE_PROBE)->preload({"throw_other"}, 1, "shop").error(),
            "app's preload failed: an exception of type int");
}

TEST(AppLife, AnExceptionInWorkerStart) {
  EXPECT_EQ(preloaded(FIXTURE_PROBE, {"start=throw"})->worker_start({}).error(),
            "app's worker_start failed: std::runtime_error: no database");
}

TEST(AppLife, AFailureInCWithAndWithoutAReason) {
  EXPECT_EQ(loaded(FIXTURE_RAW)->preload({"out of ink\n"}, 1, "shop").error(), "app's preload failed: out of ink");
  EXPECT_EQ(loaded(FIXTURE_RAW)->preload({""}, 1, "shop").error(), "app's preload failed: it gave no reason");
}

TEST(AppLife, FunctionsThatAnAppNeedNotHave) {
  const auto app = preloaded(FIXTURE_RAW);
  EXPECT_TRUE(app->worker_start({}));
  EXPECT_TRUE(app->ready());
  app->worker_stop();
}

TEST(AppLife, NothingThrownAcrossTheAbiGetsAnyFurther) {
  EXPECT_EQ(loaded(FIXTURE_RAW_THROWING)->preload({"throw"}, 1, "shop").error(),
            "app's preload failed: std::runtime_error: preload threw");
  const auto app = preloaded(FIXTURE_RAW_THROWING);
  EXPECT_EQ(app->worker_start({}).error(), "app's worker_start failed: std::runtime_error: worker_start threw");
  EXPECT_FALSE(app->ready());
  app->worker_stop();
  EXPECT_EQ(failure_of(*app, "/"), "an exception of type int");
  EXPECT_EQ(body_of(*app, "/answered"), "");
}

TEST(AppLife, OnlyTheProcessThatPreloadedDestroysTheApp) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  auto app = preloaded(FIXTURE_PROBE, {"farewell=" + std::to_string(pipe[1])});
  const pid_t child = ::fork();
  if (child == 0) {
    app.reset();
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(unread(pipe[0]), 0);
  app.reset();
  EXPECT_EQ(unread(pipe[0]), 1);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

// ---- What an app in C++ sees and says ----

TEST(AppRequest, EverythingArrives) {
  const http::Field fields[] = {{"Host", "example.org"}, {"Accept", "a"}, {"X-Empty", ""}, {"accept", "b"}};
  http::Request head;
  head.method = "POST";
  head.target = "/a%20b/%C3%BC?x=1&y=a%26b+c&x=2&z";
  head.path = "/a%20b/%C3%BC";
  head.query = "x=1&y=a%26b+c&x=2&z";
  head.host = "example.org";
  head.version.minor = 0;
  head.fields = fields;
  Request request;
  request.head = &head;
  request.body = "the body";
  request.body_fd = 7;
  request.peer = "::1";
  request.peer_port = 65535;
  request.scheme = "https";
  request.request_id = "abc-1";
  request.deadline = std::chrono::steady_clock::time_point(std::chrono::nanoseconds(123456789));
  Taken taken;
  taken.due = request.deadline;
  preloaded(FIXTURE_PROBE)->handle(request, taken);
  EXPECT_EQ(taken.body,
            "POST\n/a%20b/%C3%BC?x=1&y=a%26b+c&x=2&z\n/a b/\xC3\xBC\n/a%20b/%C3%BC\nx=1&y=a%26b+c&x=2&z\n"
            "x=>1\ny=>a&b c\nx=>2\nz=>\nno param\n1.0\n"
            "Host=>example.org\nAccept=>a\nX-Empty=>\naccept=>b\na\nno header\n2\n"
            "example.org\nthe body\n7\n::1\n65535\nhttps\nabc-1\n123456789\n");
}

TEST(AppRequest, MoreHeadersThanUsual) {
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("N" + std::to_string(i));
  std::vector<http::Field> fields;
  for (const std::string& name : names) fields.push_back({name, "v"});
  Taken taken;
  get(*preloaded(FIXTURE_PROBE), "/", taken, fields);
  EXPECT_THAT(taken.body, HasSubstr("N98=>v\nN99=>v\n"));
  EXPECT_THAT(taken.body, HasSubstr("no deadline"));
}

TEST(AppResponse, HeadersKeepTheirOrderAndTheirRepeats) {
  Taken taken;
  get(*preloaded(FIXTURE_PROBE), "/shaped", taken);
  EXPECT_EQ(taken.status, 201);
  EXPECT_EQ(taken.body, "{}");
  EXPECT_THAT(taken.fields,
              ElementsAre(Pair("Content-Type", "text/x-own"), Pair("Set-Cookie", "a=1"), Pair("Set-Cookie", "b=2")));
}

TEST(AppResponse, ManyHeaders) {
  Taken taken;
  get(*preloaded(FIXTURE_PROBE), "/many", taken);
  ASSERT_EQ(taken.fields.size(), 41u);
  EXPECT_THAT(taken.fields[40], Pair("X-39", "39"));
}

TEST(AppResponse, EasyOnes) {
  const auto app = preloaded(FIXTURE_PROBE);
  Taken redirect;
  get(*app, "/redirect", redirect);
  EXPECT_EQ(redirect.status, 302);
  EXPECT_THAT(redirect.fields, ElementsAre(Pair("Location", "/told")));
  Taken empty;
  get(*app, "/empty", empty);
  EXPECT_EQ(empty.status, 204);
  EXPECT_THAT(empty.fields, ElementsAre());
  Taken missing;
  get(*app, "/not%20found", missing);
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(missing.fields, ElementsAre(Pair("Content-Type", "text/plain; charset=utf-8")));
}

TEST(AppResponse, LargeBodiesAreLentAndSmallOnesAreNot) {
  const auto app = preloaded(FIXTURE_PROBE);
  Taken large;
  get(*app, "/large", large);
  EXPECT_TRUE(large.borrowed);
  EXPECT_EQ(large.body, std::string(1 << 20, 'x'));
  Taken small;
  get(*app, "/small", small);
  EXPECT_FALSE(small.borrowed);
  EXPECT_EQ(small.body, std::string(100, 'y'));
  Taken unowned;
  get(*app, "/unowned", unowned);
  EXPECT_TRUE(unowned.borrowed);
  EXPECT_EQ(unowned.body, "as it lies");
}

TEST(AppResponse, ExceptionsAreFailures) {
  const auto app = preloaded(FIXTURE_PROBE);
  EXPECT_EQ(failure_of(*app, "/throw"), "std::runtime_error: out of cheese");
  EXPECT_EQ(failure_of(*app, "/throw_other"), "an exception of type int");
}

// ---- Apps that break the rules of the C ABI ----

TEST(AppRules, NoAnswer) {
  const auto app = preloaded(FIXTURE_RAW);
  EXPECT_EQ(failure_of(*app, "/nothing"), "handle returned without an answer");
  EXPECT_EQ(failure_of(*app, "/deferred"),
            "handle returned without an answer and gave 1, which this serval does not know");
}

TEST(AppRules, TheFirstAnswerCounts) {
  const auto app = preloaded(FIXTURE_RAW);
  EXPECT_EQ(body_of(*app, "/twice"), "first");
  EXPECT_EQ(body_of(*app, "/answered_then_failed"), "first");
}

TEST(AppRules, AnswersAfterHandleAndFromOtherThreadsAreIgnored) {
  const auto app = preloaded(FIXTURE_RAW);
  EXPECT_EQ(body_of(*app, "/keep"), "kept");
  EXPECT_EQ(body_of(*app, "/use_kept"), "mine");
  EXPECT_EQ(failure_of(*app, "/elsewhere"), "handle returned without an answer");
}

TEST(AppRules, StatusCodesOutOfRange) {
  const auto app = preloaded(FIXTURE_RAW);
  for (const char* status : {"-1", "0", "100", "199", "1000"}) {
    const http::Field field[] = {{"Status", status}};
    EXPECT_THAT(failure_of(*app, "/status", field),
                HasSubstr(std::string("is not between 200 and 599 (status ") + status + ")"));
  }
  for (const char* status : {"200", "599"}) {
    const http::Field field[] = {{"Status", status}};
    EXPECT_EQ(failure_of(*app, "/status", field), "did not fail");
  }
}

TEST(AppRules, EveryBodyIsReleasedOnce) {
  const auto app = preloaded(FIXTURE_RAW);
  const int before = std::stoi(body_of(*app, "/released"));
  EXPECT_EQ(body_of(*app, "/twice"), "first");  // the second answer's body
  const http::Field bad[] = {{"Status", "7"}};
  EXPECT_NE(failure_of(*app, "/status", bad), "did not fail");
  const http::Field good[] = {{"Status", "200"}};
  EXPECT_EQ(failure_of(*app, "/status", good), "did not fail");
  EXPECT_EQ(std::stoi(body_of(*app, "/released")), before + 3);
}

TEST(AppRules, NullPointers) {
  const auto app = preloaded(FIXTURE_RAW);
  EXPECT_THAT(failure_of(*app, "/null_body"), HasSubstr("the body is a null pointer with a length"));
  EXPECT_THAT(failure_of(*app, "/null_headers"), HasSubstr("the headers are a null pointer with a count"));
  EXPECT_THAT(failure_of(*app, "/null_header"), HasSubstr("a header is a null pointer with a length"));
  EXPECT_THAT(failure_of(*app, "/null"), HasSubstr("null or its `size` is not set"));
  EXPECT_THAT(failure_of(*app, "/no_size"), HasSubstr("null or its `size` is not set"));
}

TEST(AppRules, FailuresAreOneLine) { EXPECT_EQ(failure_of(*preloaded(FIXTURE_RAW), "/fail"), "the cat\\x0ais away"); }

TEST(AppHost, LookUpsForC) {
  const http::Field fields[] = {{"X-One", "1"}, {"Other", "2"}, {"x-one", "3"}};
  Taken taken;
  get(*preloaded(FIXTURE_RAW), "/found", taken, fields, "name=Ann+Lee&name=abcdef");
  EXPECT_EQ(taken.body, "Ann Lee:7 abc:6 -1 /a b%zz:7 1 3 none");
}

/// Cannot take an answer, as when memory has run out.
class Throwing final : public Answer {
 public:
  void respond(const Response&) override { throw std::bad_alloc(); }
  void fail(std::string_view why) override { failure = why; }
  std::string failure;
};

TEST(AppHost, WhatTheReceiverThrowsStaysOutOfTheApp) {
  http::Request head;
  head.path = "/keep";
  Request request;
  request.head = &head;
  Throwing throwing;
  preloaded(FIXTURE_RAW)->handle(request, throwing);
  EXPECT_EQ(throwing.failure, "serval could not take the answer");
}

}  // namespace
}  // namespace serval::app
