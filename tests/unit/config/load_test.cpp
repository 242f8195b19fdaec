#include "config/load.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "config/validate.hpp"

namespace serval::config {
namespace {

using namespace std::chrono_literals;

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class Load : public testing::Test {
 protected:
  Load() {
    std::string folder = testing::TempDir() + "serval_load_XXXXXX";
    sources_.working_directory = ::mkdtemp(folder.data());
  }
  ~Load() override { fs::remove_all(sources_.working_directory); }

  void write(const std::string& text, const std::string& name = "serval.toml") {
    const auto path = fs::path(sources_.working_directory) / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    sources_.file = name;
  }

  Loaded load() const { return config::load(sources_); }
  std::string errors() const { return format_problems(load().problems, "error"); }
  std::string notes() const { return format_problems(load().notes, "warning"); }

  Sources sources_;
};

const std::string kApp = "[app]\nlibrary = \"libshop.so\"\n";

TEST_F(Load, StrongerSourcesWinAndAreRemembered) {
  write(kApp + "[workers]\nthreads = 2\nqueue = 2\nqueue_timeout = \"2s\"\n");
  sources_.environment = {{"SERVAL_WORKERS_QUEUE", "3"}, {"SERVAL_WORKERS_QUEUE_TIMEOUT", "3s"}};
  sources_.flags = {{"workers.queue_timeout", "4s"}};
  const auto loaded = load();
  EXPECT_EQ(format_problems(loaded.problems, "error"), "");
  EXPECT_EQ(loaded.config.workers.boot_timeout, 60s);
  EXPECT_EQ(loaded.config.workers.threads, 2);
  EXPECT_EQ(loaded.config.workers.queue, 3);
  EXPECT_EQ(loaded.config.workers.queue_timeout, 4s);
  EXPECT_EQ(loaded.origins.at("workers.boot_timeout").text(), "default");
  EXPECT_EQ(loaded.origins.at("workers.threads").text(), "serval.toml:4:11");
  EXPECT_EQ(loaded.origins.at("workers.queue").text(), "environment SERVAL_WORKERS_QUEUE");
  EXPECT_EQ(loaded.origins.at("workers.queue_timeout").text(), "flag --workers.queue_timeout");
}

TEST_F(Load, ValuesOfOtherServersAreHintedAt) {
  sources_.flags = {{"app.library", "shop:app"}, {"workers.threads", "2:5"}, {"workers.count", "max"}};
  EXPECT_THAT(
      errors(),
      HasSubstr("workers.threads = \"2:5\": expected a whole number from 1 to 1024\n  hint: write the larger number"));
  EXPECT_THAT(errors(), HasSubstr("hint: \"auto\" fits workers.count"));
  EXPECT_THAT(errors(), HasSubstr("this is no shared library\n  hint: serval serves shared libraries"));
  for (const auto* name : {"config.ru", "/srv/app.py", "server.js"}) {
    sources_.flags = {{"app.library", name}};
    EXPECT_THAT(errors(), HasSubstr("this is no shared library")) << name;
  }
  for (const auto* name : {"libshop.so", "libshop.so.1", "shop", "a:b.so", "/a.py/shop", "shop.d"}) {
    sources_.flags = {{"app.library", name}};
    EXPECT_EQ(errors(), "") << name;
  }
}

TEST_F(Load, ErrorsShowVariablesAsTheFileHasThemAndNotWhatTheyHold) {
  sources_.environment = {{"SECRET", "geheim"}, {"SMALL", "4711"}, {"PATH_OF_IT", "/geheim/"}, {"SIZE", "8154711"}};
  const std::pair<const char*, const char*> table[] = {
      {"[workers]\ncount = \"${SECRET}\"\n", "workers.count = \"${SECRET}\": expected \"auto\" or a whole number"},
      {"[server]\nbind = \"${SECRET}\"\n", "server.bind[0] = \"${SECRET}\": what its variables hold does not fit"},
      {"[server]\nbind = [\"127.0.0.1:80\", \"0.0.0.0:x${SECRET}\"]\n",
       "server.bind[1] = \"0.0.0.0:x${SECRET}\": what its"},
      {"[server]\nname = \"? ${SECRET:-x}\"\n",
       "server.name = \"? ${SECRET:-x}\": what its variables hold does not fit"},
      {"[server]\numask = \"${SECRET}\"\n", "server.umask = \"${SECRET}\": expected octal"},
      {"[request]\ntimeout = \"${SMALL}\"\n", "request.timeout = \"${SMALL}\": expected a duration"},
      {"[request]\nmax_body = \"${SECRET}\"\n", "request.max_body = \"${SECRET}\": expected a size"},
      {"[request]\ntrusted_proxies = [\"${SECRET}\"]\n",
       "request.trusted_proxies[0] = \"${SECRET}\": what its variables"},
      {"[log]\nlevel = \"${SECRET}\"\n", "log.level = \"${SECRET}\": expected one of"},
      {"[log]\naccess_format = \"$${x} ${SECRET}\"\n", "log.access_format = \"$${x} ${SECRET}\": what its variables"},
      {"[memory]\nsoft = \"64MiB\"\nhard = \"${SIZE}\"\n",
       "memory.soft = \"64MiB\" is more than memory.hard = \"${SIZE}\""},
      {"[app]\nlibrary = \"${PATH_OF_IT}\"\n", "app.library = \"${PATH_OF_IT}\": this is a folder"},
  };
  for (const auto& [text, said] : table) {
    write(text);
    EXPECT_THAT(errors(), HasSubstr(said));
    for (const auto* value : {"geheim", "4711"}) EXPECT_THAT(errors(), testing::Not(HasSubstr(value))) << text;
  }
  write("[workers]\ncount = \"${SECRET}\"\n");
  sources_.flags = {{"workers.count", "few"}};  // the stronger one is shown: nobody has hidden it
  EXPECT_THAT(errors(), HasSubstr("workers.count = \"few\""));
}

TEST_F(Load, ListsAndTablesComeFromEverySource) {
  sources_.flags = {
      {"app.library", "x.so"}, {"app.args", "a,b"}, {"app.args", "c"}, {"app.env", "A=1,2"}, {"app.env", "B="}};
  sources_.environment = {{"SERVAL_SERVER_BIND", "127.0.0.1:1, [::]:2"}, {"SERVAL_REQUEST_TRUSTED_PROXIES", ""}};
  auto loaded = load();
  EXPECT_EQ(format_problems(loaded.problems, "error"), "");
  EXPECT_THAT(loaded.config.app.args, ElementsAre("a,b", "c"));
  EXPECT_EQ(loaded.config.app.env, (Pairs{{"A", "1,2"}, {"B", ""}}));
  EXPECT_THAT(loaded.config.server.bind, ElementsAre("127.0.0.1:1", "[::]:2"));
  EXPECT_THAT(loaded.config.request.trusted_proxies, ElementsAre());

  sources_.flags = {{"app.library", "x.so"}};
  sources_.environment = {{"SERVAL_APP_ARGS", R"(["a,b", "c"])"}, {"SERVAL_APP_ENV", "A=1,B=x=y"}};
  loaded = load();
  EXPECT_EQ(format_problems(loaded.problems, "error"), "");
  EXPECT_THAT(loaded.config.app.args, ElementsAre("a,b", "c"));
  EXPECT_EQ(loaded.config.app.env, (Pairs{{"A", "1"}, {"B", "x=y"}}));
}

TEST_F(Load, PathsStartWhereTheyWereSaid) {
  const fs::path here = sources_.working_directory;
  write("[app]\nlibrary = \"build/../libshop.so\"\n[log]\nfile = \"log/serval.log\"\naccess = \"off\"\n",
        "etc/serval.toml");
  auto config = load().config;
  EXPECT_EQ(config.app.library, (here / "etc/libshop.so").string());
  EXPECT_EQ(config.log.file, (here / "etc/log/serval.log").string());
  EXPECT_EQ(config.log.access, "off");
  EXPECT_EQ(config.server.name, "shop");

  sources_.flags = {{"app.library", "libother.so.2"}};
  config = load().config;
  EXPECT_EQ(config.app.library, (here / "libother.so.2").string());
  EXPECT_EQ(config.server.name, "other");
}

TEST_F(Load, InKubernetesAStopServesOnForAWhileUnlessSomethingElseIsSaid) {
  write(kApp);
  EXPECT_EQ(load().config.shutdown.delay, 0s);
  sources_.environment = {{"KUBERNETES_SERVICE_HOST", "10.0.0.1"}};
  auto loaded = load();
  EXPECT_EQ(loaded.config.shutdown.delay, 5s);
  EXPECT_EQ(loaded.origins.at("shutdown.delay").text(), "environment KUBERNETES_SERVICE_HOST");
  write(kApp + "[shutdown]\ndelay = \"0s\"\n");
  EXPECT_EQ(load().config.shutdown.delay, 0s);
}

TEST_F(Load, PortAndConcurrencyAreWeakerThanTheFile) {
  write(kApp);
  sources_.environment = {{"PORT", "5000"}, {"WEB_CONCURRENCY", "3"}};
  auto loaded = load();
  EXPECT_THAT(loaded.config.server.bind, ElementsAre("0.0.0.0:5000"));
  EXPECT_EQ(loaded.config.workers.count, 3);
  EXPECT_EQ(loaded.origins.at("workers.count").text(), "environment WEB_CONCURRENCY");

  write(kApp + "[server]\nbind = [\"127.0.0.1:1\"]\n[workers]\ncount = 2\n");
  loaded = load();
  EXPECT_THAT(loaded.config.server.bind, ElementsAre("127.0.0.1:1"));
  EXPECT_EQ(loaded.config.workers.count, 2);
}

TEST_F(Load, AFallbackThatTheFileOverrulesIsNoted) {
  sources_.environment = {{"PORT", "5000"}, {"WEB_CONCURRENCY", "3"}};
  write(kApp + "[server]\nbind = [\"127.0.0.1:1\"]\n[workers]\ncount = 2\n");
  EXPECT_THAT(notes(),
              HasSubstr("environment PORT: warning: \"5000\" is ignored: server.bind is set by serval.toml:4:8"));
  EXPECT_THAT(
      notes(),
      HasSubstr("environment WEB_CONCURRENCY: warning: \"3\" is ignored: workers.count is set by serval.toml:6:9"));
  write(kApp + "[server]\nbind = [\"127.0.0.1:${PORT}\"]\n[workers]\ncount = 3\n");
  EXPECT_EQ(notes(), "");
}

TEST_F(Load, NoConcurrencyIsOneWorker) {
  write(kApp);
  sources_.environment = {{"WEB_CONCURRENCY", "0"}};
  EXPECT_EQ(errors(), "");
  EXPECT_EQ(load().config.workers.count, 1);
  EXPECT_THAT(notes(), HasSubstr("environment WEB_CONCURRENCY: warning: 0 means one worker here"));
}

TEST_F(Load, BlankOrAutomaticConcurrencyIsFine) {
  write(kApp);
  for (const auto* word : {"", " ", "auto"}) {
    sources_.environment = {{"WEB_CONCURRENCY", word}, {"PORT", ""}};
    EXPECT_EQ(errors(), "");
    EXPECT_EQ(load().config.workers.count, std::nullopt);
  }
}

TEST_F(Load, BadFallbacksAreNamed) {
  write(kApp);
  for (const auto* word : {"many", "-1", "3.5", "99999"}) {
    sources_.environment = {{"WEB_CONCURRENCY", word}};
    EXPECT_THAT(errors(), StartsWith("environment WEB_CONCURRENCY: error: ")) << word;
  }
  for (const auto* word : {"http", "65536", "-1", "80 80", "123456"}) {
    sources_.environment = {{"PORT", word}};
    EXPECT_THAT(errors(), StartsWith("environment PORT: error: PORT = ")) << word;
  }
}

TEST_F(Load, VariablesAreReplacedInEveryText) {
  write(
      "[app]\nlibrary = \"${LIB:-libshop.so}\"\nargs = [\"${A}\"]\nenv = { X = \"$${A}\" }\n[workers]\nthreads = "
      "\"${THREADS}\"\n");
  sources_.environment = {{"A", "one\ntwo"}, {"THREADS", "8"}};
  const auto loaded = load();
  EXPECT_EQ(format_problems(loaded.problems, "error"), "");
  EXPECT_THAT(loaded.config.app.args, ElementsAre("one\ntwo"));
  EXPECT_EQ(loaded.config.app.env.at("X"), "${A}");
  EXPECT_EQ(loaded.config.workers.threads, 8);
}

TEST_F(Load, AnUnsetVariableIsNamedWithItsPlace) {
  write(kApp + "args = [\"a\", \"${TOKEN}\"]\nenv = { X = \"${KEY}\" }\n");
  EXPECT_EQ(errors(),
            "serval.toml:3:14: error: the environment variable TOKEN is not set; set it or write ${TOKEN:-default}\n"
            "serval.toml:4:13: error: the environment variable KEY is not set; set it or write ${KEY:-default}\n");
}

TEST_F(Load, NoMessageShowsAValueOfASecretOption) {
  for (const auto* text :
       {"env = \"geheim\"", "env = { A = 815471108154711 }", "env = { A = [\"geheim\"] }",
        "env = { A = \"geheim\\u0000\" }", "env = { A = \"${geheim geheim}\" }", "env = { A = \"${NONE:geheim}\" }",
        "env = { \"A=geheim\" = \"x\" }", "env = { A = 81547110815471108154711 }",
        "env = { A = 8154711.0815471108154711 }", "args = [815471108154711]", "args = \"geheim\\u0000\"",
        "args = [\"geheim\\u0000\"]", "args = [\"a\", \"${geheim\"]"}) {
    write(kApp + text + "\n");
    const auto said = errors();
    EXPECT_NE(said, "") << text;
    EXPECT_THAT(said, testing::Not(testing::AnyOf(HasSubstr("geheim"), HasSubstr("8154711")))) << text;
  }
  write(kApp);
  for (const auto& [path, word] : {std::pair("app.env", "geheim"), std::pair("app.env", "=geheim")}) {
    sources_.flags = {{path, word}};
    EXPECT_THAT(errors(), testing::AllOf(HasSubstr("app.env"), testing::Not(HasSubstr("geheim")))) << word;
  }
  sources_.flags = {};
  sources_.environment = {{"SERVAL_APP_ENV", "geheim"}};
  EXPECT_THAT(errors(), testing::AllOf(HasSubstr("app.env"), testing::Not(HasSubstr("geheim"))));
}

TEST_F(Load, NoProblemBreaksItsLine) {
  write("[app]\r\nlibrary = \"x\"\n[wor\rkers]\n");
  sources_.environment = {{"SERVAL_X\x1b[31m\n", ""}};
  for (const auto& said : {errors(), notes()}) {
    EXPECT_EQ(said.find_first_of("\r\x1b"), std::string::npos) << said;
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1 + (said.find("hint: ") != std::string::npos)) << said;
  }
}

TEST_F(Load, APipeWithoutAWriterIsNoConfiguration) {
  sources_.file = "pipe";
  ASSERT_EQ(::mkfifo((sources_.working_directory + "/pipe").c_str(), 0600), 0);
  EXPECT_THAT(errors(), HasSubstr("it is a pipe into which nobody writes"));
}

TEST_F(Load, TenMistakesAreTenFindings) {
  write(
      "[app]\n"                                                // 1
      "library = \"libshop.so\"\n"                             // 2
      "[server]\n"                                             // 3
      "bind = [\"127.0.0.1:1\", \"127.0.0.1:99999\"]\n"        // 4
      "umask = \"0099\"\n"                                     // 5
      "[workers]\n"                                            // 6
      "threads = \"five\"\n"                                   // 7
      "thread = 5\n"                                           // 8
      "count = 0\n"                                            // 9
      "max_requests = -1\n"                                    // 10
      "[request]\n"                                            // 11
      "timeout = 30\n"                                         // 12
      "max_body = \"16 megs\"\n"                               // 13
      "trusted_proxies = [\"10.0.0.0/8\", \"10.0.0.0/99\"]\n"  // 14
      "[log]\n"                                                // 15
      "level = \"warn\"\n"                                     // 16
      "access_format = \"$method $statu\"\n");                 // 17
  const auto loaded = load();
  const std::pair<const char*, const char*> expected[] = {
      {"serval.toml:4:24: error: server.bind[1] = \"127.0.0.1:99999\": ", "example"},
      {"serval.toml:5:9: error: server.umask = \"0099\": expected octal permission bits", "0027"},
      {"serval.toml:7:11: error: workers.threads = \"five\": expected a whole number from 1 to 1024", ""},
      {"serval.toml:8:1: error: unknown key workers.thread", "did you mean workers.threads?"},
      {"serval.toml:9:9: error: workers.count = 0: expected \"auto\" or a whole number from 1 to 1024", ""},
      {"serval.toml:10:16: error: workers.max_requests = -1: expected a whole number from 1 to 1000000000, or 0 for "
       "none",
       ""},
      {"serval.toml:12:11: error: request.timeout = 30: expected a duration from 1ms to 24h, or \"0\" for none",
       "did you mean \"30s\"?"},
      {"serval.toml:13:12: error: request.max_body = \"16 megs\": expected a size from 1 to 1TiB, or 0 for none",
       "MiB"},
      {"serval.toml:14:34: error: request.trusted_proxies[1] = \"10.0.0.0/99\": ", "example"},
      {"serval.toml:16:9: error: log.level = \"warn\": expected one of \"debug\", \"info\", \"warning\", \"error\"",
       "did you mean \"warning\"?"},
      {"serval.toml:17:17: error: log.access_format = \"$method $statu\": there is no $statu", "example"},
  };
  ASSERT_EQ(loaded.problems.size(), std::size(expected)) << format_problems(loaded.problems, "error");
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    EXPECT_THAT(format_problems({&loaded.problems[i], 1}, "error"), StartsWith(expected[i].first));
    EXPECT_THAT(loaded.problems[i].hint, HasSubstr(expected[i].second));
  }
}

