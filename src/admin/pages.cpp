#include "admin/pages.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <vector>

#include "admin/dashboard.hpp"
#include "admin/health_text.hpp"
#include "admin/machine.hpp"
#include "admin/metrics.hpp"
#include "admin/visitor.hpp"
#include "control/shown.hpp"
#include "http/response.hpp"
#include "server/exchange.hpp"

namespace serval::admin {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kJson = "application/json";

/// Also "verbose=" and "verbose=1", as Kubernetes takes it.
bool wants_words(const http::Request& request) {
  return request.query == "verbose" || request.query.starts_with("verbose=") || request.query.starts_with("verbose&");
}

std::string_view accept_of(const http::Request& request) {
  const auto field = std::find_if(request.fields.begin(), request.fields.end(),
                                  [](const http::Field& one) { return http::equal_names(one.name, "Accept"); });
  return field == request.fields.end() ? std::string_view() : field->value;
}

Page health(HealthQuestion question, const http::Request& request, const Status& status) {
  HealthAnswer answer = health_answer(question, status, wants_words(request));
  return {answer.status, kText, std::move(answer.text)};
}

std::vector<NamedProcess> processes_of(const Status& status) {
  std::vector<NamedProcess> result{{"admin", ::getpid()}};
  if (!status) return result;
  const auto add = [&result](std::string name, const boost::json::object& from) {
    if (const auto pid = control::number_at(from, "pid"); pid && *pid > 0)
      result.push_back({std::move(name), static_cast<pid_t>(*pid)});
  };
  add("master", *status);
  if (const auto* mold = control::object_in(*status, "mold")) add("mold", *mold);
  for (const auto* worker : control::objects_in(*status, "workers")) {
    if (control::text_at(*worker, "state") != "draining")
      add("worker[" + control::number(*worker, "slot") + "]", *worker);
  }
  return result;
}

}  // namespace

std::span<const Pages::Endpoint> Pages::endpoints() {
  static constexpr Endpoint kEndpoints[] = {
      {"/livez", true, &Pages::live},      {"/readyz", true, &Pages::ready},  {"/startupz", true, &Pages::started},
      {"/metrics", true, &Pages::metrics}, {"/status", true, &Pages::status}, {"/", false, &Pages::dashboard},
  };
  return kEndpoints;
}

server::Handler::Taken Pages::take(server::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const auto all = endpoints();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Endpoint& one) { return one.path == request.path; });
  if (parts_.for_this_machine && !is_named_locally(request.host)) {
    answer(exchange, {421, kText,
                      "admin.bind is an address of this machine alone, and answers only those who ask for localhost or "
                      "an address: a proxy in front of it passes on no Host of its own clients\n"});
  } else if (found == all.end()) {
    answer(exchange, {404, kText, "not found; there are /livez /readyz /startupz /metrics /status and /\n"});
  } else if (request.method != "GET" && request.method != "HEAD") {
    answer(exchange, {405, kText, "only GET and HEAD: here nothing can be changed\n"});
  } else if (!found->asks_master) {
    answer(exchange, (this->*found->make)(request, nullptr));
  } else {
    parts_.master.ask([this, &exchange, make = found->make](const Status& status) {
      answer(exchange, (this->*make)(exchange.request(), status));
      exchange.done();
    });
    return Taken::pending;
  }
  return Taken::answered;
}

/// No answer is good for another time. What pages may do is what the dashboard needs, and nothing from elsewhere.
void Pages::answer(server::Exchange& exchange, const Page& page) const {
  const std::array fields{
      http::Field{"Content-Type", page.type},
      http::Field{"Cache-Control", "no-store"},
      http::Field{"X-Content-Type-Options", "nosniff"},
      http::Field{"Referrer-Policy", "no-referrer"},
      http::Field{"Cross-Origin-Resource-Policy", "same-origin"},
      http::Field{"Content-Security-Policy", page.policy},
      http::Field{"Allow", "GET, HEAD"},
  };
  const bool not_allowed = page.status == 405;
  exchange.respond({.status = page.status,
                    .fields = std::span(fields).first(fields.size() - (not_allowed ? 0 : 1)),
                    .body = page.body,
                    .release = {}});
}

Page Pages::live(const http::Request& request, const Status& status) const {
  return health(HealthQuestion::live, request, status);
}

Page Pages::ready(const http::Request& request, const Status& status) const {
  return health(HealthQuestion::ready, request, status);
}

Page Pages::started(const http::Request& request, const Status& status) const {
  return health(HealthQuestion::started, request, status);
}

/// Also while the master does not answer: what workers have counted is there.
Page Pages::metrics(const http::Request& request, const Status& status) const {
  const Format format = format_for(accept_of(request));
  const scoreboard::Totals totals = scoreboard::read_totals(parts_.scoreboard);
  const auto exemplars = scoreboard::read_exemplars(parts_.scoreboard);
  const auto spans = parts_.spans ? std::optional(parts_.spans->counts()) : std::nullopt;
  const MachineFigures machine = look_at_machine(processes_of(status));
  const std::vector<metrics::Family> app = parts_.app_metrics.read(parts_.scoreboard);
  return {200, content_type(format),
          admin::metrics({.version = SERVAL_VERSION,
                          .name = parts_.name,
                          .status = status,
                          .totals = totals,
                          .exemplars = exemplars,
                          .machine = machine,
                          .utilization = parts_.utilization,
                          .spans = spans ? &*spans : nullptr,
                          .app = app,
                          .now = Clock::now(),
                          .wall_now = std::chrono::system_clock::now()},
                         format)};
}

Page Pages::status(const http::Request&, const Status& status) const {
  if (!status) return {503, kJson, R"({"error":"the master does not answer"})"};
  return {200, kJson, boost::json::serialize(*status)};
}

Page Pages::dashboard(const http::Request&, const Status&) const {
  Dashboard page = make_dashboard();
  return {200, "text/html; charset=utf-8", std::move(page.html), std::move(page.policy)};
}

}  // namespace serval::admin
