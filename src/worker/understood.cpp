#include "worker/understood.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/network.hpp"

namespace serval::worker {

namespace {

Result<server::Settings> engine_settings(const config::Request& request) {
  std::vector<Network> trusted;
  for (const std::string& text : request.trusted_proxies) {
    Result<Network> network = Network::parse(text);
    if (!network) return Error{"request.trusted_proxies: " + network.error()};
    trusted.push_back(std::move(*network));
  }
  server::Settings settings;
  settings.limits = {.max_header = request.max_header,
                     .max_headers = static_cast<std::size_t>(request.max_headers),
                     .max_target = request.max_target,
                     .max_body = request.max_body};
  settings.timeouts = {.header = request.header_timeout,
                       .body = request.body_timeout,
                       .body_min_rate = request.body_min_rate,
                       .write = request.write_timeout,
                       .keep_alive = request.keep_alive,
                       .keep_alive_requests = request.keep_alive_requests};
  settings.spill_body = request.spill_body;
  settings.answer_id = request.answer_id;
  settings.proxy_protocol = request.proxy_protocol;
  settings.is_trusted = [networks = std::move(trusted)](std::string_view address) {
    return std::any_of(networks.begin(), networks.end(),
                       [&](const Network& network) { return network.contains(address); });
  };
  return settings;
}

}  // namespace

Result<Understood> understand(const config::Config& config) {
  Result<server::Settings> engine = engine_settings(config.request);
  if (!engine) return Error{engine.error()};
  Result<http::AccessFormat> format = http::AccessFormat::parse(config.log.access_format, config.log.keys);
  if (!format) return Error{"log.access_format: " + format.error()};
  return Understood{std::move(*engine), std::move(*format)};
}

}  // namespace serval::worker