TEST_F(Load, WrongValuesAreRefusedAtTheirPlace) {
  const std::pair<const char*, const char*> table[] = {
      {"[workers]\nthreads = 5.0\n", ":4:11: error: workers.threads = 5"},
      {"[workers]\nthreads = true\n", ":4:11: error: workers.threads = true: expected a whole number"},
      {"[workers]\nthreads = [1]\n", ":4:11: error: workers.threads = [...]: expected a whole number"},
      {"[workers]\nthreads = -1\n", ":4:11: error: workers.threads = -1: expected"},
      {"[workers]\nthreads = 99999999999\n", ":4:11: error: workers.threads = 99999999999: expected"},
      {"[workers]\ncount = \"many\"\n", ":4:9: error: workers.count = \"many\": expected \"auto\" or"},
      {"[workers]\nboot_timeout = \"0\"\n",
       ":4:16: error: workers.boot_timeout = \"0\": expected a duration from 100ms to 24h\n"},
      {"[request]\ntimeout = \"30 parsecs\"\n", ":4:11: error: request.timeout = \"30 parsecs\": expected a duration"},
      {"[request]\ntimeout = \"-5s\"\n", ":4:11: error: request.timeout = \"-5s\": expected a duration"},
      {"[request]\ntimeout = \"25h\"\n",
       ":4:11: error: request.timeout = \"25h\": expected a duration from 1ms to 24h"},
      {"[request]\nmax_header = 1\n", ":4:14: error: request.max_header = 1: expected a size from 512 to 16MiB"},
      {"[request]\nmax_body = -1\n", ":4:12: error: request.max_body = -1: expected a size"},
      {"[request]\nproxy_protocol = \"yes\"\n",
       ":4:18: error: request.proxy_protocol = \"yes\": expected true or false"},
      {"[server]\nbind = \"0.0.0.0\"\n", ":4:8: error: server.bind[0] = \"0.0.0.0\": "},
      {"[server]\nbind = 8000\n", ":4:8: error: server.bind = 8000: expected a list of texts"},
      {"[server]\nport = 8000\n",
       ":4:1: error: unknown key server.port\n  hint: write bind = [\"0.0.0.0:8000\"] under [server]"},
      {"[log]\nformat = \"JSON\"\n",
       ":4:10: error: log.format = \"JSON\": expected one of \"text\", \"json\"\n  hint: did you mean \"json\"?"},
      {"[log]\naccess = \"stdout\"\n",
       ":4:10: error: log.access = \"stdout\": expected \"-\" for standard output, \"off\", or a path"},
      {"[log]\nfile = \"stderr\"\n",
       ":4:8: error: log.file = \"stderr\": expected \"-\" for standard error, or a path"},
      {"[log]\nfile = \"off\"\n",
       ":4:8: error: log.file = \"off\": expected \"-\" for standard error, or a path: "
       "it cannot be off, log.level says what is written; a file of this name would be"},
      {"[log]\naccess = \"None\"\n",
       ":4:10: error: log.access = \"None\": expected \"-\" for standard output, \"off\", or a path; a file of this "
       "name "
       "would be \"./None\""},
      {"[log]\naccess = \"syslog\"\n", ":4:10: error: log.access = \"syslog\": expected \"-\" for standard output"},
      {"[server]\npidfile = \"off\"\n",
       ":4:11: error: server.pidfile = \"off\": expected a path, or \"\" for none; a file of this name would be"},
      {"[health]\ndrain_file = \"-\"\n", ":4:14: error: health.drain_file = \"-\": expected a path, or \"\" for none"},
      {"[control]\nsocket = \"none\"\n",
       ":4:10: error: control.socket = \"none\": expected a path, \"off\", or \"\" for the usual place"},
      {"[server]\nbind = [8000]\n", ":4:9: error: server.bind[0] = 8000: expected a text"},
      {"[server]\nbind = []\n", ":4:8: error: server.bind = []: expected at least one address"},
      {"[server]\nbind = [\"8000\", \"0.0.0.0:8000\"]\n",
       ":4:17: error: server.bind[1] = \"0.0.0.0:8000\": the same address as server.bind[0]"},
      {"[server]\numask = 22\n", ":4:9: error: server.umask = 22: expected octal"},
      {"[server]\nname = 5\n", ":4:8: error: server.name = 5: expected a text"},
      {"[server]\nname = \"a b\"\n", ":4:8: error: server.name = \"a b\": expected up to 64 letters"},
      {"[server]\npidfile = 1979-05-27\n", ":4:11: error: server.pidfile = 1979-05-27: expected a text"},
      {"[log]\nfile = \"\"\n", ":4:8: error: log.file = \"\": expected a path"},
      {"[log]\nformat = 7\n", ":4:10: error: log.format = 7: expected one of \"text\", \"json\""},
      {"[health]\nlive = \"health\"\n", ":4:8: error: health.live = \"health\": expected a path that begins with /"},
      {"[health]\nready = \"/up?now\"\n",
       ":4:9: error: health.ready = \"/up?now\": expected a path as it stands in a request, without a query"},
      {"[health]\nlive = \"/up\"\nready = \"/up\"\n",
       ":5:9: error: health.ready = \"/up\": the same path as health.live"},
      {"[workers]\ncount = 2\n[health]\nready_workers = 3\n",
       ":6:17: error: health.ready_workers = 3 is more than workers.count = 2"},
      {"[health]\nready_workers = 0\n", ":4:17: error: health.ready_workers = 0"},
      {"[log]\naccess_format = \"$nothing\"\n", ":4:17: error: log.access_format = \"$nothing\": there is no $nothing"},
      {"[request]\nmax_target = \"128KiB\"\n",
       ":4:14: error: request.max_target = \"128KiB\" is more than request.max_header = \"64KiB\""},
      {"[restart]\nbackoff_max = \"50ms\"\n",
       ":4:15: error: restart.backoff_first = \"100ms\" is more than restart.backoff_max = \"50ms\""},
  };
  for (const auto& [text, expected] : table) {
    write(kApp + text);
    EXPECT_THAT(errors(), StartsWith("serval.toml" + std::string(expected))) << text;
    EXPECT_EQ(load().problems.size(), 1u) << errors();
  }
}

