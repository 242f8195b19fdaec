#include "master/stack_names.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>

#include "os/fork.hpp"
#include "os/spawn.hpp"
#include "os/wait.hpp"
#include "os/processes.hpp"
#include "stack/names.hpp"

namespace serval::master {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Names = std::vector<std::string>;

/// A script plays `serval stack FD`: $1 is "stack", $2 the descriptor.
struct StackNamesTest : testing::Test {
  StackNamesTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "stack_names_XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
  }
  ~StackNamesTest() override {
    names.reset();
    for (const pid_t pid : os::own_children()) os::wait_for(pid);
    std::filesystem::remove_all(folder);
  }

  void start(const std::string& script, Duration patience = StackNames::kNamingTimeout) {
    const std::string program = folder / "program";
    std::ofstream(program) << "#!/bin/sh\n" << script << '\n';
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    names.emplace(io, program, patience);
  }
  /// The answer goes to the end of `answers`.
  void ask(std::initializer_list<std::uint64_t> addresses, pid_t layout = ::getpid()) {
    stack::Frames frames;
    for (const std::uint64_t address : addresses) frames.address[static_cast<std::size_t>(frames.count++)] = address;
    names->name(layout, frames, [this](Names answer) { answers.push_back(std::move(answer)); });
  }
  void run_until_answers(std::size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (answers.size() < count && std::chrono::steady_clock::now() < deadline) {
      io.restart();
      io.run_one_for(100ms);
    }
    EXPECT_EQ(answers.size(), count);
  }
  /// How the only child ended.
  std::string end_of_child() {
    const auto children = os::own_children();
    EXPECT_EQ(children.size(), 1U);
    const auto exit = children.empty() ? std::nullopt : os::wait_for(children.front());
    return exit ? exit->text() : "none";
  }

  std::filesystem::path folder;
  boost::asio::io_context io;
  std::optional<StackNames> names;
  std::vector<Names> answers;
};

TEST_F(StackNamesTest, AsksTheProgramAndHandsOnItsAnswer) {
  start(R"(cat /proc/self/fd/$2 >"$0.asked"; echo $1 >"$0.command"; echo '[["inner at a/b.cpp:1","main"]]')");
  ask({0x10, 0x20});
  EXPECT_THAT(answers, IsEmpty());  // never at once
  run_until_answers(1);
  EXPECT_THAT(answers[0], ElementsAre("inner at a/b.cpp:1", "main"));

  std::string command;
  std::getline(std::ifstream(folder / "program.command"), command);
  EXPECT_EQ(command, "stack");
  const UniqueFd asked(::open((folder / "program.asked").c_str(), O_RDONLY | O_CLOEXEC));
  const auto question = stack::read_question(asked.get());
  ASSERT_TRUE(question) << question.error();
  EXPECT_THAT(question->stacks, ElementsAre(ElementsAre(0x10U, 0x20U)));
  EXPECT_THAT(question->maps, HasSubstr(os::own_program().value() + "\n"));
  EXPECT_THAT(question->maps, HasSubstr("libc.so"));
  EXPECT_THAT(question->maps, Not(HasSubstr("[heap]")));
}

TEST_F(StackNamesTest, AsksTogetherForWhatHasWaitedTogether) {
  start(R"(echo x >>"$0.runs"; echo '[["first"],["second"]]')");
  for (int i = 0; i < 3; ++i) ask({0x10});
  run_until_answers(3);
  EXPECT_THAT(answers, ElementsAre(ElementsAre("first"), ElementsAre("first"), ElementsAre("second")));
  EXPECT_EQ(std::filesystem::file_size(folder / "program.runs"), 4U);
}

TEST_F(StackNamesTest, RunsAgainForTheNext) {
  start(R"(echo '[["name"]]')");
  for (std::size_t i = 1; i <= 3; ++i) {
    ask({0x10});
    run_until_answers(i);
    EXPECT_THAT(answers.back(), ElementsAre("name"));
  }
}

