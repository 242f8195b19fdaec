#include "ipc/heritage.hpp"

#include <boost/json.hpp>
#include <utility>

#include "config/load.hpp"
#include "os/memory_file.hpp"

namespace serval::ipc {
namespace {

namespace json = boost::json;

json::value to_json(const Heritage& heritage) {
  json::array options;
  for (const auto& [path, text] : config::to_text(heritage.config)) options.push_back(json::array{path, text});
  json::array listeners;
  for (const Listener& listener : heritage.listeners) {
    listeners.push_back(json::object{{"fd", listener.fd}, {"address", listener.address}, {"local", listener.local}});
  }
  return json::object{{"config", std::move(options)},
                      {"generation", heritage.generation},
                      {"orders_fd", heritage.orders_fd},
                      {"reports_fd", heritage.reports_fd},
                      {"life_fd", heritage.life_fd},
                      {"log_fd", heritage.log_fd},
                      {"access_fd", heritage.access_fd},
                      {"master_pid", heritage.master_pid},
                      {"scoreboard_fd", heritage.scoreboard_fd},
                      {"app_metrics_fd", heritage.app_metrics_fd},
                      {"lobby_entry_fd", heritage.lobby_entry_fd},
                      {"lobby_exit_fd", heritage.lobby_exit_fd},
                      {"spans_fd", heritage.spans_fd},
                      {"sampler_asks_parent", heritage.sampler.asks_parent},
                      {"sampler_ratio", heritage.sampler.ratio},
                      {"cpus", heritage.cpus},
                      {"task_sockets", heritage.task_sockets},
                      {"listeners", std::move(listeners)}};
}

/// Throws what Boost.JSON throws for a document of another shape.
Result<Heritage> from_json(const json::value& document) {
  std::vector<std::pair<std::string, std::string>> options;
  for (const json::value& option : document.at("config").as_array()) {
    options.emplace_back(json::value_to<std::string>(option.at(0)), json::value_to<std::string>(option.at(1)));
  }
  auto config = config::from_text(options);
  if (!config) return Error{config.error()};
  const auto number = [&document](const char* key) { return json::value_to<int>(document.at(key)); };
  Heritage heritage;
  heritage.config = std::move(*config);
  heritage.generation = number("generation");
  heritage.orders_fd = number("orders_fd");
  heritage.reports_fd = number("reports_fd");
  heritage.life_fd = number("life_fd");
  heritage.master_pid = number("master_pid");
  heritage.scoreboard_fd = number("scoreboard_fd");
  heritage.log_fd = number("log_fd");
  heritage.access_fd = number("access_fd");
  if (document.as_object().contains("lobby_entry_fd")) {  // a master that is older than its mold has none
    heritage.lobby_entry_fd = number("lobby_entry_fd");
    heritage.lobby_exit_fd = number("lobby_exit_fd");
  }
  if (document.as_object().contains("spans_fd")) {
    heritage.spans_fd = number("spans_fd");
    heritage.sampler = {document.at("sampler_asks_parent").as_bool(), document.at("sampler_ratio").to_number<double>()};
  }
  if (document.as_object().contains("app_metrics_fd")) heritage.app_metrics_fd = number("app_metrics_fd");
  if (document.as_object().contains("cpus")) heritage.cpus = number("cpus");
  if (document.as_object().contains("task_sockets")) heritage.task_sockets = number("task_sockets");
  for (const json::value& entry : document.at("listeners").as_array()) {
    heritage.listeners.push_back({json::value_to<int>(entry.at("fd")), json::value_to<std::string>(entry.at("address")),
                                  entry.at("local").as_bool()});
  }
  return heritage;
}

}  // namespace

std::vector<int> Heritage::fds() const {
  std::vector<int> all = {orders_fd, reports_fd,     life_fd,       scoreboard_fd, log_fd,
                          access_fd, lobby_entry_fd, lobby_exit_fd, spans_fd,      app_metrics_fd};
  for (const Listener& listener : listeners) all.push_back(listener.fd);
  std::erase_if(all, [](int fd) { return fd <= 2; });
  return all;
}

Result<UniqueFd> write_heritage(const Heritage& heritage) {
  return os::make_memory_file("serval-heritage", "the heritage", json::serialize(to_json(heritage)));
}

Result<Heritage> read_heritage(int fd) {
  auto text = os::read_memory_file(fd, "the heritage");
  if (!text) return Error{text.error()};
  try {
    json::parse_options options;
    options.allow_invalid_utf8 = true;  // paths, arguments and variables are bytes
    return from_json(json::parse(*text, {}, options));
  } catch (const std::exception& error) {
    return Error{std::string("the heritage is not what this serval writes: ") + error.what()};
  }
}

log::Settings log_settings(const config::Log& config, int fd) {
  return {.level = config.level, .format = config.format, .keys = config.keys, .fd = fd};
}

}  // namespace serval::ipc