TEST_F(Load, ASingleTextIsAListOfOne) {
  write(kApp + "args = \"--fast, now\"\n[server]\nbind = \"127.0.0.1:8000\"\n");
  EXPECT_EQ(errors(), "");
  EXPECT_THAT(load().config.server.bind, ElementsAre("127.0.0.1:8000"));
  EXPECT_THAT(load().config.app.args, ElementsAre("--fast, now"));
}

TEST_F(Load, AFolderIsNoLibrary) {
  for (const char* folder : {".", "..", "./", "build/", "/"}) {
    write("[app]\nlibrary = \"" + std::string(folder) + "\"\n");
    EXPECT_THAT(
        errors(),
        HasSubstr("this is a folder, expected a shared library\n  hint: name the file, for example build/libshop.so"))
        << folder;
  }
}

TEST_F(Load, TableValuesOfAppEnvAreChecked) {
  write(kApp + "env = { A = \"1\", B = 2, \"C=D\" = \"3\" }\n");
  const auto text = errors();
  EXPECT_THAT(text,
              HasSubstr("serval.toml:3:22: error: app.env.B = (hidden): expected a text\n  hint: put it in quotes\n"));
  EXPECT_THAT(text, HasSubstr("app.env has a name \"C\": expected one without"));
}

TEST_F(Load, EnvironmentAndFlagsAreNamedInProblems) {
  write(kApp);
  sources_.environment = {{"SERVAL_WORKERS_THREADS", "five"}, {"SERVAL_TLS_KEY", "off"}};
  sources_.flags = {{"workers.queue", "-3"}, {"app.env", "novalue"}};
  const auto text = errors();
  EXPECT_THAT(
      text,
      HasSubstr("environment SERVAL_WORKERS_THREADS: error: workers.threads = \"five\": expected a whole number"));
  EXPECT_THAT(text,
              HasSubstr("environment SERVAL_TLS_KEY: error: tls.key is known, but this version does not serve it yet"));
  EXPECT_THAT(text, HasSubstr("flag --workers.queue: error: workers.queue = \"-3\": expected"));
  EXPECT_THAT(text, HasSubstr("flag --app.env: error: app.env = (hidden): expected NAME=VALUE"));
  EXPECT_EQ(load().problems.size(), 4u);
}

