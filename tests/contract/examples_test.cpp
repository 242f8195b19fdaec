#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "app/app.hpp"

// The examples echo, catalog and faulty, loaded and asked in this process.

namespace serval::app {
namespace {

using testing::HasSubstr;
namespace json = boost::json;

struct Taken final : Answer {
  void respond(const Response& response) override {
    status = response.status;
    body = response.body;
    response.release();
  }
  void fail(std::string_view why) override {
    status = 500;
    body = why;
  }
  int status = 0;
  std::string body;
};

struct Ask {
  std::string_view method = "GET";
  std::string_view path;
  std::string_view query = {};
  std::string_view body = {};
  std::vector<http::Field> fields = {};
};

/// An app as a worker has it.
class Running {
 public:
  explicit Running(const std::string& path, const std::vector<std::string>& args = {}) {
    Result<std::unique_ptr<App>> loaded = App::load(path);
    if (!loaded) throw std::runtime_error(loaded.error());
    app = std::move(*loaded);
    Result<void> done = app->preload(args, 4, "examples");
    if (done) done = app->worker_start({.slot = 6, .generation = 4, .threads = 1, .server_name = "examples"});
    if (!done) throw std::runtime_error(done.error());
  }
  ~Running() { app->worker_stop(); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  Taken operator()(const Ask& ask) {
    http::Request head;
    head.method = ask.method;
    const std::string target = std::string(ask.path) + (ask.query.empty() ? "" : "?") + std::string(ask.query);
    head.target = target;
    head.path = ask.path;
    head.query = ask.query;
    head.fields = ask.fields;
    Request request;
    request.head = &head;
    request.body = ask.body;
    request.peer = "192.0.2.7";
    request.scheme = "https";
    Taken taken;
    app->handle(request, taken);
    return taken;
  }

  std::unique_ptr<App> app;
};

std::string error_of(const std::string& path, const std::vector<std::string>& args) {
  try {
    const Running running(path, args);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "started";
}

// ---- echo ----

TEST(Echo, SaysWhatItSaw) {
  Running echo(EXAMPLE_ECHO);
  const Taken taken = echo({.method = "PUT",
                            .path = "/a%20b",
                            .query = "x=\"1\"",
                            .body = "caf\xC3\xA9\n",
                            .fields = {{"B", "2"}, {"A", "1"}, {"b", "caf\xE9\\"}}});
  const json::value expected = {{"method", "PUT"},
                                {"target", "/a%20b?x=\"1\""},
                                {"path", "/a%20b"},
                                {"query", "x=\"1\""},
                                {"version", "1.1"},
                                {"headers", json::array{json::array{"B", "2"}, json::array{"A", "1"}, json::array{"b", "caf\xC3\xA9\\"}}},
                                {"body", "caf\xC3\xA9\n"},
                                {"peer", "192.0.2.7"},
                                {"scheme", "https"},
                                {"worker", 6},
                                {"pid", ::getpid()}};
  EXPECT_EQ(json::parse(taken.body), expected);
}

TEST(Echo, BodiesThatAreNotTextAreBase64) {
  Running echo(EXAMPLE_ECHO);
  const auto base64_of = [&echo](std::string_view body) {
    return std::string(json::parse(echo({.method = "POST", .path = "/", .body = body}).body).at("body_base64").as_string());
  };
  EXPECT_EQ(base64_of("\xFF"), "/w==");
  EXPECT_EQ(base64_of("\xFF\xFE"), "//4=");
  EXPECT_EQ(base64_of("\xC0\xAF!"), "wK8h");           // an overlong slash
  EXPECT_EQ(base64_of("\xED\xA0\x80\x01"), "7aCAAQ==");  // half a surrogate pair
}

TEST(Echo, ControlBytesStayInsideTheString) {
  Running echo(EXAMPLE_ECHO);
  const std::string body("a\0\x1F\x7F\"\\", 6);
  EXPECT_EQ(json::parse(echo({.path = "/", .body = body}).body).at("body").as_string(), body);
}

// ---- catalog ----

class Catalog : public testing::Test {
 protected:
  Catalog() : folder_(std::filesystem::path(testing::TempDir()) / ("examples_test." + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~Catalog() override { std::filesystem::remove_all(folder_); }

  std::vector<std::string> args(std::string_view table) {
    std::ofstream(folder_ / "table.tsv", std::ios::binary) << table;
    return {"table=" + (folder_ / "table.tsv").string(), "database=" + (folder_ / "items.db").string()};
  }

  std::filesystem::path folder_;
};

TEST_F(Catalog, FindsEveryRowOfTheTableAndNothingElse) {
  std::string table;
  for (int i = 100; i < 500; i += 2) table += "k" + std::to_string(i) + "\t" + std::string(static_cast<std::size_t>(i % 37), 'v') + "\n";
  Running catalog(EXAMPLE_CATALOG, args(table));
  for (int i = 99; i <= 500; ++i) {
    const std::string key = "k" + std::to_string(i);
    const Taken taken = catalog({.path = "/items/" + key});
    if (i % 2 != 0 || i == 500) {
      EXPECT_EQ(taken.status, 404) << key;
      continue;
    }
    EXPECT_EQ(taken.status, 200) << key;
    EXPECT_EQ(json::parse(taken.body), (json::value{{"key", key}, {"value", std::string(static_cast<std::size_t>(i % 37), 'v')}}));
  }
}

TEST_F(Catalog, TablesOfOneRowAndOfNone) {
  Running one(EXAMPLE_CATALOG, args("only\ta \"row\"\ttabs kept"));
  EXPECT_EQ(json::parse(one({.path = "/items/only"}).body).at("value").as_string(), "a \"row\"\ttabs kept");
  EXPECT_EQ(one({.path = "/items/onl"}).status, 404);
  EXPECT_EQ(one({.path = "/items/onlyy"}).status, 404);
  Running none(EXAMPLE_CATALOG, args(""));
  EXPECT_EQ(none({.path = "/items/only"}).status, 404);
}

TEST_F(Catalog, RefusesTablesItCannotSearch) {
  EXPECT_THAT(error_of(EXAMPLE_CATALOG, args("b\t1\na\t2\n")), HasSubstr("line 2 is not sorted"));
  EXPECT_THAT(error_of(EXAMPLE_CATALOG, args("a\t1\na\t2\n")), HasSubstr("line 2 is not sorted, or repeats a key"));
  EXPECT_THAT(error_of(EXAMPLE_CATALOG, args("a\t1\nnothing\n")), HasSubstr("line 2 has no tab"));
  EXPECT_THAT(error_of(EXAMPLE_CATALOG, {"table=/nonexistent", "database=x"}), HasSubstr("/nonexistent: No such file or directory"));
  EXPECT_THAT(error_of(EXAMPLE_CATALOG, {}), HasSubstr("table=PATH is missing"));
}

TEST_F(Catalog, InsertsAreFoundAndListedNewestFirst) {
  Running catalog(EXAMPLE_CATALOG, args("a\t1\n"));
  EXPECT_EQ(catalog({.path = "/recent"}).body, "[]\n");
  EXPECT_EQ(catalog({.method = "POST", .path = "/items", .body = R"({"key":"lamp","value":"warm \"light\""})"}).status, 201);
  EXPECT_EQ(catalog({.method = "POST", .path = "/items", .body = R"({"key":"a b","value":"2"})"}).status, 201);
  EXPECT_EQ(json::parse(catalog({.path = "/items/lamp"}).body).at("value").as_string(), "warm \"light\"");
  EXPECT_EQ(catalog({.path = "/items/a%20b"}).status, 200);
  const json::value expected = {{{"key", "a b"}, {"value", "2"}}, {{"key", "lamp"}, {"value", "warm \"light\""}}};
  EXPECT_EQ(json::parse(catalog({.path = "/recent"}).body), expected);
}

TEST_F(Catalog, InsertsOutliveTheWorker) {
  { Running(EXAMPLE_CATALOG, args(""))({.method = "POST", .path = "/items", .body = R"({"key":"k","value":"v"})"}); }
  Running again(EXAMPLE_CATALOG, args(""));
  EXPECT_EQ(again({.path = "/items/k"}).status, 200);
}

TEST_F(Catalog, RefusesOtherBodiesAndMethods) {
  Running catalog(EXAMPLE_CATALOG, args(""));
  for (const std::string_view body : {"", "{", "[]", "7", R"({"key":"k"})", R"({"key":1,"value":"v"})", R"({"key":"k","value":null})"}) {
    EXPECT_EQ(catalog({.method = "POST", .path = "/items", .body = body}).status, 400) << body;
  }
  EXPECT_EQ(catalog({.path = "/items"}).status, 405);
  EXPECT_EQ(catalog({.method = "DELETE", .path = "/items/k"}).status, 405);
  EXPECT_EQ(catalog({.method = "POST", .path = "/recent"}).status, 405);
}

// ---- faulty (what can be tried in this process) ----

TEST(Faulty, PlainPaths) {
  Running faulty(EXAMPLE_FAULTY);
  EXPECT_EQ(faulty({.path = "/"}).status, 200);
  EXPECT_EQ(faulty({.path = "/pid"}).body, std::to_string(::getpid()) + "\n");
  EXPECT_EQ(faulty({.path = "/generation"}).body, "4\n");
  EXPECT_EQ(faulty({.path = "/body", .query = "bytes=70000"}).body, std::string(70000, 'x'));
  EXPECT_EQ(faulty({.path = "/leak", .query = "kib=10"}).status, 200);
  EXPECT_EQ(faulty({.path = "/alloc", .query = "mib=1&ms=0"}).body, "held 1048576 bytes\n");
  EXPECT_EQ(faulty({.path = "/sleep", .query = "ms=1"}).status, 200);
  EXPECT_EQ(faulty({.path = "/spin", .query = "ms=1"}).status, 200);
  EXPECT_EQ(faulty({.path = "/throw"}).body, "std::runtime_error: handle was told to throw");
  EXPECT_EQ(faulty({.path = "/other"}).status, 404);
}

TEST(Faulty, ParametersThatAreMissingOrNoNumbers) {
  Running faulty(EXAMPLE_FAULTY);
  EXPECT_EQ(faulty({.path = "/sleep"}).status, 400);
  EXPECT_EQ(faulty({.path = "/sleep", .query = "ms=-1"}).status, 400);
  EXPECT_EQ(faulty({.path = "/body", .query = "bytes=12x"}).status, 400);
}

TEST(Faulty, StagesDoAsTheArgumentsSay) {
  EXPECT_EQ(error_of(EXAMPLE_FAULTY, {"preload=ok", "start=slow:1"}), "started");
  EXPECT_EQ(error_of(EXAMPLE_FAULTY, {"preload=throw"}), "app's preload failed: std::runtime_error: preload was told to throw");
  EXPECT_EQ(error_of(EXAMPLE_FAULTY, {"start=throw"}), "app's worker_start failed: std::runtime_error: start was told to throw");
  EXPECT_THAT(error_of(EXAMPLE_FAULTY, {"preload=dance"}), HasSubstr("unknown argument preload=dance"));
  EXPECT_THAT(error_of(EXAMPLE_FAULTY, {"dance"}), HasSubstr("unknown argument dance"));
}

TEST(Faulty, ReadinessAsTheArgumentsSay) {
  EXPECT_TRUE(Running(EXAMPLE_FAULTY).app->ready());
  EXPECT_FALSE(Running(EXAMPLE_FAULTY, {"ready=no"}).app->ready());
  EXPECT_FALSE(Running(EXAMPLE_FAULTY, {"ready=after:3600000"}).app->ready());
  EXPECT_TRUE(Running(EXAMPLE_FAULTY, {"ready=after:0"}).app->ready());
}

}  // namespace
}  // namespace serval::app
