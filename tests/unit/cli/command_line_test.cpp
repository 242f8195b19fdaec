#include "cli/command_line.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "config/options.hpp"

namespace serval::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

auto read(const char* command, std::vector<std::string> arguments, const std::string& folder = "/nowhere") {
  return read_command_line(*find_command(command), std::move(arguments), {}, folder);
}

Invocation understood(const char* command, std::vector<std::string> arguments) {
  auto line = read(command, std::move(arguments));
  const auto* misuse = std::get_if<Misuse>(&line);
  EXPECT_EQ(misuse, nullptr) << misuse->what;
  return misuse ? Invocation{} : std::get<Invocation>(std::move(line));
}

Misuse refused(const char* command, std::vector<std::string> arguments) {
  const auto line = read(command, std::move(arguments));
  EXPECT_TRUE(std::holds_alternative<Misuse>(line));
  return std::holds_alternative<Misuse>(line) ? std::get<Misuse>(line) : Misuse{};
}

TEST(CommandLine, EveryOptionIsAFlag) {
  for (const auto& option : config::options()) {
    const std::string path(option.path);
    EXPECT_THAT(understood("run", {"--" + path, "value"}).sources.flags, ElementsAre(Pair(path, "value")));
    EXPECT_THAT(understood("run", {"--" + path + "=-x"}).sources.flags, ElementsAre(Pair(path, "-x")));
    if (option.short_flag == 0) continue;
    EXPECT_THAT(understood("run", {std::string("-") + option.short_flag, "value"}).sources.flags,
                ElementsAre(Pair(path, "value")));
  }
}

TEST(CommandLine, ListsAreRepeatedFlagsAndTakeOneWordEach) {
  const auto invocation =
      understood("run", {"-b", "[::]:80", "--server.bind", "unix:/x", "app.so", "--app.args", "[a]", "--app.args", ""});
  EXPECT_THAT(invocation.words, ElementsAre("app.so"));
  EXPECT_THAT(invocation.sources.flags,
              ElementsAre(Pair("app.args", "[a]"), Pair("app.args", ""), Pair("server.bind", "[::]:80"),
                          Pair("server.bind", "unix:/x"), Pair("app.library", "app.so")));
}

TEST(CommandLine, QuietAndVerboseStandForLevels) {
  EXPECT_THAT(understood("run", {"-q"}).sources.flags, ElementsAre(Pair("log.level", "warning")));
  EXPECT_THAT(understood("run", {"-v"}).sources.flags, ElementsAre(Pair("log.level", "debug")));
  EXPECT_THAT(refused("run", {"-q", "-v"}).what, HasSubstr("contradict"));
}

TEST(CommandLine, TheFileInTheFolderIsUsedUnlessAnotherIsNamed) {
  std::string folder = testing::TempDir() + "serval_cli_XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  EXPECT_EQ(std::get<Invocation>(read("run", {}, folder)).sources.file, std::nullopt);
  std::ofstream(folder + "/serval.toml") << "";
  EXPECT_EQ(std::get<Invocation>(read("run", {}, folder)).sources.file, "serval.toml");
  EXPECT_EQ(std::get<Invocation>(read("run", {"-c", "other.toml"}, folder)).sources.file, "other.toml");
  EXPECT_EQ(std::get<Invocation>(read("run", {"--config=other.toml"}, folder)).sources.file, "other.toml");
  std::filesystem::remove_all(folder);
}

TEST(CommandLine, FlagsOfOtherServersAreHintedAt) {
  for (const auto* flag : {"-n", "-k", "--umask", "-u", "-C", "--config-file"}) {
    EXPECT_THAT(refused("run", {flag, "x"}).what, HasSubstr(std::string("unknown flag ") + flag));
    EXPECT_THAT(refused("run", {flag, "x"}).hint, testing::Not(HasSubstr("lists the flags"))) << flag;
  }
  EXPECT_EQ(refused("stop", {"--config-file", "x"}).hint, "-c FILE");
  EXPECT_THAT(refused("stop", {"--umask", "x"}).hint, HasSubstr("lists the flags"))
      << "a flag of run, not of a command to a server";
}

TEST(CommandLine, AFlagWithoutItsValueSaysWhatItWants) {
  EXPECT_EQ(refused("run", {"-w"}).what, "--workers.count (-w) needs a value");
  EXPECT_EQ(refused("run", {"-w"}).hint, "write -w N|auto; serval help run lists the flags");
  EXPECT_THAT(refused("run", {"--request.timeout"}).hint, HasSubstr("write --request.timeout DURATION"));
  EXPECT_EQ(refused("stop", {"--socket"}).what, "--socket needs a value");
}