TEST_F(StackNamesTest, AnAnswerMayLeadToAnotherQuestion) {
  start(R"(echo '[["name"]]')");
  stack::Frames frames;
  frames.count = 1;
  names->name(::getpid(), frames, [&](Names answer) {
    answers.push_back(std::move(answer));
    ask({0x10});
  });
  run_until_answers(2);
  EXPECT_THAT(answers, ElementsAre(ElementsAre("name"), ElementsAre("name")));
}

TEST_F(StackNamesTest, AProgramThatHangsIsKilledAndTheAddressesStayBare) {
  start("exec sleep 1000", 50ms);
  ask({0x10, 0xabc});
  run_until_answers(1);
  EXPECT_THAT(answers[0], ElementsAre("0x10", "0xabc"));
  EXPECT_EQ(end_of_child(), "SIGKILL");
}

TEST_F(StackNamesTest, AProgramThatFailsLeavesBareAddresses) {
  for (const char* script : {"exit 1", "echo nonsense", "echo '[]'", "echo '[[\"one for two\"]]'", "kill -9 $$"}) {
    answers.clear();
    start(script);
    ask({0x10, 0x20});
    run_until_answers(1);
    EXPECT_THAT(answers[0], ElementsAre("0x10", "0x20")) << script;
  }
  names.emplace(io, (folder / "missing").string());
  ask({0x30});
  EXPECT_EQ(answers.size(), 1U);
  run_until_answers(2);
  EXPECT_THAT(answers[1], ElementsAre("0x30"));
}

TEST_F(StackNamesTest, AnAnswerWithoutEndIsNotRead) {
  start("exec cat /dev/zero");
  ask({0x10});
  run_until_answers(1);
  EXPECT_THAT(answers[0], ElementsAre("0x10"));
  EXPECT_EQ(end_of_child(), "SIGKILL");
}

TEST_F(StackNamesTest, AProcessThatIsGoneLeavesBareAddresses) {
  start(R"(echo '[["name"]]')");
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(0);
  siginfo_t info;
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
  ask({0x10}, pid);  // a zombie
  os::wait_for(pid);
  ask({0x20}, pid);
  EXPECT_THAT(answers, IsEmpty());
  run_until_answers(2);
  EXPECT_THAT(answers, ElementsAre(ElementsAre("0x10"), ElementsAre("0x20")));
}

TEST_F(StackNamesTest, ACountFromOutsideIsNotBelieved) {
  start("exit 1");
  stack::Frames frames;
  for (const std::int32_t count : {-1, 1000}) {
    frames.count = count;
    names->name(::getpid(), frames, [this](Names answer) { answers.push_back(std::move(answer)); });
  }
  run_until_answers(2);
  EXPECT_THAT(answers, ElementsAre(testing::SizeIs(0), testing::SizeIs(stack::kMaxFrames)));
}

TEST_F(StackNamesTest, TooManyQuestionsAndTheEndLeaveBareAddresses) {
  start("exec sleep 1000");
  const std::size_t accepted = 1 + StackNames::kMaxWaiting;
  for (std::size_t i = 0; i < accepted + 2; ++i) ask({i});
  run_until_answers(2);
  io.restart();
  io.poll();
  EXPECT_THAT(answers, ElementsAre(ElementsAre("0x41"), ElementsAre("0x42")));
  ask({0x100});  // due, but not delivered yet
  names->give_up();
  EXPECT_EQ(answers.size(), accepted + 3);
  EXPECT_THAT(answers, testing::Contains(ElementsAre("0x100")));
  EXPECT_THAT(answers, testing::Contains(ElementsAre("0x0")));
  EXPECT_EQ(end_of_child(), "SIGKILL");
  io.restart();
  io.run();  // returns: nothing is left to wait for
  EXPECT_EQ(answers.size(), accepted + 3);
}

TEST_F(StackNamesTest, NobodyIsCalledAfterItIsGone) {
  start("exec sleep 1000", 10ms);
  ask({0x10});
  ask({0x20}, -1);
  names.reset();
  EXPECT_EQ(end_of_child(), "SIGKILL");
  io.run();
  EXPECT_THAT(answers, IsEmpty());
}

}  // namespace
}  // namespace serval::master
