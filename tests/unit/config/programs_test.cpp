#include "config/programs.hpp"

#include <gmock/gmock.h>

#include <csignal>

#include "config/diff.hpp"
#include "config/document.hpp"
#include "config/load.hpp"
#include "config/program_values.hpp"
#include "config/validate.hpp"

namespace serval::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// As the file of a server says it, with the rules applied. `library`: of the app that is there besides.
Loaded loaded_from(const std::string& text, const std::string& library = "") {
  Loaded loaded;
  loaded.config.app.library = library;
  if (!library.empty()) loaded.config.server.user = "shop";
  for (const Option& option : options()) loaded.origins.emplace(option.path, ValueSource{});
  const auto lookup = [](std::string_view name) {
    return name == "SECRET" ? std::optional<std::string>("geheim") : std::nullopt;
  };
  const auto values = read_text(text, "serval.toml", lookup, loaded.problems);
  if (values) read_programs(*values, "/srv", loaded);
  loaded.file = "/srv/serval.toml";
  complete(loaded);
  validate(loaded);
  return loaded;
}

std::string problems_of(const std::string& text, const std::string& library = "") {
  const auto loaded = loaded_from(text, library);
  return format_problems(loaded.problems, "error");
}

TEST(Programs, ATableIsAProgram) {
  const auto loaded = loaded_from(R"(
[programs.mailer]
command = ["./mailer", "--queue", "default"]
count = 3
env = { KEY = "${SECRET}" }
working_directory = "mail"
limits = { nofile = "4096" }
after = "db"
stop_codes = [0, 3]
restart = "on-failure"
replace = "rolling"
grace = "2m"
[programs.db]
command = "db"
)");
  ASSERT_EQ(format_problems(loaded.problems, "error"), "");
  const Program& mailer = loaded.config.programs.at("mailer");
  EXPECT_THAT(mailer.command, ElementsAre("./mailer", "--queue", "default"));
  EXPECT_EQ(mailer.count, 3);
  EXPECT_EQ(mailer.env.at("KEY"), "geheim");
  EXPECT_EQ(mailer.working_directory, "/srv/mail");
  EXPECT_THAT(mailer.after, ElementsAre("db"));
  EXPECT_THAT(mailer.stop_codes, ElementsAre(0, 3));
  EXPECT_EQ(mailer.restart, ProgramRestart::on_failure);
  EXPECT_TRUE(mailer.rolls());
  EXPECT_EQ(mailer.grace, 2min);
  EXPECT_EQ(loaded.config.programs.at("db").working_directory, "/srv");
  EXPECT_THAT(loaded.config.from_variables, ElementsAre("programs.mailer.env"));
  EXPECT_EQ(loaded.config.server.name, "srv") << "without a library the folder gives its name";
}