TEST(CommandLine, CommandsToAServerSayWhichOneTheyMean) {
  const auto invocation = understood("status", {"--json", "--socket", "/run/shop.sock", "-c", "shop.toml"});
  EXPECT_TRUE(invocation.json);
  EXPECT_EQ(invocation.socket, "/run/shop.sock");
  EXPECT_EQ(invocation.sources.file, "shop.toml");
  EXPECT_EQ(invocation.sources.working_directory, "/nowhere");
  EXPECT_FALSE(understood("status", {}).json);
  EXPECT_EQ(understood("status", {}).socket, "");
  EXPECT_THAT(refused("status", {"--jsn"}).hint, HasSubstr("did you mean --json?"));
  EXPECT_THAT(refused("status", {"--socket", "a", "--socket", "b"}).what, HasSubstr("more than once"));
  EXPECT_THAT(refused("status", {"--socket", ""}).what, HasSubstr("needs a path"));
  EXPECT_EQ(understood("stop", {"--name", "shop"}).server, "shop");
  EXPECT_THAT(refused("stop", {"--name", ""}).what, HasSubstr("needs a name"));
  EXPECT_THAT(refused("stop", {"--name", "a", "--name", "b"}).what, HasSubstr("more than once"));
  EXPECT_THAT(refused("stop", {"--name", "a", "--socket", "b"}).what, HasSubstr("beside another flag"));
  EXPECT_THAT(refused("stop", {"--name", "a", "-c", "b"}).what, HasSubstr("beside another flag"));
  EXPECT_THAT(refused("status", {"--server.name", "shop"}).what, HasSubstr("unknown flag --server.name"));
  EXPECT_THAT(refused("run", {"--socket", "a"}).what, HasSubstr("unknown flag --socket"));
}

TEST(CommandLine, MisuseNamesTheWordAndWhatToDo) {
  struct Row {
    std::vector<std::string> arguments;
    const char* what;
    const char* hint;
  };
  const Row table[] = {
      {{"--server.bnid", "x"}, "unknown flag --server.bnid", "did you mean --server.bind?"},
      {{"--server.bnid=x"}, "unknown flag --server.bnid", "did you mean --server.bind?"},
      {{"--threads", "5"}, "unknown flag --threads", "-t N, or --workers.threads N"},
      {{"-p", "8000"}, "unknown flag -p", "-b 0.0.0.0:PORT"},
      {{"--port=8000"}, "unknown flag --port", "-b 0.0.0.0:PORT"},
      {{"--daemon"}, "unknown flag --daemon", "systemd"},
      {{"--reload"}, "unknown flag --reload", "serval reload"},
      {{"--workers", "4"}, "unknown flag --workers", "-w N"},
      {{"-z"}, "unknown flag -z", "serval help run"},
      {{"--origin"}, "unknown flag --origin", "serval help run"},
      {{"--tls.key", "off"}, "--tls.key is known, but this version does not serve it yet", "leave it out"},
      {{"a.so", "b.so"}, "one argument too many: \"b.so\"", "usage: serval run [APP.so]"},
      {{"-c"}, "--config", "serval help run"},
      {{"-c", "a", "-c", "b"}, "more than once", "one configuration file"},
      {{"--workers.threads"}, "--workers.threads", "serval help run"},
  };
  for (const auto& row : table) {
    const auto misuse = refused("run", row.arguments);
    EXPECT_THAT(misuse.what, HasSubstr(row.what));
    EXPECT_THAT(misuse.hint, HasSubstr(row.hint));
  }
  EXPECT_THAT(refused("mold", {}).what, HasSubstr("missing"));
  EXPECT_THAT(refused("version", {"--server.bind", "x"}).what, HasSubstr("unknown flag --server.bind"));
}

TEST(CommandLine, HelpWinsOverWhatElseIsSaid) {
  for (const auto& command : commands()) {
    EXPECT_TRUE(std::holds_alternative<HelpWanted>(read(command.name.data(), {"--help"}))) << command.name;
  }
  EXPECT_TRUE(std::holds_alternative<HelpWanted>(read("run", {"-h", "a", "b", "c"})));
}

}  // namespace
}  // namespace serval::cli
