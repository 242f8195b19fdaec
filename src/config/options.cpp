#include "config/options.hpp"

#include <algorithm>
#include <array>

#include "base/access_template.hpp"
#include "base/address.hpp"
#include "base/network.hpp"
#include "base/text.hpp"
#include "config/env_file.hpp"

namespace serval::config {
namespace {

constexpr std::int64_t kSecond = 1'000;
constexpr std::int64_t kHour = 3'600 * kSecond;
constexpr std::int64_t kDay = 24 * kHour;
constexpr auto kMiB = static_cast<std::int64_t>(MiB);
constexpr std::int64_t kTiB = kMiB * 1024 * 1024;
constexpr Range kUpToADay{1, kDay, true};

Result<void> check_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  if (name.size() > 64 || !std::all_of(name.begin(), name.end(), allowed)) {
    return Error{"expected up to 64 letters, digits, '.', '_' and '-'"};
  }
  return {};
}

Result<void> check_address(std::string_view text) {
  if (auto address = Address::parse(text); !address) return Error{address.error()};
  return {};
}

Result<void> check_admin_address(std::string_view text) {
  if (text == "off") return {};
  auto address = Address::parse(text);
  if (!address) return Error{address.error() + ", or \"off\""};
  if (address->kind == Address::Kind::systemd) return Error{"a socket of systemd's cannot be taken for this"};
  return {};
}

Result<void> check_statsd(std::string_view text) {
  if (text.empty()) return {};
  auto address = Address::parse(text);
  if (!address) return Error{address.error()};
  if (address->kind != Address::Kind::tcp || address->port == 0)
    return Error{"expected the host:port where StatsD listens"};
  return {};
}

/// Dots part names; StatsD gives ':', '|' and '@' a meaning of their own.
Result<void> check_statsd_prefix(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  if (text.size() > 200 || !std::all_of(text.begin(), text.end(), allowed))
    return Error{"expected up to 200 letters, digits, '.', '_' and '-'"};
  return {};
}

Result<void> check_network(std::string_view text) {
  if (auto network = Network::parse(text); !network) return Error{network.error()};
  return {};
}

Result<void> check_no_nul(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return Error{"a NUL byte cannot be handed over"};
  return {};
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& byte : lower) byte = byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
  return lower;
}

/// Our own and other servers' words for a stream, for another log, or for nothing. Where an option has no such meaning
/// none of them is meant as the name of a file.
bool is_no_file_name(std::string_view text) {
  constexpr std::string_view kWords[] = {"-",   "stdout", "stderr", "syslog", "journal", "journald",
                                         "off", "no",     "none",   "false",  "null",    "disabled"};
  return std::ranges::find(kWords, lower_case(text)) != std::end(kWords);
}

/// `expected`: what the option does take.
Result<void> check_file(std::string_view text, const std::string& expected) {
  if (text.empty()) return Error{expected};
  if (is_no_file_name(text)) {
    return Error{expected + "; a file of this name would be " + quoted("./" + std::string(text))};
  }
  return check_no_nul(text);
}

Result<void> check_access_file(std::string_view text) {
  if (text == "-" || text == "off") return {};
  return check_file(text, "expected \"-\" for standard output, \"off\", or a path");
}

Result<void> check_log_file(std::string_view text) {
  if (text == "-") return {};
  if (text.empty()) return Error{"expected a path or \"-\" for standard error"};
  return check_file(text,
                    "expected \"-\" for standard error, or a path: it cannot be off, log.level says what is written");
}

/// "": no file.
Result<void> check_optional_file(std::string_view text) {
  return text.empty() ? Result<void>() : check_file(text, "expected a path, or \"\" for none");
}

Result<void> check_socket_file(std::string_view text) {
  if (text.empty() || text == "off") return {};
  return check_file(text, "expected a path, \"off\", or \"\" for the usual place");
}

Result<void> check_parameter_name(std::string_view text) {
  if (text.empty()) return Error{"expected the name of a query parameter"};
  if (text.find_first_of("=&?;") != text.npos) return Error{"expected a name alone, without =, &, ? or ;"};
  return check_no_nul(text);
}

/// As a request's target has it: no query, nothing that a client would have to escape.
Result<void> check_probe_path(std::string_view text) {
  if (text.empty()) return {};
  if (text.front() != '/') return Error{"expected a path that begins with /"};
  const auto in_target = [](char c) { return c > ' ' && c < 0x7f && c != '?' && c != '#' && c != '"'; };
  if (!std::all_of(text.begin(), text.end(), in_target)) {
    return Error{"expected a path as it stands in a request, without a query"};
  }
  return {};
}

