#include "master/program_launch.hpp"

#include <gmock/gmock.h>

#include "master/notify_socket.hpp"

namespace serval::master {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(ProgramLaunch, TheEnvironmentIsOursThenItsOwnThenWhatServalSays) {
  const config::Environment ours = {{"PATH", "/bin"},    {"NOTIFY_SOCKET", "/run/ours"}, {"LISTEN_FDS", "2"},
                                    {"LISTEN_PID", "1"}, {"WATCHDOG_USEC", "1"},         {"SERVAL_INSTANCE", "9"},
                                    {"A", "outer"}};
  config::Program program;
  program.env = {{"A", "own"}, {"SERVAL_PROGRAM", "a lie"}, {"LISTEN_PID", "a lie"}};
  const auto environment = program_environment(
      ours, program, {.name = "it", .number = 2, .sockets = {"it", "web"}, .ready_fd = 5, .notify_address = "@x"});
  EXPECT_THAT(environment, ElementsAre("A=own", "LISTEN_FDNAMES=it:web", "LISTEN_FDS=2", "NOTIFY_SOCKET=@x",
                                       "PATH=/bin", "SERVAL_INSTANCE=2", "SERVAL_PROGRAM=it", "SERVAL_READY_FD=5"));
  EXPECT_THAT(program_environment(ours, {}, {.name = "it"}), Not(Contains(StartsWith("LISTEN"))));
}

TEST(ProgramLaunch, ACommandIsFoundInPathOrFromItsFolder) {
  config::Program program;
  program.command = {"sh"};
  program.working_directory = "/";
  EXPECT_THAT(*find_command(program, {"PATH=/nowhere:/bin"}), "/bin/sh");
  EXPECT_THAT(*find_command(program, {}), testing::EndsWith("/sh"));
  program.command = {"bin/sh"};
  EXPECT_EQ(*find_command(program, {}), "/bin/sh");
  program.command = {"./etc/passwd"};
  EXPECT_THAT(find_command(program, {}).error(), HasSubstr("cannot start /./etc/passwd: it is not executable"));
  program.command = {"not-there"};
  EXPECT_THAT(find_command(program, {"PATH=/bin"}).error(), HasSubstr("it is not in PATH (/bin)"));
}

TEST(ProgramLaunch, TraitsNameTheOptionThatIsWrong) {
  config::Program program;
  program.command = {"sh"};
  program.working_directory = "/not-there";
  program.limits = {{"core", "0"}};
  EXPECT_THAT(traits_of(program, {}).error(), HasSubstr("its working_directory /not-there is no folder"));
  program.working_directory = "/";
  config::Server server;
  server.umask = 027;
  const auto traits = traits_of(program, server);
  ASSERT_TRUE(traits.has_value());
  EXPECT_EQ(traits->umask, 027u);
  EXPECT_TRUE(traits->own_session && traits->dies_with_us);
  EXPECT_EQ(traits->limits.size(), 1u);
  program.umask = "0077";
  EXPECT_EQ(traits_of(program, server)->umask, 077u);
  program.user = "nobody-at-all";
  EXPECT_THAT(traits_of(program, {}).error(), HasSubstr("there is no user \"nobody-at-all\""));
}

TEST(NotifySocket, OfADatagramOnlyWhatServalHasAUseFor) {
  EXPECT_TRUE(parse_notification("STATUS=here\nREADY=1\nMAINPID=1").ready);
  EXPECT_EQ(parse_notification("STATUS=here\nREADY=1").status, "here");
  for (const char* text : {"", "READY=0", "READY=10", "xREADY=1", "\n\n", "RELOADING=1"})
    EXPECT_FALSE(parse_notification(text).ready) << text;
  EXPECT_LE(parse_notification("STATUS=" + std::string(5000, 'x')).status.size(), 200u);
}

}  // namespace
}  // namespace serval::master
