#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "admin/master_link.hpp"
#include "scoreboard/generations.hpp"
#include "scoreboard/reader.hpp"

namespace serval::admin {

/// What StatsD is told every few seconds, under the names that Gunicorn's users know: PREFIX.requests and
/// PREFIX.request.status.CODE count what has come since `before`, PREFIX.workers is how many serve; besides, since
/// single requests are not sent, PREFIX.request.duration.p50, .p95 and .p99 in milliseconds. Pure.
std::vector<std::string> statsd_lines(std::string_view prefix, const scoreboard::Totals& now,
                                      const scoreboard::Totals& before, const Status& status);

/// Together in datagrams of at most so many bytes, a line each; one that is longer by itself is left out.
std::vector<std::string> statsd_packets(const std::vector<std::string>& lines, std::size_t most);

}  // namespace serval::admin