TEST(Programs, AllProblemsAtOnceEachWithItsPlace) {
  const std::string text = problems_of(R"([programs.mailer]
comand = ["x"]
count = -1
ready = "soon"
stop_signal = "KILL"
stop_codes = [256, "x"]
memory_soft = "2GiB"
memory_hard = "1GiB"
limits = { nofiles = "1", core = "much" }
umask = "9"
[programs.2nd]
command = ["x"]
[programs.app]
command = ["x"]
)");
  for (const char* part :
       {"serval.toml:2:1: error: unknown key programs.mailer.comand", "did you mean command?",
        "serval.toml:3:9: error: programs.mailer.count = -1: expected a whole number from 0 to 1024",
        "serval.toml:4:9: error: programs.mailer.ready = \"soon\": expected fd, notify, tcp:HOST:PORT",
        "programs.mailer.stop_signal = \"KILL\": expected TERM",
        "programs.mailer.stop_codes has 256: expected a list of whole numbers from 0 to 255",
        "programs.mailer.stop_codes has \"x\"",
        "programs.mailer.memory_soft = \"2GiB\" is more than programs.mailer.memory_hard = \"1GiB\"",
        "programs.mailer.limits.core = \"much\": expected a number", "programs.mailer.umask = \"9\"",
        "programs.2nd cannot be called so: expected a letter",
        "programs.app cannot be called so: this name means something else",
        "programs.mailer.command is missing: there is nothing to start"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(problems_of("[programs.a]\ncommand = [\"x\"]\nlimits = { nofiles = \"1\" }\n"),
              HasSubstr("programs.a.limits.nofiles: there is no such resource"));
}

TEST(Programs, RulesAmongThem) {
  EXPECT_THAT(problems_of("[programs.a]\ncommand = [\"x\"]\nafter = [\"bb\"]\n[programs.b]\ncommand = [\"x\"]\n"),
              HasSubstr("programs.a.after names \"bb\": there is no such program"));
  EXPECT_THAT(problems_of("[programs.a]\ncommand = [\"x\"]\nafter = [\"a\"]\n"), HasSubstr("names the program itself"));
  EXPECT_THAT(problems_of("[programs.a]\ncommand = [\"x\"]\nafter = [\"app\"]\n"),
              HasSubstr("names \"app\", but there is none"));
  const std::string circle = problems_of(
      "[programs.a]\ncommand = [\"x\"]\nafter = [\"b\"]\n[programs.b]\ncommand = [\"x\"]\nafter = "
      "[\"c\"]\n[programs.c]\ncommand = [\"x\"]\nafter = [\"a\"]\n");
  EXPECT_THAT(circle, HasSubstr("programs.a.after leads back to the program itself"));
  EXPECT_THAT(circle, testing::Not(HasSubstr("programs.b.after"))) << "it is said once";
  EXPECT_THAT(problems_of("[programs.a]\ncommand = [\"x\"]\nlisten = [\"127.0.0.1:3000\"]\n[programs.b]\ncommand = "
                          "[\"x\"]\nlisten = [\"127.0.0.1:3000\"]\n"),
              HasSubstr("programs.b.listen has \"127.0.0.1:3000\", which programs.a.listen has already"));
  EXPECT_EQ(problems_of("[programs.a]\ncommand = [\"x\"]\nlisten = [\"127.0.0.1:0\"]\n[programs.b]\ncommand = "
                        "[\"x\"]\nlisten = [\"127.0.0.1:0\"]\n"),
            "");
  EXPECT_THAT(problems_of("[programs.a]\ncommand = [\"x\"]\nready = \"alive:2m\"\n"),
              HasSubstr("is not less than programs.a.ready_timeout"));
  EXPECT_THAT(problems_of("[programs]\na = 1\n"), HasSubstr("programs.a is a table"));
  EXPECT_THAT(problems_of(""), HasSubstr("no program to supervise"));
}

TEST(Programs, ASchedule) {
  const auto loaded = loaded_from(
      "[programs.a]\ncommand = [\"x\"]\nevery = \"5m\"\noverlap = \"allow\"\nmissed = \"run\"\n"
      "[programs.b]\ncommand = [\"x\"]\ncron = \"@daily\"\nrestart = \"on-failure\"\n"
      "[programs.c]\ncommand = [\"x\"]\n");
  EXPECT_TRUE(loaded.problems.empty()) << format_problems(loaded.problems, "error");
  const Program& a = loaded.config.programs.at("a");
  EXPECT_EQ(a.every, 5min);
  EXPECT_EQ(a.overlap, ProgramOverlap::allow);
  EXPECT_EQ(a.missed, ProgramMissed::run);
  EXPECT_EQ(a.restart, ProgramRestart::never) << "the default of one with a schedule";
  EXPECT_EQ(loaded.config.programs.at("b").restart, ProgramRestart::on_failure);
  EXPECT_EQ(loaded.config.programs.at("c").restart, ProgramRestart::always);
  EXPECT_TRUE(a.scheduled() && loaded.config.programs.at("b").scheduled());
  EXPECT_FALSE(loaded.config.programs.at("c").scheduled());
}

TEST(Programs, RulesOfSchedules) {
  const auto problems = [](const std::string& keys) { return problems_of("[programs.a]\ncommand = [\"x\"]\n" + keys); };
  EXPECT_THAT(problems("every = \"5m\"\ncron = \"@daily\"\n"),
              HasSubstr("programs.a.every and programs.a.cron are both set"));
  EXPECT_THAT(problems("every = \"5m\"\ncount = 2\n"), HasSubstr("programs.a.count = 2: a program with a schedule"));
  EXPECT_THAT(problems("every = \"5m\"\nrestart = \"always\"\n"), HasSubstr("is run to completion"));
  EXPECT_THAT(problems("every = \"5m\"\nready = \"fd\"\n"), HasSubstr("programs.a.ready: a run is never ready"));
  EXPECT_THAT(problems("every = \"5m\"\nmemory_soft = \"1GiB\"\n"), HasSubstr("memory_hard ends it"));
  EXPECT_THAT(problems("every = \"5m\"\nreplace = \"rolling\"\n"), HasSubstr("programs.a.replace"));
  EXPECT_THAT(problems("every = \"10ms\"\n"), HasSubstr("programs.a.every"));
  EXPECT_THAT(problems("cron = \"* * *\"\n"), HasSubstr("five fields"));
  EXPECT_THAT(problems("missed = \"run\"\n"), HasSubstr("programs.a.missed is for a program with every or cron"));
  EXPECT_THAT(problems("every = \"5m\"\n[programs.b]\ncommand = [\"x\"]\nafter = [\"a\"]\n"),
              HasSubstr("which a schedule runs"));
}

TEST(Programs, ATaskIsWhatTheAppCanRun) {
  const std::string app = "/srv/libshop.so";
  EXPECT_EQ(problems_of("[programs.a]\nrun = \"task:mailer\"\nuser = \"shop\"\n", app), "");
  for (const auto& [table, said] : std::initializer_list<std::pair<const char*, const char*>>{
           {"run = \"mailer\"", "programs.a.run = \"mailer\": expected task:NAME"},
           {"run = \"task:\"", "expected task:NAME, where NAME is 1 to 64 letters"},
           {"run = \"task:m\"\ncommand = [\"x\"]", "programs.a.run = \"task:m\", but there is a command as well"},
           {"run = \"task:m\"\nuser = \"root\"", "programs.a.user = \"root\": a task runs as the app does"},
           {"run = \"task:m\"\ngroup = \"mail\"", "programs.a.group = \"mail\": a task runs as the app does"}}) {
    EXPECT_THAT(problems_of(std::string("[programs.a]\n") + table + "\n", app), HasSubstr(said));
  }
  EXPECT_THAT(problems_of("[programs.a]\nrun = \"task:m\"\n"), HasSubstr("but there is no app whose task it could be"));
}

TEST(Programs, TasksThatALibraryLacksAreNamed) {
  Programs programs;
  programs["a"].run = "task:x";
  programs["b"].run = "task:y";
  programs["c"].command = {"./it"};
  EXPECT_EQ(why_tasks_missing(programs, {"y", "x"}), "");
  EXPECT_EQ(why_tasks_missing(programs, {"y"}), "programs.a.run: the library registers no task \"x\"; it has: y");
  EXPECT_EQ(why_tasks_missing(programs, {}),
            "programs.a.run: the library registers no task \"x\", and no other; "
            "programs.b.run: the library registers no task \"y\", and no other");
}

TEST(Programs, AnyValueRoundTrips) {
  Config config;
  Program& program = config.programs["mailer"];
  program.command = {"./it", "a,b \"${X}\" ü", ""};
  program.count = 7;
  program.env = {{"A", "b=c"}};
  program.umask = "0077";
  program.nice = -5;
  program.limits = {{"core", "0"}};
  program.listen = {"127.0.0.1:0"};
  program.after = {"app"};
  program.ready = "fd";
  program.restart = ProgramRestart::never;
  program.stop_codes = {3, 0};
  program.replace = ProgramReplace::restart;
  program.memory_hard = 12 * MiB;
  program.grace = 1500ms;
  program.every = 90s;
  program.cron = "*/5 3 * * mon-fri";
  program.overlap = ProgramOverlap::allow;
  program.missed = ProgramMissed::run;
  config.programs["other"].command = {"x"};
  const auto back = from_text(to_text(config));
  ASSERT_TRUE(back.has_value()) << back.error();
  EXPECT_EQ(back->programs, config.programs);
  EXPECT_FALSE(from_text({{"programs.mailer.comand", "[]"}}).has_value());
  EXPECT_FALSE(from_text({{"programs.mail er.command", "[]"}}).has_value());
}

TEST(Programs, ADiffNamesWhatChangedAndNoSecret) {
  Config before;
  before.programs["gone"].command = {"x"};
  before.programs["it"].command = {"x", "geheim"};
  before.programs["it"].env = {{"KEY", "geheim"}};
  Config after;
  after.programs["added"].command = {"x"};
  after.programs["it"].command = {"x", "geheimer"};
  after.programs["it"].count = 2;
  std::vector<std::string> texts;
  for (const Change& change : changes(before, after)) {
    texts.push_back(change.key + " " + std::string(change.how) + change.before + ">" + change.after);
    EXPECT_EQ(change.option->apply, Apply::live);
  }
  EXPECT_THAT(texts, ElementsAre("programs.gone removed>", "programs.it.command changed>", "programs.it.count 1>2",
                                 "programs.it.env changed>", "programs.added added>"));
}

TEST(Programs, EveryRowIsDocumentedAndItsDefaultPasses) {
  for (const Option& option : program_options()) {
    EXPECT_FALSE(option.summary.empty() || option.summary.ends_with('.')) << option.path;
    EXPECT_TRUE(option.more.empty() || option.more.ends_with('.')) << option.path;
    EXPECT_FALSE(option.example.empty() || option.placeholder.empty()) << option.path;
    EXPECT_TRUE(option.path.starts_with("programs.NAME.")) << option.path;
    EXPECT_EQ(find_program_option(key_of(option.path)), &option);
    EXPECT_THAT(man_of_options(), HasSubstr(".It Ic " + std::string(key_of(option.path)) + " ="));
    EXPECT_THAT(sample_file(), HasSubstr("\n#" + std::string(key_of(option.path)) + " = "));
  }
}

TEST(ProgramValues, Readiness) {
  using Kind = ReadyRule::Kind;
  struct Row {
    const char* text;
    ReadyRule rule;
  };
  const Row rows[] = {
      {"fd", {.kind = Kind::fd}},
      {"notify", {.kind = Kind::notify}},
      {"alive:0", {.kind = Kind::alive}},
      {"alive:5s", {.kind = Kind::alive, .alive = 5s}},
      {"tcp:127.0.0.1:3000", {.kind = Kind::tcp, .address = "127.0.0.1:3000"}},
      {"tcp:unix:/run/it.sock", {.kind = Kind::tcp, .address = "unix:/run/it.sock"}},
      {"http://localhost:3000/up?x=1", {.kind = Kind::http, .address = "localhost:3000", .path = "/up?x=1"}},
      {"http://[::1]/", {.kind = Kind::http, .address = "[::1]:80", .path = "/"}},
      {"http://127.0.0.1", {.kind = Kind::http, .address = "127.0.0.1:80", .path = "/"}},
  };
  for (const Row& row : rows) {
    const auto rule = parse_ready(row.text);
    ASSERT_TRUE(rule.has_value()) << row.text << ": " << rule.error();
    EXPECT_EQ(*rule, row.rule) << row.text;
  }
  for (const char* text :
       {"", "soon", "alive", "alive:", "alive:x", "tcp", "tcp:", "tcp:127.0.0.1:0", "tcp:fd:x", "tcp:example.com:80",
        "http:", "http:127.0.0.1", "http://example.com/", "http://127.0.0.1:80/a b", "https://127.0.0.1/", "fd:3"}) {
    EXPECT_FALSE(parse_ready(text).has_value()) << text;
  }
}

TEST(ProgramValues, SignalsLimitsAndNames) {
  EXPECT_EQ(stop_signal_number("TERM"), SIGTERM);
  EXPECT_EQ(stop_signal_number("SIGQUIT"), SIGQUIT);
  EXPECT_EQ(stop_signal_number("KILL"), std::nullopt);
  EXPECT_EQ(*parse_limit("4096"), 4096u);
  EXPECT_EQ(*parse_limit("1KiB"), 1024u);
  EXPECT_EQ(*parse_limit("0"), 0u);
  EXPECT_TRUE(parse_limit("unlimited").has_value());
  EXPECT_FALSE(parse_limit("off").has_value());
  EXPECT_FALSE(parse_limit("-1").has_value());
  EXPECT_TRUE(check_program_name("mail-er_2").has_value());
  for (const std::string name : {"", "2nd", "-x", "a.b", "a b", "all", "app", "worker"})
    EXPECT_FALSE(check_program_name(name).has_value()) << name;
}

}  // namespace
}  // namespace serval::config
