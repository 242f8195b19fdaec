#include "master/task_forks.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <csignal>

#include "ipc/messages.hpp"

namespace serval::master {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A mold of generation 1, whose end of the channel is ours.
struct TaskForksTest : testing::Test {
  TaskForksTest() {
    auto mold = std::make_unique<MoldProcess>();
    mold->generation = 1;
    mold->line.emplace(io, std::move(channels.first), [](const ipc::Packet&) {});
    children.add(std::move(mold));
  }

  void ask(int id) {
    const auto asked = forks.ask(1, id, {.task = "queue", .program = "it"}, {});
    EXPECT_TRUE(asked) << asked.error();
  }
  /// The ids that the mold is asked for.
  std::vector<std::uint32_t> asked_for() {
    std::vector<std::uint32_t> ids;
    ipc::Channel::Received received;
    while (channels.second.receive(received) == ipc::Channel::State::received) {
      const auto message = ipc::decode<ipc::ToMold>(received.packet);
      ids.push_back(std::get<ipc::ForkTask>(*message).id);
      EXPECT_EQ(received.fds.size(), 2u);
      last = std::move(received.fds);
    }
    return ids;
  }
  bool told_to_begin() const {
    char said = 0;
    return ::read(last[1].get(), &said, 1) == 1;
  }

  boost::asio::io_context io;
  std::pair<ipc::Channel, ipc::Channel> channels = std::move(*ipc::Channel::pair());
  Children children;
  std::vector<std::string> answers;
  UniqueFd begin;
  std::vector<UniqueFd> last;
  TaskForks forks{children, [this](int id, Result<pid_t> pid, UniqueFd fd) {
                    answers.push_back(std::to_string(id) + " " + (pid ? "forked" : pid.error()));
                    begin = std::move(fd);
                  }};
};

TEST_F(TaskForksTest, AnAnswerThatIsOwedIsPassedOn) {
  ask(7);
  EXPECT_THAT(asked_for(), ElementsAre(7u));
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  EXPECT_TRUE(forks.on_answer(1, 7, child));
  EXPECT_THAT(answers, ElementsAre("7 forked"));
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(forks.on_answer(1, 7, child)) << "a second time";
}

TEST_F(TaskForksTest, WhatIsNotOwedIsNot) {
  EXPECT_FALSE(forks.on_answer(1, 7, 1));
  ask(7);
  EXPECT_FALSE(forks.on_answer(2, 7, 1)) << "another mold";
  EXPECT_FALSE(forks.on_answer(1, 8, 1));
  EXPECT_THAT(answers, ElementsAre());
}

TEST_F(TaskForksTest, APidIsNotBelieved) {
  ask(7);
  EXPECT_TRUE(forks.on_answer(1, 7, 1));
  EXPECT_THAT(answers, ElementsAre(HasSubstr("the mold says that the task has pid 1, but that process is no child")));
}

TEST_F(TaskForksTest, SomeAtATime) {
  for (int id = 1; id <= 6; ++id) ask(id);
  EXPECT_THAT(asked_for(), ElementsAre(1u, 2u, 3u, 4u));
  EXPECT_TRUE(forks.on_answer(1, 2, Error{"too many"}));
  EXPECT_THAT(answers, ElementsAre("2 too many"));
  EXPECT_THAT(asked_for(), ElementsAre(5u));
}

TEST_F(TaskForksTest, WithTheMoldGoesWhatItHasNotAnswered) {
  ask(1);
  asked_for();
  children.remove_mold(1);
  forks.on_mold_gone(1);
  EXPECT_THAT(answers, ElementsAre("1 the mold ended before it had forked the task"));
  begin.reset();
  EXPECT_FALSE(told_to_begin()) << "a child of it would wait for ever";
  EXPECT_FALSE(forks.ask(1, 2, {}, {}));
}

TEST_F(TaskForksTest, AMoldThatTakesNoMessages) {
  channels.second.close();
  ask(1);
  EXPECT_THAT(answers, ElementsAre("1 the mold does not take messages any more"));
}

}  // namespace
}  // namespace serval::master