TEST_F(Load, UnknownVariablesAreNoted) {
  write(kApp);
  sources_.environment = {{"SERVAL_WORKER_THREADS", "5"}, {"OTHER", "1"}};
  EXPECT_EQ(errors(), "");
  EXPECT_EQ(notes(),
            "environment SERVAL_WORKER_THREADS: warning: no option has this name; it is ignored\n"
            "  hint: did you mean SERVAL_WORKERS_THREADS?\n");
}

TEST_F(Load, AMissingLibraryIsSaidWhereItBelongs) {
  EXPECT_THAT(errors(), StartsWith("serval: error: app.library is missing"));
  write("");
  EXPECT_THAT(errors(), StartsWith("serval.toml: error: app.library is missing"));
  write("[app]\nlibrary = \"\"\n");
  EXPECT_THAT(errors(), StartsWith("serval.toml:2:11: error: app.library is missing"));
  write("[app]\nlibrary = 5\n");
  EXPECT_EQ(load().problems.size(), 1u) << errors();
}

TEST_F(Load, UnreadableFilesAreOneClearProblem) {
  sources_.file = "nowhere.toml";
  EXPECT_THAT(errors(), StartsWith("nowhere.toml: error: cannot read the configuration: No such file or directory\n"));
  sources_.file = ".";
  EXPECT_THAT(errors(), StartsWith(".: error: cannot read the configuration: Is a directory\n"));
  write(std::string(2'000'000, 'x'));
  EXPECT_THAT(errors(), StartsWith("serval.toml: error: cannot read the configuration: it is larger than 1 MiB"));
  sources_.file = "/dev/zero";
  EXPECT_THAT(errors(), StartsWith("/dev/zero: error: cannot read the configuration: it is larger than 1 MiB"));
  for (const auto* file : {"nowhere.toml", ".", "serval.toml", "/dev/zero"}) {
    sources_.file = file;
    EXPECT_EQ(load().problems.size(), 1u);
  }
}

