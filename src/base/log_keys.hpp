#pragma once

#include <string>
#include <string_view>

#include "base/log_field.hpp"

/// The names of the keys in JSON lines of the log and the access log. ONE table: what a collector knows under a name of
/// its own is called so where [log] keys names that collector; the man page lists it.
namespace serval::log {

struct KeyRow {
  std::string_view serval;
  std::string_view ecs;      ///< Elastic Common Schema 8.11; empty: it has none
  std::string_view datadog;  ///< reserved and standard attributes; empty: likewise
  std::string_view gcp;      ///< special fields of Google Cloud's structured logging; empty: likewise
  bool access_only = false;  ///< the log calls something else so: its `path` is a file's
};

inline constexpr KeyRow kKeyTable[] = {
    {"time", "@timestamp", "timestamp", "time"},
    {"level", "log.level", "status", "severity"},
    {"msg", "message", "message", "message"},
    {"process", "process.name", "logger.name", ""},
    {"pid", "process.pid", "", ""},
    {"error", "error.message", "error.message", ""},
    {"peer", "client.address", "network.client.ip", ""},
    {"method", "http.request.method", "http.method", ""},
    {"target", "url.original", "http.url", ""},
    {"path", "url.path", "http.url_details.path", "", true},
    {"host", "server.address", "http.url_details.host", ""},
    {"referer", "http.request.referrer", "http.referer", ""},
    {"user_agent", "user_agent.original", "http.useragent", ""},
    {"request_id", "http.request.id", "http.request_id", ""},
    {"status", "http.response.status_code", "http.status_code", ""},
    {"bytes_in", "http.request.body.bytes", "network.bytes_read", ""},
    {"bytes_out", "http.response.body.bytes", "network.bytes_written", ""},
    {"reason", "event.reason", "", ""},
};

/// The name that `keys` has for a key of serval's. One without a name of its own keeps serval's; among ECS's, where a
/// name such as `file` would have to be an object, it becomes serval.NAME.
std::string key_name(Keys keys, std::string_view serval);
/// The same in an access line.
std::string access_key_name(Keys keys, std::string_view serval);

/// Members that each line has besides, in JSON with a comma before them; empty: none.
std::string_view constant_members(Keys keys);

/// Whether serval's own part of a line may have this key, or one that would be an object of the same name where
/// dots are taken for objects (`log` beside `log.level`).
bool is_own_key(Keys keys, std::string_view key);

}  // namespace serval::log
