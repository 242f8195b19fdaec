#include "ipc/messages.hpp"

#include <gtest/gtest.h>

#include <set>

namespace serval::ipc {
namespace {

constexpr std::uint32_t kBeyondAllTags = 40;

template <class Direction>
std::set<std::uint32_t> tags() {
  std::set<std::uint32_t> found;
  for (std::uint32_t tag = 0; tag < kBeyondAllTags; ++tag) {
    for (const std::uint32_t size : {std::uint32_t{0}, std::uint32_t{sizeof(CrashReport)},
                                     std::uint32_t{sizeof(StackReport)}, std::uint32_t{sizeof(ProfileOrder)}}) {
      if (decode<Direction>({.tag = tag, .text_size = size})) found.insert(tag);
    }
  }
  return found;
}

/// As the other end has it.
template <class Message, class Direction>
Message sent(const Direction& message) {
  return std::get<Message>(decode<Direction>(encode(message)).value());
}

TEST(Messages, HaveTheNumbersThatOtherVersionsKnow) {
  EXPECT_EQ(tags<ToMold>(), (std::set<std::uint32_t>{5, 15, 28}));
  EXPECT_EQ(tags<FromMold>(), (std::set<std::uint32_t>{1, 2, 3, 4, 8, 29, 30, 31}));
  EXPECT_EQ(tags<ToWorker>(), (std::set<std::uint32_t>{14, 15, 16, 17, 19, 23, 24}));
  EXPECT_EQ(tags<FromWorker>(), (std::set<std::uint32_t>{6, 7, 8, 9, 10, 11, 12, 13, 18, 20, 21, 22, 25}));
}

TEST(Messages, HaveTheirFieldsWhereOtherVersionsLookForThem) {
  const Packet fork = encode<ToMold>(Fork{.slot = 1, .generation = 2, .pause = 3, .max_requests = 4, .known_as = 5});
  EXPECT_EQ(fork.slot, 1);
  EXPECT_EQ(fork.generation, 2);
  EXPECT_EQ(fork.number, 3u);
  EXPECT_EQ(fork.limit, 4);
  EXPECT_EQ(fork.known_as, 5);
  EXPECT_EQ(encode<ToWorker>(Drain{.others_take_over = true}).number, 1u);
  EXPECT_EQ(encode<FromWorker>(TimedOut{.may_return = true, .report = {}}).number, 1u);
  EXPECT_EQ(encode<FromMold>(Forked{.slot = 1, .pid = 77}).pid, 77);
  EXPECT_EQ(encode<FromWorker>(Paused{.number = 6}).number, 6u);
}

TEST(Messages, SayTheSameAtTheOtherEnd) {
  const Fork fork = sent<Fork>(ToMold{Fork{.slot = 1, .generation = 2, .pause = 3, .max_requests = 4, .known_as = 5}});
  EXPECT_EQ(fork.slot, 1);
  EXPECT_EQ(fork.generation, 2);
  EXPECT_EQ(fork.pause, 3u);
  EXPECT_EQ(fork.max_requests, 4);
  EXPECT_EQ(fork.known_as, 5);
  EXPECT_EQ(sent<Loaded>(FromMold{Loaded{"abc"}}).build_id, "abc");
  EXPECT_EQ(sent<LoadFailed>(FromMold{LoadFailed{"no such file"}}).why, "no such file");
  EXPECT_EQ(sent<Forked>(FromMold{Forked{3, 77}}).pid, 77);
  EXPECT_EQ(sent<ForkFailed>(FromMold{ForkFailed{3, "too many"}}).slot, 3);
  EXPECT_EQ(sent<ForkTask>(ToMold{ForkTask{9}}).id, 9u);
  EXPECT_EQ(sent<TaskForked>(FromMold{TaskForked{9, 77}}).id, 9u);
  EXPECT_EQ(sent<TaskForked>(FromMold{TaskForked{9, 77}}).pid, 77);
  EXPECT_EQ(sent<TaskForkFailed>(FromMold{TaskForkFailed{9, "too many"}}).why, "too many");
  EXPECT_EQ(sent<Registers>(FromMold{Registers{"a\nb\n"}}).tasks, "a\nb\n");
  EXPECT_EQ(sent<ForkFailed>(FromMold{ForkFailed{3, "too many"}}).why, "too many");
  for (const bool others : {true, false}) EXPECT_EQ(sent<Drain>(ToWorker{Drain{others}}).others_take_over, others);
  EXPECT_EQ(sent<Pause>(ToWorker{Pause{7}}).number, 7u);
  EXPECT_EQ(sent<AskStacks>(ToWorker{AskStacks{8}}).question, 8u);
  EXPECT_EQ(sent<BootFailed>(FromWorker{BootFailed{"x"}}).why, "x");
  EXPECT_EQ(sent<WantsReplacement>(FromWorker{WantsReplacement{}}).unfit, "");
  EXPECT_EQ(sent<WantsReplacement>(FromWorker{WantsReplacement{"no descriptors"}}).unfit, "no descriptors");
  EXPECT_EQ(sent<Paused>(FromWorker{Paused{9}}).number, 9u);
  EXPECT_EQ(sent<StacksEnd>(FromWorker{StacksEnd{10}}).question, 10u);
  EXPECT_EQ(sent<EndProfile>(ToWorker{EndProfile{11}}).number, 11u);
  const ProfileOrder order{.offset = 1, .size = 2, .length_ms = 3, .hz = 4, .cpu = 1};
  const auto take = sent<TakeProfile>(ToWorker{TakeProfile{12, order}});
  EXPECT_EQ(take.number, 12u);
  EXPECT_EQ(take.order.offset, 1u);
  EXPECT_EQ(take.order.size, 2u);
  EXPECT_EQ(take.order.length_ms, 3);
  EXPECT_EQ(take.order.hz, 4);
  EXPECT_EQ(take.order.cpu, 1);
  const auto ended = sent<ProfileEnded>(FromWorker{ProfileEnded{13, "why"}});
  EXPECT_EQ(ended.number, 13u);
  EXPECT_EQ(ended.why, "why");
}

TEST(Messages, CarryReports) {
  EXPECT_FALSE(sent<TimedOut>(FromWorker{TimedOut{}}).report);
  TimeoutReport timeout;
  timeout.age_ms = 12;
  const TimedOut late = sent<TimedOut>(FromWorker{TimedOut{.may_return = true, .report = timeout}});
  EXPECT_TRUE(late.may_return);
  EXPECT_EQ(late.report.value().age_ms, 12);
  const Crashed crashed = sent<Crashed>(
      FromWorker{Crashed{.pid = 5, .report = {.signal = 11, .sender = 6, .fault_address = 0, .frames = {}}}});
  EXPECT_EQ(crashed.pid, 5);
  EXPECT_EQ(crashed.report.signal, 11);
  EXPECT_EQ(crashed.report.sender, 6);
  const Stack stack = sent<Stack>(FromWorker{Stack{.question = 4, .report = {.has_loop = 1, .frames = {}}}});
  EXPECT_EQ(stack.question, 4u);
  EXPECT_EQ(stack.report.has_loop, 1);
}

TEST(Messages, AreNoneIfTheirReportIsOfAnotherSize) {
  EXPECT_FALSE(decode<FromWorker>({.tag = TimedOut::kTag, .text_size = 7}));
  EXPECT_FALSE(decode<FromWorker>({.tag = Crashed::kTag, .text_size = sizeof(CrashReport) + 1}));
  EXPECT_FALSE(decode<FromWorker>({.tag = Stack::kTag, .text_size = 0}));
}

TEST(Messages, CutTextThatDoesNotFit) {
  const std::string longer(5000, 'x');
  EXPECT_EQ(sent<LoadFailed>(FromMold{LoadFailed{longer}}).why, longer.substr(0, sizeof(Packet::text)));
}

}  // namespace
}  // namespace serval::ipc
