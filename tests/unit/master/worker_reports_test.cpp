#include "master/worker_reports.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "log_lines.hpp"

namespace serval::master {
namespace {

ipc::TimeoutReport timeout() {
  ipc::TimeoutReport report;
  report.age_ms = 1500;
  report.frames.thread = 77;
  ipc::put_text(report.method, "GET");
  ipc::put_text(report.target, "/slow");
  ipc::put_text(report.request_id, "abc");
  ipc::put_text(report.peer, "127.0.0.1");
  return report;
}

TEST(TimedOutLine, SaysWhichRequestAndWhereItsThreadIs) {
  EXPECT_EQ(text_of(timed_out_line({.slot = 3, .pid = 100}, timeout(), {"inner", "main"})),
            "request timed out method=GET target=/slow request_id=abc peer=127.0.0.1 age_ms=1500 slot=3 "
            "worker_pid=100 thread=77 stack=inner < main");
  EXPECT_EQ(field_of(timed_out_line({}, timeout(), {}), "stack"), "the thread does not answer");
}

TEST(CrashedLine, NamesTheSignalAndALibraryThatWasWrittenInto) {
  ipc::CrashReport report;
  report.signal = SIGSEGV;
  report.frames.thread = 77;
  EXPECT_EQ(text_of(crashed_line({.slot = 3, .pid = 100}, report, {"inner", "main"}, "")),
            "worker crashed slot=3 worker_pid=100 signal=SIGSEGV sender_pid=0 thread=77 stack=inner < main");
  EXPECT_EQ(field_of(crashed_line({}, report, {}, "/srv/app.so"), "overwritten"),
            "/srv/app.so was written into after it had been loaded; deploy by mv or install, then reload");
}

/// What the app in a worker reports is taken; names are those of a program that knows none.
struct WorkerReportsTest : testing::Test {
  WorkerReportsTest() {
    auto mold = std::make_unique<MoldProcess>();
    mold->generation = 1;
    mold->pid = ::getpid();
    children.add(std::move(mold));
    generations.begin(1);
    worker.slot = 5;
    worker.known_as = 3;
    worker.generation = 1;
    worker.pid = ::getpid();
  }
  /// Once all stacks have got their (bare) addresses.
  std::vector<supervisor::Log> reported() {
    names.give_up();
    return lines;
  }

  boost::asio::io_context io;
  Children children;
  Generations generations{{.config = std::make_shared<const config::Config>(), .logs = {}, .listeners = {}}};
  StackNames names{io, "/bin/false"};
  WorkerProcess worker;
  std::vector<supervisor::Event> events;
  std::vector<supervisor::Log> lines;
  WorkerReports reports{children, generations, names, [this](supervisor::Event event) { events.push_back(event); },
                        [this](supervisor::Log line) { lines.push_back(line); }};
};

TEST_F(WorkerReportsTest, AHandlerThatMayReturnTimedOutOnlyForTheLog) {
  reports.on_timed_out(worker, {.may_return = true, .report = timeout()});
  EXPECT_TRUE(events.empty());
  EXPECT_EQ(reported().size(), 1U);

  reports.on_timed_out(worker, {.may_return = false, .report = {}});
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<supervisor::RequestTimedOut>(events[0]).slot, 5);
  EXPECT_EQ(reported().size(), 1U);
}

TEST_F(WorkerReportsTest, AHandlerThatWillNotReturnIsBoth) {
  reports.on_timed_out(worker, {.may_return = false, .report = timeout()});
  EXPECT_EQ(events.size(), 1U);
  ASSERT_EQ(reported().size(), 1U);
  EXPECT_EQ(field_of(lines[0], "slot"), "3") << "its number for users";
}

TEST_F(WorkerReportsTest, AWorkerThatTheMasterAbortedHasNotCrashed) {
  ipc::Crashed crashed;
  crashed.report.signal = SIGABRT;
  crashed.report.sender = ::getpid();
  reports.on_crashed(worker, crashed);
  EXPECT_TRUE(reported().empty());
  crashed.report.sender = 1;
  reports.on_crashed(worker, crashed);
  EXPECT_EQ(reported().size(), 1U);
}

TEST_F(WorkerReportsTest, ThePidThatAWorkerClaimsIsBelievedOnlyIfItCanBeItsOwn) {
  ipc::Crashed crashed{.pid = ::getppid(), .report = {}};
  crashed.report.signal = SIGSEGV;
  worker.pid = 0;  // its mold has not named it yet
  reports.on_crashed(worker, crashed);
  ASSERT_EQ(reported().size(), 1U);
  EXPECT_EQ(field_of(lines[0], "worker_pid"), "0");
}

}  // namespace
}  // namespace serval::master
