#include "master/children.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace serval::master {
namespace {

/// No process has it: beyond the largest pid that the kernel gives (proc(5), pid_max).
constexpr pid_t kNoProcess = 1 << 23;

std::unique_ptr<MoldProcess> mold(int generation, pid_t pid) {
  auto mold = std::make_unique<MoldProcess>();
  mold->generation = generation;
  mold->pid = pid;
  return mold;
}

/// `pid` 0: its mold has not named it yet.
std::unique_ptr<WorkerProcess> worker(int slot, int generation, pid_t pid) {
  auto worker = std::make_unique<WorkerProcess>();
  worker->slot = slot;
  worker->generation = generation;
  worker->pid = pid;
  return worker;
}

TEST(Children, AreFoundByTheirPlaceAndByTheirPid) {
  Children children;
  children.add(mold(2, 50));
  children.add(worker(3, 2, 100));
  EXPECT_EQ(children.find_mold(2), children.mold_of(50));
  EXPECT_EQ(children.find_worker(3), children.worker_of(100));
  EXPECT_EQ(children.find_mold(1), nullptr);
  EXPECT_EQ(children.find_worker(0), nullptr);
  EXPECT_EQ(children.mold_of(100), nullptr);
  EXPECT_EQ(children.worker_of(50), nullptr);
}

TEST(Children, KeepAGenerationWhileItHasAMoldOrAWorker) {
  Children children;
  children.add(mold(1, 50));
  children.add(worker(0, 1, 100));
  children.remove_mold(1);
  EXPECT_TRUE(children.any_of(1));
  EXPECT_EQ(children.take_worker(0)->pid, 100);
  EXPECT_FALSE(children.any_of(1));
}

TEST(Children, AMoldTakesTheWorkersWithItThatItHasNotNamed) {
  Children children;
  children.add(mold(1, 50));
  children.add(worker(0, 1, 100));
  children.add(worker(1, 1, 0));
  children.add(worker(2, 2, 0));
  children.remove_mold(1);
  EXPECT_NE(children.find_worker(0), nullptr);
  EXPECT_EQ(children.find_worker(1), nullptr);
  EXPECT_NE(children.find_worker(2), nullptr);
}

TEST(Children, SayWhyAProcessIsNoWorker) {
  Children children;
  children.add(mold(1, 50));
  children.add(worker(0, 1, 100));
  EXPECT_EQ(children.why_no_worker(50), "serval has started that process itself, for something else");
  EXPECT_EQ(children.why_no_worker(100), "that process is another worker");
  EXPECT_EQ(children.why_no_worker(::getppid()), "that process is no child of this server's master");
}

TEST(Children, RememberAnEndThatCameBeforeTheName) {
  Children children;
  os::ChildExit exit;
  exit.pid = kNoProcess;
  children.note_early_exit(exit);
  EXPECT_FALSE(children.take_early_exit(kNoProcess)) << "no fork was outstanding";
  children.add(worker(0, 1, 0));
  children.note_early_exit(exit);
  EXPECT_EQ(children.why_no_worker(kNoProcess), "");
  children.find_worker(0)->pid = kNoProcess;
  EXPECT_TRUE(children.take_early_exit(kNoProcess));
  EXPECT_FALSE(children.take_early_exit(kNoProcess));
}

}  // namespace
}  // namespace serval::master