TEST(NameFromLibrary, DropsWhatEveryLibraryHas) {
  const std::pair<const char*, const char*> table[] = {
      {"/srv/libshop.so", "shop"}, {"shop.so", "shop"},       {"libshop.so.2.1", "shop"},
      {"lib.so", "lib"},           {"my shop.so", "my-shop"}, {"", ""},
  };
  for (const auto& [library, name] : table) EXPECT_EQ(name_from_library(library), name) << library;
}

TEST_F(Load, the_apps_clients_and_those_who_watch_have_an_address_each) {
  write(
      "[app]\nlibrary = \"libshop.so\"\n[server]\nbind = [\"0.0.0.0:8000\", \"127.0.0.1:8001\"]\n"
      "[admin]\nbind = \"127.0.0.1:8001\"\n");
  EXPECT_THAT(errors(), HasSubstr("admin.bind = \"127.0.0.1:8001\": the same address as server.bind[1]"));
}

TEST_F(Load, statsd_without_a_process_that_sends_is_noted) {
  const std::string app = "[app]\nlibrary = \"libshop.so\"\n[admin]\nstatsd = \"127.0.0.1:8125\"\n";
  write(app);
  EXPECT_EQ(notes(), "");
  write(app + "bind = \"off\"\n");
  EXPECT_THAT(notes(), HasSubstr("admin.statsd = \"127.0.0.1:8125\" changes nothing"));
  EXPECT_EQ(errors(), "");
}

TEST_F(Load, names_for_keys_that_no_line_has_are_noted) {
  const std::string app = "[app]\nlibrary = \"libshop.so\"\n[log]\nkeys = \"ecs\"\n";
  write(app);
  EXPECT_THAT(notes(), HasSubstr("log.keys = \"ecs\" changes nothing"));
  EXPECT_EQ(errors(), "");
  for (const char* json : {"format = \"json\"\n", "access_format = \"json\"\n"}) {
    write(app + json);
    EXPECT_EQ(notes(), "") << json;
  }
  write("[app]\nlibrary = \"libshop.so\"\n[log]\nkeys = \"elk\"\n");
  EXPECT_THAT(errors(), HasSubstr("log.keys = \"elk\": expected one of \"serval\", \"ecs\", \"datadog\", \"gcp\""));
}

}  // namespace
}  // namespace serval::config
