#include "worker/probes.hpp"

#include <boost/json.hpp>

#include <array>

#include "http/request.hpp"
#include "http/response.hpp"
#include "server/exchange.hpp"

namespace serval::worker {

namespace {

namespace json = boost::json;

/// A probe that a cache answers tells of another time.
constexpr std::array kFields{http::Field{"Content-Type", "application/json"}, http::Field{"Cache-Control", "no-store"}};

}  // namespace

ProbeAnswer live_answer() { return {200, R"({"status":"ok"})"}; }

ProbeAnswer ready_answer(const Readiness& server) {
  const std::vector<std::string> reasons = reasons_not_ready(server);
  json::object body{{"status", reasons.empty() ? "ok" : "unavailable"},
                    {"workers", {{"serving", server.serving}, {"ready", server.ready()}}}};
  if (!reasons.empty()) body["reasons"] = json::value_from(reasons);
  return {reasons.empty() ? 200 : 503, json::serialize(body)};
}

server::Handler::Taken Probes::take(server::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const bool live = request.path == config_.live;
  if ((!live && request.path != config_.ready) || (request.method != "GET" && request.method != "HEAD"))
    return next_.take(exchange);
  exchange.mark_as_probe();
  const ProbeAnswer answer = live ? live_answer() : ready_answer(readiness_());
  exchange.respond({.status = answer.status, .fields = kFields, .body = answer.body, .release = {}});
  return Taken::answered;
}

}  // namespace serval::worker
