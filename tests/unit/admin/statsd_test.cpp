#include "admin/statsd.hpp"

#include <boost/json/parse.hpp>

#include <gmock/gmock.h>

namespace serval::admin {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Statsd, CountsWhatHasComeSince) {
  scoreboard::Totals before;
  before.answers[200 - scoreboard::kFirstStatus] = 10;
  scoreboard::Totals now = before;
  now.answers[200 - scoreboard::kFirstStatus] = 14;
  now.answers[503 - scoreboard::kFirstStatus] = 1;
  now.histograms[scoreboard::index_of(scoreboard::Histogram::request_duration)].counts[4] = 5;  // 5 to 10 ms
  EXPECT_THAT(
      statsd_lines("shop.", now, before, nullptr),
      ElementsAre("shop.request.status.200:4|c", "shop.request.status.503:1|c", "shop.requests:5|c",
                  "shop.request.duration.p50:8|g", "shop.request.duration.p95:10|g", "shop.request.duration.p99:10|g"));
}

TEST(Statsd, TellsOfWorkersIfTheMasterAnswers) {
  const auto status = std::make_shared<const boost::json::object>(
      boost::json::parse(
          R"({"workers":[{"state":"serving","running":2,"waiting":1},{"state":"draining","running":1,"waiting":0}]})")
          .as_object());
  EXPECT_THAT(statsd_lines("", {}, {}, status),
              ElementsAre("requests:0|c", "workers:1|g", "requests.running:3|g", "requests.waiting:1|g"));
}

TEST(Statsd, PacketsAreNotTooLong) {
  EXPECT_THAT(statsd_packets({"aaaa", "bbbb", "cc"}, 9), ElementsAre("aaaa\nbbbb", "cc"));
  EXPECT_THAT(statsd_packets({"aaaa", "bbbb"}, 8), ElementsAre("aaaa", "bbbb"));
  EXPECT_THAT(statsd_packets({"aaaaaaaaaa", "b"}, 8), ElementsAre("b"));
  EXPECT_THAT(statsd_packets({}, 8), IsEmpty());
}

}  // namespace
}  // namespace serval::admin
