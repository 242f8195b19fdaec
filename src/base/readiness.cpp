#include "base/readiness.hpp"

#include <utility>

#include "base/units.hpp"

namespace serval {
namespace {

std::string count_of_workers(int count) { return std::to_string(count) + (count == 1 ? " worker" : " workers"); }

std::string these(int part, int all) {
  if (all == 1) return "the only worker";
  return (part == all ? "all " : std::to_string(part) + " of ") + count_of_workers(all);
}

std::string why_silent(const Readiness& server) {
  std::string why = these(server.silent, server.serving) + (server.silent == 1 ? " has" : " have") +
                    " given no sign of life for " + format_duration(kSilentAfter);
  if (server.declining > 0) why += ", the app's ready() says no in " + std::to_string(server.declining);
  return why;
}

/// Few workers are better than none: without health.ready_workers it takes a server that cannot serve at all.
std::string why_too_few(const Readiness& server) {
  const int ready = server.ready();
  if (ready >= server.needed) return {};
  if (server.serving == 0) return "no worker serves";
  const std::string wanted = ", and health.ready_workers is " + std::to_string(server.needed);
  if (server.silent > 0) return why_silent(server) + (ready > 0 ? wanted : "");
  if (server.declining == 0)
    return "only " + count_of_workers(server.serving) + " serve" + (server.serving == 1 ? "s" : "") + wanted;
  if (ready == 0) return "the app's ready() says no in " + these(server.declining, server.serving);
  return "the app's ready() says yes in only " + std::to_string(ready) + " of " + count_of_workers(server.serving) +
         wanted;
}

}  // namespace

std::vector<std::string> reasons_not_ready(const Readiness& server) {
  if (server.stopping) return {"stopping"};
  if (server.booting) return {"booting"};
  std::vector<std::string> reasons;
  if (server.draining) reasons.emplace_back("draining (serval drain)");
  if (server.paused) reasons.emplace_back("paused (serval pause)");
  if (server.drain_file) reasons.emplace_back("draining (health.drain_file exists)");
  if (std::string few = why_too_few(server); !few.empty()) reasons.push_back(std::move(few));
  return reasons;
}

std::string why_not_ready(const Readiness& server) {
  std::string line;
  for (const std::string& reason : reasons_not_ready(server)) line += (line.empty() ? "" : ", ") + reason;
  return line;
}

}  // namespace serval