Result<void> check_access_format(std::string_view text) {
  if (auto format = AccessTemplate::parse(text); !format) return Error{format.error()};
  return {};
}

constexpr Option kOptions[] = {
    {.path = "app.library",
     .field = field<&Config::app, &App::library>(),
     .placeholder = "FILE",
     .check = check_no_nul,
     .is_path = true,
     .summary = "shared library of the app",
     .more = "The argument of `serval run` and `serval check` is the same and stronger.",
     .example = "\"build/libshop.so\""},
    {.path = "app.args",
     .field = field<&Config::app, &App::args>(),
     .placeholder = "TEXT",
     .check = check_no_nul,
     .secret = true,
     .summary = "arguments handed to the app",
     .more = "Treated as secret, as the values of env are.",
     .example = "[\"--catalog\", \"data/catalog.bin\"]"},
    {.path = "app.env",
     .field = field<&Config::app, &App::env>(),
     .placeholder = "NAME=VALUE",
     .check = check_no_nul,
     .secret = true,
     .summary = "environment variables for the mold and the workers",
     .more = "Added to the environment that serval itself was started with. The values are secret: no log line, "
             "error or answer of serval shows them.",
     .example = "{ DATABASE_URL = \"${DATABASE_URL:-shop.db}\" }"},
    {.path = "app.env_file",
     .field = field<&Config::app, &App::env_file>(),
     .placeholder = "FILE",
     .check = check_env_file,
     .is_path = true,
     .summary = "files with environment variables for the mold and the workers, NAME=value in each line",
     .more = "As .env files are written elsewhere; ENVIRONMENT FILES in the manual says how. Of several the last one "
             "that has a name wins, and app.env wins over all. A '-' before the path: the file may be missing. Each "
             "reload reads them anew. Their values are secret, and change no option of serval's own.",
     .example = "[\".env\", \"-.env.local\"]"},

    {.path = "server.name",
     .field = field<&Config::server, &Server::name>(),
     .placeholder = "NAME",
     .check = check_name,
     .apply = Apply::restart,
     .summary = "name in process titles and logs",
     .more = "Empty: the name of the library without \"lib\" and \".so\".",
     .example = "\"shop\""},
    {.path = "server.bind",
     .field = field<&Config::server, &Server::bind>(),
     .placeholder = "ADDRESS",
     .check = check_address,
     .short_flag = 'b',
     .fallback = "PORT",
     .summary = "addresses to listen on",
     .more = "host:port, [::]:port (IPv4 too, unless an IPv4 address with this port is in the list), :port, "
             "unix:/path, unix:@abstract, or fd:NAME for a socket passed by systemd. The file of unix:/path belongs "
             "to server.user and server.group if these are set, and whoever server.umask lets read may connect: "
             "everybody by default, which a proxy needs that runs as another user. "
             "unix:/path?mode=0660&user=shop&group=www-data says it otherwise; mode, user and group may each be left "
             "out. With port 0 the kernel chooses a free one, which the log reports. A PORT variable stands for "
             "0.0.0.0:PORT.",
     .example = "[\"0.0.0.0:8000\", \"unix:/run/shop/http.sock\"]"},
    {.path = "server.backlog",
     .field = field<&Config::server, &Server::backlog>(),
     .placeholder = "N",
     .range = {1, 65535},
     .summary = "connections that may wait in the kernel's accept queue",
     .more = "The kernel caps it at net.core.somaxconn.",
     .example = "4096"},
    {.path = "server.pidfile",
     .field = field<&Config::server, &Server::pidfile>(),
     .placeholder = "FILE",
     .check = check_optional_file,
     .is_path = true,
     .apply = Apply::restart,
     .summary = "file that holds the master's process id",
     .more = "Empty: none.",
     .example = "\"/run/shop/serval.pid\""},
    {.path = "server.user",
     .field = field<&Config::server, &Server::user>(),
     .placeholder = "USER",
     .check = check_no_nul,
     .apply = Apply::restart,
     .summary = "user to become after binding, with its supplementary groups",
     .more = "Empty: keep the current user. Needs a start as root.",
     .example = "\"www-data\""},
    {.path = "server.group",
     .field = field<&Config::server, &Server::group>(),
     .placeholder = "GROUP",
     .check = check_no_nul,
     .apply = Apply::restart,
     .summary = "group to become after binding",
     .more = "Empty: the user's own.",
     .example = "\"www-data\""},
    {.path = "server.umask",
     .field = field<&Config::server, &Server::umask>(),
     .placeholder = "MODE",
     .range = {0, 0777},
     .apply = Apply::restart,
     .summary = "permission bits that new files do not get, octal",
     .example = "\"0027\""},

    {.path = "workers.count",
     .field = field<&Config::workers, &Workers::count>(),
     .placeholder = "N|auto",
     .range = {1, 1024},
     .short_flag = 'w',
     .fallback = "WEB_CONCURRENCY",
     .apply = Apply::live,
     .summary = "worker processes",
     .more = "\"auto\": twice the usable CPUs plus one, from affinity and the cgroup's quota, capped by memory; the "
             "log says how it came about.",
     .example = "4"},
    {.path = "workers.threads",
     .field = field<&Config::workers, &Workers::threads>(),
     .placeholder = "N",
     .range = {1, 1024},
     .short_flag = 't',
     .summary = "app threads in each worker",
     .more = "How many requests one worker runs at a time.",
     .example = "8"},
    {.path = "workers.queue",
     .field = field<&Config::workers, &Workers::queue>(),
     .placeholder = "N",
     .range = {1, 1'000'000},
     .summary = "requests that may wait for a thread in one worker",
     .more = "One more is answered 503 with Retry-After.",
     .example = "64"},
    {.path = "workers.queue_timeout",
     .field = field<&Config::workers, &Workers::queue_timeout>(),
     .placeholder = "DURATION",
     .range = kUpToADay,
     .summary = "longest wait for a thread before 503",
     .more = "\"0\": no limit.",
     .example = "\"5s\""},
    {.path = "workers.boot_timeout",
     .field = field<&Config::workers, &Workers::boot_timeout>(),
     .placeholder = "DURATION",
     .range = {100, kDay},
     .summary = "longest time from fork to ready",
     .more = "The same limit holds for preloading the app in the mold.",
     .example = "\"2m\""},
    {.path = "workers.heartbeat_timeout",
     .field = field<&Config::workers, &Workers::heartbeat_timeout>(),
     .placeholder = "DURATION",
     .range = {200, kDay, true},
     .summary = "longest time that a worker's I/O loop may make no progress before the worker is killed and replaced",
     .more = "Also while it drains. Waiting for a CPU does not count, nor does a suspended machine. \"0\": no limit.",
     .example = "\"10s\""},
    {.path = "workers.max_requests",
     .field = field<&Config::workers, &Workers::max_requests>(),
     .placeholder = "N",
     .range = {1, 1'000'000'000, true},
     .summary = "requests after which a worker is replaced",
     .more = "Its successor serves before it leaves. 0: never.",
     .example = "10000"},
    {.path = "workers.max_requests_jitter",
     .field = field<&Config::workers, &Workers::max_requests_jitter>(),
     .placeholder = "N",
     .range = {0, 1'000'000'000},
     .summary = "up to so many requests more, drawn anew for each worker",
     .example = "1000"},
    {.path = "workers.max_lifetime",
     .field = field<&Config::workers, &Workers::max_lifetime>(),
     .placeholder = "DURATION",
     .range = {100, 365 * kDay, true},
     .summary = "age at which a worker is replaced",
     .more = "Its successor serves before it leaves. \"0\": never.",
     .example = "\"12h\""},
    {.path = "workers.max_lifetime_jitter",
     .field = field<&Config::workers, &Workers::max_lifetime_jitter>(),
     .placeholder = "DURATION",
     .range = {0, 365 * kDay},
     .summary = "up to so much more, drawn anew for each worker",
     .example = "\"1h\""},
    {.path = "workers.max_recycling",
     .field = field<&Config::workers, &Workers::max_recycling>(),
     .placeholder = "N",
     .range = {1, 1024},
     .apply = Apply::live,
     .summary = "most workers that are being replaced at a time because of their requests, age or memory",
     .more = "Replacing begins with the successor's start and ends with the old worker's end. Workers that are "
             "stuck, hung or dead do not wait for their turn.",
     .example = "2"},

    {.path = "memory.soft",
     .field = field<&Config::memory, &Memory::soft>(),
     .placeholder = "SIZE",
     .range = {kMiB, kTiB, true},
     .apply = Apply::live,
     .summary = "memory of a worker above which it is replaced: its successor serves before it leaves",
     .more = "0: no ceiling.",
     .example = "\"512MiB\""},
    {.path = "memory.hard",
     .field = field<&Config::memory, &Memory::hard>(),
     .placeholder = "SIZE",
     .range = {kMiB, kTiB, true},
     .apply = Apply::live,
     .summary = "memory of a worker above which it is killed at once",
     .more = "Where serval's cgroup v2 is delegated to it (systemd: Delegate=yes), the kernel enforces it, too. 0: "
             "no ceiling.",
     .example = "\"1GiB\""},
    {.path = "memory.measure",
     .field = field<&Config::memory, &Memory::measure>(),
     .placeholder = "MEASURE",
     .apply = Apply::live,
     .summary = "what counts as a worker's memory",
     .more = "pss: shared pages are divided among those who share them; rss: they count in full; uss: they do not "
             "count. Pages of files do not count in any of them, as the kernel takes them back when it needs room: "
             "spilled request bodies, mapped tables, code. Files on a tmpfs do.",
     .example = "\"rss\""},
    {.path = "memory.interval",
     .field = field<&Config::memory, &Memory::interval>(),
     .placeholder = "DURATION",
     .range = {10, kHour},
     .apply = Apply::live,
     .summary = "time between two looks at the memory of the workers",
     .more = "Nobody looks as long as there is no ceiling.",
     .example = "\"5s\""},
    {.path = "memory.samples",
     .field = field<&Config::memory, &Memory::samples>(),
     .placeholder = "N",
     .range = {1, 1000},
     .apply = Apply::live,
     .summary = "looks in a row that must find a worker above the soft ceiling",
     .more = "A spike that is over by the next look does not count.",
     .example = "5"},

    {.path = "request.timeout",
     .field = field<&Config::request, &Request::timeout>(),
     .placeholder = "DURATION",
     .range = kUpToADay,
     .summary = "longest time that the app may take for a request",
     .more = "\"0\": no limit.",
     .example = "\"60s\""},
    {.path = "request.header_timeout",
     .field = field<&Config::request, &Request::header_timeout>(),
     .placeholder = "DURATION",
     .range = kUpToADay,
     .summary = "longest time for a whole request header",
     .more = "Bytes that trickle in do not start it anew. \"0\": no limit.",
     .example = "\"5s\""},
    {.path = "request.body_timeout",
     .field = field<&Config::request, &Request::body_timeout>(),
     .placeholder = "DURATION",
     .range = kUpToADay,
     .summary = "longest time between two reads of a request body",
     .more = "\"0\": no limit.",
     .example = "\"10s\""},
    {.path = "request.body_min_rate",
     .field = field<&Config::request, &Request::body_min_rate>(),
     .placeholder = "BYTES",
     .range = {1, kTiB, true},
     .summary = "bytes per second that a request body must reach on average after 5 s",
     .more = "0: no limit.",
     .example = "\"1KiB\""},
    {.path = "request.write_timeout",
     .field = field<&Config::request, &Request::write_timeout>(),
     .placeholder = "DURATION",
     .range = kUpToADay,
     .summary = "longest time that a client may not read its answer",
     .more = "\"0\": no limit.",
     .example = "\"60s\""},
    {.path = "request.keep_alive",
     .field = field<&Config::request, &Request::keep_alive>(),
     .placeholder = "DURATION",
     .range = kUpToADay,
     .summary = "how long an idle connection is kept",
     .more = "\"0\": closed after each answer.",
     .example = "\"15s\""},
    {.path = "request.keep_alive_requests",
     .field = field<&Config::request, &Request::keep_alive_requests>(),
     .placeholder = "N",
     .range = {1, 1'000'000'000, true},
     .summary = "requests answered on one connection",
     .more = "0: no limit.",
     .example = "1000"},
    {.path = "request.max_header",
     .field = field<&Config::request, &Request::max_header>(),
     .placeholder = "SIZE",
     .range = {512, 16 * kMiB},
     .summary = "largest request header, with its request line",
     .more = "More is answered 431.",
     .example = "\"32KiB\""},
    {.path = "request.max_headers",
     .field = field<&Config::request, &Request::max_headers>(),
     .placeholder = "N",
     .range = {1, 10'000},
     .summary = "most header fields of a request",
     .more = "More are answered 431.",
     .example = "64"},
    {.path = "request.max_target",
     .field = field<&Config::request, &Request::max_target>(),
     .placeholder = "SIZE",
     .range = {64, kMiB},
     .summary = "longest request target",
     .more = "Longer ones are answered 414.",
     .example = "\"2KiB\""},
    {.path = "request.max_body",
     .field = field<&Config::request, &Request::max_body>(),
     .placeholder = "SIZE",
     .range = {1, kTiB, true},
     .summary = "largest request body",
     .more = "More is answered 413. 0: no limit.",
     .example = "\"100MiB\""},
    {.path = "request.spill_body",
     .field = field<&Config::request, &Request::spill_body>(),
     .placeholder = "SIZE",
     .range = {0, kTiB},
     .summary = "size above which a request body is kept in a temporary file instead of memory",
     .example = "\"4MiB\""},
    {.path = "request.answer_id",
     .field = field<&Config::request, &Request::answer_id>(),
     .placeholder = "true|false",
     .summary = "send each answer of the app with the X-Request-Id that the logs show",
     .more = "Unless the app sets one.",
     .example = "true"},
    {.path = "request.trusted_proxies",
     .field = field<&Config::request, &Request::trusted_proxies>(),
     .placeholder = "NETWORK",
     .check = check_network,
     .summary = "peers whose X-Forwarded-* and Forwarded headers and PROXY lines are believed",
     .more = "Addresses, networks such as 10.0.0.0/8, \"unix\" for peers of unix sockets, \"*\" for everybody.",
     .example = "[\"10.0.0.0/8\", \"unix\"]"},
    {.path = "request.proxy_protocol",
     .field = field<&Config::request, &Request::proxy_protocol>(),
     .placeholder = "true|false",
     .summary = "expect a PROXY line, v1 or v2, at the start of each connection from a trusted proxy",
     .example = "true"},

    {.path = "restart.backoff_first",
     .field = field<&Config::restart, &Restart::backoff_first>(),
     .placeholder = "DURATION",
     .range = {1, kHour},
     .apply = Apply::live,
     .summary = "delay before a crashed worker is started again",
     .more = "Doubled with each crash, with full jitter.",
     .example = "\"250ms\""},
    {.path = "restart.backoff_max",
     .field = field<&Config::restart, &Restart::backoff_max>(),
     .placeholder = "DURATION",
     .range = {1, kDay},
     .apply = Apply::live,
     .summary = "longest such delay",
     .example = "\"1m\""},
    {.path = "restart.backoff_reset",
     .field = field<&Config::restart, &Restart::backoff_reset>(),
     .placeholder = "DURATION",
     .range = {1, kDay},
     .apply = Apply::live,
     .summary = "health after which the delay starts small again",
     .example = "\"5m\""},
    {.path = "restart.give_up_after",
     .field = field<&Config::restart, &Restart::give_up_after>(),
     .placeholder = "N",
     .range = {1, 1'000'000, true},
     .apply = Apply::live,
     .summary = "crashes in a row, without one healthy worker between them, after which serval exits with 75",
     .more = "0: never give up.",
     .example = "10"},

    {.path = "reload.surge",
     .field = field<&Config::reload, &Reload::surge>(),
     .placeholder = "N",
     .range = {1, 1024},
     .apply = Apply::live,
     .summary = "workers that a reload starts ahead of the ones it retires",
     .more = "More is faster, and needs their memory besides.",
     .example = "2"},
    {.path = "reload.ready_timeout",
     .field = field<&Config::reload, &Reload::ready_timeout>(),
     .placeholder = "DURATION",
     .range = {100, kDay},
     .apply = Apply::live,
     .summary = "longest time from fork to ready for the first worker of a reload",
     .more = "If it is not ready by then, the old generation goes on.",
     .example = "\"2m\""},
    {.path = "reload.watch",
     .field = field<&Config::reload, &Reload::watch>(),
     .placeholder = "DURATION",
     .range = {1 * kSecond, 600 * kSecond, true},
     .apply = Apply::live,
     .summary = "how long a reload compares its first workers with those that they would replace",
     .more = "They serve beside the old ones for so long. If they answer worse than max_error_ratio or "
             "max_latency_ratio allow, the reload fails and the old generation goes on. Where there are too few "
             "requests to tell, the reload goes on. \"0\": it goes on as soon as its first worker serves.",
     .example = "\"30s\""},
    {.path = "reload.canary",
     .field = field<&Config::reload, &Reload::canary>(),
     .placeholder = "N|N%",
     .range = {1, 1024},
     .apply = Apply::live,
     .summary = "workers of the new generation while it is watched",
     .more = "A share is one of workers.count; at least one worker, and at most as many as serve. They are there "
             "besides the old ones, and need their memory.",
     .example = "\"10%\""},
    {.path = "reload.max_error_ratio",
     .field = field<&Config::reload, &Reload::max_error_ratio>(),
     .placeholder = "RATIO",
     .range = {1, 1000},
     .apply = Apply::live,
     .summary = "errors per request of the new generation against those of the old one that a watch allows",
     .more = "Errors are answers of 500 and above and requests lost with their worker. Too few to rule out chance are "
             "no reason; many end the watch early.",
     .example = "1.5"},
    {.path = "reload.max_latency_ratio",
     .field = field<&Config::reload, &Reload::max_latency_ratio>(),
     .placeholder = "RATIO",
     .range = {1, 1000},
     .apply = Apply::live,
     .summary = "95th percentile of durations of the new generation against that of the old one that a watch allows",
     .more = "Durations are known by the buckets of serval_request_duration_seconds, so it is about this ratio. "
             "Differences below 2ms are no reason.",
     .example = "1.5"},
    {.path = "reload.keep",
     .field = field<&Config::reload, &Reload::keep>(),
     .placeholder = "DURATION",
     .range = kUpToADay,
     .apply = Apply::live,
     .summary = "how long the generation before stays loaded after a reload, for serval rollback",
     .more = "Its mold stays, without workers. \"0\": it goes.",
     .example = "\"10m\""},

    {.path = "shutdown.delay",
     .field = field<&Config::shutdown, &Shutdown::delay>(),
     .placeholder = "DURATION",
     .range = kUpToADay,
     .fallback = "KUBERNETES_SERVICE_HOST",
     .fallback_value = "5s",
     .apply = Apply::live,
     .summary = "time that a graceful stop goes on serving while it reports not ready",
     .more =
         "That is for load balancers and others that ask health.ready, or serval healthcheck --ready, to send traffic "
         "elsewhere. \"0\": none. In Kubernetes, which sets "
         "KUBERNETES_SERVICE_HOST, it is \"5s\" if nothing else is said.",
     .example = "\"10s\""},
    {.path = "shutdown.grace",
     .field = field<&Config::shutdown, &Shutdown::grace>(),
     .placeholder = "DURATION",
     .range = kUpToADay,
     .apply = Apply::live,
     .summary = "time that a graceful stop gives to requests in flight",
     .more = "What still runs then is cut. \"0\": at once.",
     .example = "\"10s\""},

    {.path = "log.level",
     .field = field<&Config::log, &Log::level>(),
     .placeholder = "LEVEL",
     .apply = Apply::live,
     .summary = "least important lines that are logged",
     .more = "The flags -q and -v stand for warning and debug.",
     .example = "\"warning\""},
    {.path = "log.format",
     .field = field<&Config::log, &Log::format>(),
     .placeholder = "FORMAT",
     .summary = "form of the log's lines",
     .example = "\"json\""},
    {.path = "log.keys",
     .field = field<&Config::log, &Log::keys>(),
     .placeholder = "NAMES",
     .summary = "what the keys of JSON lines are called, in the log and the access log",
     .more = "For collectors that know names of their own for time, level, message and what requests have: ecs is "
             "Elastic's Common Schema, gcp Google Cloud's. They are listed under KEYS. Loki takes any.",
     .example = "\"ecs\""},
    {.path = "log.file",
     .field = field<&Config::log, &Log::file>(),
     .placeholder = "FILE",
     .check = check_log_file,
     .is_path = true,
     .summary = "where the log goes",
     .more = "\"-\": standard error. A named pipe needs no reader: it keeps what fits for the next one, and "
             "what does not fit is dropped.",
     .example = "\"/var/log/shop/serval.log\""},
    {.path = "log.access",
     .field = field<&Config::log, &Log::access>(),
     .placeholder = "FILE",
     .check = check_access_file,
     .is_path = true,
     .summary = "where the access log goes",
     .more = "\"-\": standard output; \"off\": nowhere. A named pipe is as good as for log.file.",
     .example = "\"/var/log/shop/access.log\""},
    {.path = "log.access_format",
     .field = field<&Config::log, &Log::access_format>(),
     .placeholder = "FORMAT",
     .check = check_access_format,
     .summary = "form of the access log's lines: combined, common, json or a template",
     .more = "The words of a template are listed under ACCESS LOG.",
     .example = "\"$peer $method $target $status $duration_us\""},
    {.path = "log.slow",
     .field = field<&Config::log, &Log::slow>(),
     .placeholder = "DURATION",
     .range = kUpToADay,
     .summary = "write a line for each request that takes longer, with where the time went",
     .more = "head and body: until they had come; queue: waiting for a thread; handler: in the app; write: until the "
             "client had the answer. At most ten lines a second for each worker, then how many more there were. "
             "\"0\": none.",
     .example = "\"500ms\""},
    {.path = "log.redact",
     .field = field<&Config::log, &Log::redact>(),
     .placeholder = "NAME",
     .check = check_parameter_name,
     .summary = "names of query parameters whose values are not logged",
     .more = "In the log, the access log and its Referer, and in what serval status, stacks and reports of crashed or "
             "stuck workers show of a request, [redacted] stands for them. What the app logs is its own. Case does not "
             "matter.",
     .example = "[\"token\", \"password\"]"},
    {.path = "log.capture",
     .field = field<&Config::log, &Log::capture>(),
     .placeholder = "true|false",
     .summary =
         "make log lines, tagged with their worker, of what the app writes to standard output and standard error",
     .more = "These lines name no request, since a pipe does not tell the thread; what the app logs through serval "
             "names it. With log.format = \"json\" a line that is one JSON object is kept as fields: its msg or "
             "message becomes the msg of the line, and a key that serval's own fields have gets app_ before it. A line "
             "that is longer than 8 KiB, nested deeper than 16 or of more than 64 keys stays a text.",
     .example = "false"},

    {.path = "health.live",
     .field = field<&Config::health, &Health::live>(),
     .placeholder = "PATH",
     .check = check_probe_path,
     .summary = "path at which GET and HEAD say, on every listener, that a worker is alive",
     .more = "Always 200 with {\"status\":\"ok\"}. The worker's I/O loop answers it, also while all threads are busy; "
             "the app never sees it. It is not counted as a request, nor in workers.max_requests. Empty: none.",
     .example = "\"/health\""},
    {.path = "health.ready",
     .field = field<&Config::health, &Health::ready>(),
     .placeholder = "PATH",
     .check = check_probe_path,
     .summary = "path at which GET and HEAD say, on every listener, whether new traffic should be sent here",
     .more = "200, or 503 with the reasons: the server boots, drains (serval drain, health.drain_file), is paused or "
             "stops (shutdown.delay), or fewer workers than health.ready_workers serve and are ready. It is answered "
             "as health.live is. Empty: none.",
     .example = "\"/health/ready\""},
    {.path = "health.drain_file",
     .field = field<&Config::health, &Health::drain_file>(),
     .placeholder = "FILE",
     .check = check_optional_file,
     .is_path = true,
     .summary = "the server reports not ready for as long as this file exists",
     .more =
         "For scripts that take a machine out of service. Workers look for it, as server.user, when they are probed "
         "and every health.ready_interval. Empty: none.",
     .example = "\".broken\""},
    {.path = "health.ready_workers",
     .field = field<&Config::health, &Health::ready_workers>(),
     .placeholder = "N",
     .range = {1, 4096},
     .summary = "workers that must serve, and whose app must say that it is ready, for the server to be ready",
     .example = "2"},
    {.path = "health.ready_interval",
     .field = field<&Config::health, &Health::ready_interval>(),
     .placeholder = "DURATION",
     .range = {10, kDay, true},
     .summary = "time between two questions to the app's ready(), in each worker, for all its life",
     .more = "It runs on a thread of the app's, if one is free. A worker whose app says no, throws, or does not return "
             "within request.timeout, leaves new connections to others for as long as others say yes. \"0\": no "
             "question after the first yes; so it is for apps that were built for serval 0.1.0.",
     .example = "\"5s\""},
    {.path = "health.log",
     .field = field<&Config::health, &Health::log>(),
     .placeholder = "true|false",
     .summary = "write access lines for requests to health.live and health.ready",
     .example = "true"},

    {.path = "admin.bind",
     .field = field<&Config::admin, &Admin::bind>(),
     .placeholder = "ADDRESS",
     .check = check_admin_address,
     .apply = Apply::live,
     .summary = "address of the endpoints for those who watch the server, answered by a process of their own",
     .more =
         "/livez, /readyz and /startupz for probes (?verbose names what was looked at), /metrics for Prometheus, "
         "/status as serval status --json has it, and / for people. An address as in server.bind. Anybody who can "
         "connect may look, and nobody can change anything: do not let the internet in. On 127.0.0.1, ::1 and "
         "localhost "
         "it answers only those whose Host is localhost or an address, so that no page of a browser can read along. "
         "If the default is taken by another server, a free port is used, which the log names. \"off\": none.",
     .example = "\"unix:/run/shop/admin.sock\""},

    {.path = "admin.statsd",
     .field = field<&Config::admin, &Admin::statsd>(),
     .placeholder = "HOST:PORT",
     .check = check_statsd,
     .apply = Apply::live,
     .summary = "StatsD that is told every ten seconds, over UDP, what has been answered",
     .more = "PREFIX.requests and PREFIX.request.status.CODE are counters, PREFIX.workers, PREFIX.requests.running and "
             ".waiting "
             "gauges, and so are PREFIX.request.duration.p50, .p95 and .p99 in milliseconds. The process at admin.bind "
             "sends "
             "them: with \"off\" there nothing is sent. Empty: none.",
     .example = "\"127.0.0.1:8125\""},
    {.path = "admin.statsd_prefix",
     .field = field<&Config::admin, &Admin::statsd_prefix>(),
     .placeholder = "NAME",
     .check = check_statsd_prefix,
     .apply = Apply::live,
     .summary = "what the names that StatsD is told begin with",
     .example = "\"shop.web\""},

    {.path = "control.socket",
     .field = field<&Config::control, &Control::socket>(),
     .placeholder = "FILE",
     .check = check_socket_file,
     .is_path = true,
     .apply = Apply::restart,
     .summary = "unix socket on which the master takes commands such as `serval status`",
     .more = "Empty: the first that can be had of $RUNTIME_DIRECTORY/serval.sock, $XDG_RUNTIME_DIR/serval-NAME.sock "
             "and /tmp/serval-UID/NAME.sock, with server.name for NAME; commands look for it there, in /run/user/UID "
             "and in /run/serval-NAME. \"off\": none.",
     .example = "\"/run/shop/serval.sock\""},
    {.path = "control.mode",
     .field = field<&Config::control, &Control::mode>(),
     .placeholder = "MODE",
     .range = {0, 0777},
     .apply = Apply::restart,
     .summary = "permissions of the control socket's file",
     .more = "Root and the server's own user may give commands. Bits for group or others let in whoever they let "
             "connect.",
     .example = "\"0660\""},
};

constexpr Section kSections[] = {
    {"app", "The application: a shared library with serval's C ABI."},
    {"server", "The process that users start, and where it listens."},
    {"workers", "The processes that serve."},
    {"memory", "Ceilings for the memory of one worker."},
    {"request", "Limits on what clients may send, and on how long anything may take."},
    {"restart", "What happens after a crash."},
    {"reload", "How new code replaces old code."},
    {"shutdown", "How a graceful stop ends."},
    {"log", "Log and access log. USR1 reopens their files."},
    {"health", "Probes for load balancers and orchestrators, answered by serval on the app's own listeners."},
    {"admin", "Health, metrics and status over HTTP, for those who watch the server."},
    {"control", "Where commands such as `serval status` reach the master."},
};

constexpr std::string_view kReserved[] = {
    "tls.certificate",
    "tls.key",
    "static",
};

constexpr std::string_view kLevels[] = {"debug", "info", "warning", "error"};  // in the order of LogLevel
constexpr std::string_view kFormats[] = {"text", "json"};                      // in the order of LogFormat
constexpr std::string_view kKeys[] = {"serval", "ecs", "datadog", "gcp"};      // in the order of LogKeys
constexpr std::string_view kMeasures[] = {"pss", "rss", "uss"};                // in the order of MemoryMeasure
constexpr std::string_view kRestarts[] = {"always", "on-failure", "never"};    // in the order of ProgramRestart
constexpr std::string_view kReplaces[] = {"auto", "rolling", "restart"};       // in the order of ProgramReplace
constexpr std::string_view kOverlaps[] = {"skip", "allow"};                    // in the order of ProgramOverlap
constexpr std::string_view kMissed[] = {"skip", "run"};                        // in the order of ProgramMissed

bool is_inside(std::string_view inner, std::string_view outer) {
  return inner.size() > outer.size() && inner.starts_with(outer) && inner[outer.size()] == '.';
}

}  // namespace

std::span<const Option> options() { return kOptions; }

bool takes_list(const Option& option) { return std::holds_alternative<Access<Texts>>(option.field); }

const Option* find_option(std::string_view path) {
  const auto found =
      std::find_if(std::begin(kOptions), std::end(kOptions), [&](const Option& option) { return option.path == path; });
  return found == std::end(kOptions) ? nullptr : found;
}

std::span<const Section> sections() { return kSections; }

std::span<const std::string_view> reserved_names() { return kReserved; }

bool is_reserved(std::string_view path) {
  return std::any_of(std::begin(kReserved), std::end(kReserved), [&](std::string_view name) {
    return name == path || is_inside(path, name) || is_inside(name, path);
  });
}

std::string environment_name(std::string_view path) {
  std::string name = "SERVAL_";
  for (const char c : path) name += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

std::string_view section_of(std::string_view path) { return path.substr(0, path.find('.')); }
std::string_view key_of(std::string_view path) {
  return path.substr((path.starts_with("programs.") ? path.rfind('.') : path.find('.')) + 1);
}

std::span<const std::string_view> choices(LogLevel) { return kLevels; }
std::span<const std::string_view> choices(LogFormat) { return kFormats; }
std::span<const std::string_view> choices(LogKeys) { return kKeys; }
std::span<const std::string_view> choices(MemoryMeasure) { return kMeasures; }
std::span<const std::string_view> choices(ProgramRestart) { return kRestarts; }
std::span<const std::string_view> choices(ProgramReplace) { return kReplaces; }
std::span<const std::string_view> choices(ProgramOverlap) { return kOverlaps; }
std::span<const std::string_view> choices(ProgramMissed) { return kMissed; }

}  // namespace serval::config
