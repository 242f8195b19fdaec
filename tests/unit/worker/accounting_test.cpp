#include "worker/accounting.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../server/engine.hpp"
#include "base/log.hpp"
#include "scoreboard/reader.hpp"

namespace serval::worker {
namespace {

using namespace std::chrono_literals;
using scoreboard::Counter;
using server::Exchange;
using server::Handler;
using server::test::answer;
using server::test::Client;
using server::test::get;
using server::test::post;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// The engine, with a scoreboard and an access log of which the test reads the file.
class AccountingTest : public server::test::Engine {
 protected:
  AccountingTest() {
    board.begin(1, 100, Clock::now());
    hears = &accounting;
  }
  ~AccountingTest() override { end(); }

  scoreboard::Totals totals() const { return scoreboard::read_totals(memory); }
  scoreboard::SlotReading slot() const { return scoreboard::read_slot(memory, 0); }
  static std::string text_of(const UniqueFd& file) {
    std::string text(10'000, '\0');
    const ssize_t size = ::pread(file.get(), text.data(), text.size(), 0);
    text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return text;
  }

  scoreboard::Memory memory = std::move(*scoreboard::Memory::create({.slots = 1, .rows = 1}));
  scoreboard::WorkerBoard board{memory, 0};
  const UniqueFd access{::memfd_create("access", MFD_CLOEXEC)};
  int spent = 0;
  int connections_over = 0;
  Accounting accounting{io,
                        board,
                        {.known_as = 7,
                         .pid = 4711,
                         .access_fd = access.get(),
                         .access_format = std::move(*http::AccessFormat::parse(
                             "$peer $method $target $status $bytes_in $bytes_out $worker $pid $outcome")),
                         .max_requests = 3,
                         .redactor = {},
                         .slow = {},
                         .log_probes = false,
                         .on_spent = [this] { ++spent; },
                         .on_connection_over = [this] { ++connections_over; }}};
};

TEST_F(AccountingTest, AnAnswerIsCountedAndLogged) {
  Client& client = connect();
  client.send(post("/path?q", "12345"));
  until(client, "ok");
  run_dry();
  EXPECT_EQ(totals().answers_with(200), 1u);
  EXPECT_EQ(board.requests(), 1u);
  EXPECT_EQ(text_of(access), "192.0.2.7 POST /path?q 200 5 2 7 4711 ok\n");
}

TEST_F(AccountingTest, LinesOfABurstAreWrittenAfterWhatTheLoopHasAtHand) {
  Client& client = connect();
  client.send(get("/1") + get("/2"));
  handler.on_take = [&](Exchange& exchange) {
    EXPECT_EQ(text_of(access), "");
    return answer(exchange, exchange.request().target);
  };
  until(client, "/2");
  run_dry();
  EXPECT_EQ(text_of(access), "192.0.2.7 GET /1 200 0 2 7 4711 ok\n192.0.2.7 GET /2 200 0 2 7 4711 ok\n");
}

TEST_F(AccountingTest, AReopenedLogGetsTheNextLines) {
  const UniqueFd old(::dup(access.get()));  // the number gets another file
  const UniqueFd next(::memfd_create("next", MFD_CLOEXEC));
  Client& client = connect();
  client.send(get("/old"));
  until(client, "ok");
  accounting.reopen_access(next.get());
  client.send(get("/new"));
  until(client, "ok");
  run_dry();
  EXPECT_EQ(text_of(old), "192.0.2.7 GET /old 200 0 2 7 4711 ok\n");
  EXPECT_THAT(text_of(next), StartsWith("192.0.2.7 GET /new "));
  accounting.finish();
}

TEST_F(AccountingTest, EachOutcomeHasItsCounter) {
  handler.on_take = [](Exchange& exchange) {
    exchange.refuse(503, "busy", http::Outcome::overload);
    return Handler::Taken::answered;
  };
  Client& overload = connect();
  overload.send(get("/"));
  until_ended(overload);
  EXPECT_EQ(totals().of(Counter::overloads), 1u);

  handler.keep();
  Client& slow = connect();
  slow.send(get("/slow"));
  run_until_pending();
  handler.pending.back()->give_up(504, "too slow", http::Outcome::timeout);
  EXPECT_EQ(totals().of(Counter::timeouts), 1u);
  EXPECT_EQ(totals().answers_with(504), 1u);

  Client& gone = connect();
  gone.send("GET /ha");
  run_dry();
  gone.leaves();
  run_until([&] { return totals().of(Counter::clients_gone) == 1; });
}

TEST_F(AccountingTest, ARefusedRequestIsLoggedWithItsOutcome) {
  Client& client = connect();
  client.send("GET / HTTP/9.9\r\n\r\n");
  until_ended(client);
  run_dry();
  EXPECT_THAT(text_of(access), EndsWith(" refused\n"));
}

TEST_F(AccountingTest, AProbeIsNoRequest) {
  handler.on_take = [](Exchange& exchange) {
    exchange.mark_as_probe();
    return answer(exchange, "ok");
  };
  Client& client = connect();
  client.send(get("/health"));
  until(client, "ok");
  handler.on_take = [](Exchange& exchange) { return answer(exchange, "ok"); };
  EXPECT_EQ(board.requests(), 0u);
  EXPECT_EQ(totals().answers_with(200), 0u);
  run_dry();
  EXPECT_EQ(text_of(access), "");
  client.send(get("/next"));  // the same exchange, used again
  until(client, "ok");
  EXPECT_EQ(board.requests(), 1u);
}

TEST_F(AccountingTest, TheScoreboardShowsOpenConnections) {
  Client& first = connect();
  connect();
  run_dry();
  EXPECT_EQ(slot().connections, 2);
  first.leaves();
  run_until([&] { return slot().connections == 1; });
  run_until([&] { return connections_over == 1; });
}

TEST_F(AccountingTest, AConnectionThatIsAboutToBeTakenCountsFromThenOn) {
  {
    const Accounting::Taking taking(accounting);
    EXPECT_EQ(slot().connections, 1);
    connect();
    EXPECT_EQ(slot().connections, 1) << "now it is there, and counts once";
  }
  EXPECT_EQ(slot().connections, 1);
}

TEST_F(AccountingTest, OneThatDoesNotComeDoesNotCount) {
  { const Accounting::Taking taking(accounting); }
  EXPECT_EQ(slot().connections, 0);
}

TEST_F(AccountingTest, AWorkerIsSpentOnceAtItsLimit) {
  Client& client = connect();
  for (int request = 1; request <= 5; ++request) {
    client.send(get("/"));
    until(client, "ok");
    EXPECT_EQ(spent, request < 3 ? 0 : 1) << request;
  }
}

TEST_F(AccountingTest, AFieldThatIsDroppedIsNamedOnceWhateverItsCase) {
  const char* names[] = {"Connection", "CONNECTION", "connection"};
  int at = 0;
  handler.on_take = [&](Exchange& exchange) {
    const http::Field field{names[at++], "close"};
    EXPECT_EQ(exchange.respond({.status = 200, .fields = {&field, 1}, .body = "ok", .release = {}}), "");
    return Handler::Taken::answered;
  };
  const UniqueFd said(::memfd_create("log", MFD_CLOEXEC));
  log::start({.fd = said.get()}, "test");
  Client& client = connect();
  client.send(get("/1") + get("/2") + get("/3"));
  run_until([&] { return board.requests() == 3; });
  log::start({}, "test");
  const std::string line = text_of(said);
  EXPECT_THAT(line, HasSubstr("header=Connection"));
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

}  // namespace
}  // namespace serval::worker
