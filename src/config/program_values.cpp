#include "config/program_values.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>

#include "base/address.hpp"
#include "base/task_name.hpp"
#include "base/units.hpp"

namespace serval::config {
namespace {

template <class Number>
struct Named {
  std::string_view name;
  Number number;
};

/// KILL is not among them: `grace` = "0" says the same, and no program can notice it.
constexpr Named<int> kStopSignals[] = {{"TERM", SIGTERM}, {"INT", SIGINT},   {"QUIT", SIGQUIT},  {"HUP", SIGHUP},
                                       {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"WINCH", SIGWINCH}};

constexpr Named<int> kResources[] = {{"as", RLIMIT_AS},         {"core", RLIMIT_CORE},   {"cpu", RLIMIT_CPU},
                                     {"data", RLIMIT_DATA},     {"fsize", RLIMIT_FSIZE}, {"memlock", RLIMIT_MEMLOCK},
                                     {"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC}, {"stack", RLIMIT_STACK}};

template <class Table>
std::optional<int> number_in(const Table& table, std::string_view name) {
  const auto found =
      std::find_if(std::begin(table), std::end(table), [name](const auto& row) { return row.name == name; });
  return found == std::end(table) ? std::nullopt : std::optional<int>(found->number);
}

Result<std::string> check_probed(std::string_view text) {
  const auto address = Address::parse(text);
  if (!address) return Error{address.error()};
  const bool tcp = address->kind == Address::Kind::tcp && address->port != 0;
  const bool local = address->kind == Address::Kind::unix_path || address->kind == Address::Kind::unix_abstract;
  if (!tcp && !local) return Error{"expected the host:port, or the unix socket, where the program listens"};
  return std::string(text);
}

Result<ReadyRule> parse_http(std::string_view rest) {
  if (!rest.starts_with("//")) return Error{"expected http://HOST:PORT/PATH"};
  rest.remove_prefix(2);
  const auto slash = rest.find('/');
  ReadyRule rule{.kind = ReadyRule::Kind::http, .path = "/"};
  if (slash != rest.npos) rule.path = rest.substr(slash);
  const auto visible = [](char c) { return c > ' ' && c < 0x7f; };
  if (!std::all_of(rule.path.begin(), rule.path.end(), visible)) return Error{"expected a path without blanks"};
  std::string host(rest.substr(0, slash));
  if (host.find(':') == host.npos || host.ends_with(']')) host += ":80";
  auto address = check_probed(host);
  if (!address) return Error{address.error()};
  rule.address = *std::move(address);
  return rule;
}

}  // namespace

Result<ReadyRule> parse_ready(std::string_view text) {
  using Kind = ReadyRule::Kind;
  if (text == "fd") return ReadyRule{.kind = Kind::fd};
  if (text == "notify") return ReadyRule{.kind = Kind::notify};
  const std::string_view kind = text.substr(0, text.find(':'));
  const std::string_view rest = kind.size() == text.size() ? "" : text.substr(kind.size() + 1);
  if (kind == "alive" && !rest.empty()) {
    const auto alive = parse_duration(rest);
    if (!alive) return Error{alive.error()};
    return ReadyRule{.kind = Kind::alive, .alive = *alive};
  }
  if (kind == "tcp") {
    auto address = check_probed(rest);
    if (!address) return Error{address.error()};
    return ReadyRule{.kind = Kind::tcp, .address = *std::move(address)};
  }
  if (kind == "http") return parse_http(rest);
  return Error{"expected fd, notify, tcp:HOST:PORT, http://HOST:PORT/PATH, or alive:DURATION"};
}

std::optional<int> stop_signal_number(std::string_view name) {
  return number_in(kStopSignals, name.starts_with("SIG") ? name.substr(3) : name);
}

std::optional<int> resource_number(std::string_view name) { return number_in(kResources, name); }

Result<std::uint64_t> parse_limit(std::string_view text) {
  if (text == "unlimited") return static_cast<std::uint64_t>(RLIM_INFINITY);
  const auto size = text == "off" ? Result<std::size_t>(Error{}) : parse_size(text);
  if (!size) return Error{"expected a number, a size such as \"512MiB\", or \"unlimited\""};
  return static_cast<std::uint64_t>(*size);
}

Result<std::string> parse_run(std::string_view text) {
  constexpr std::string_view kTask = "task:";
  if (!text.starts_with(kTask)) return Error{"expected task:NAME, the name of a task of the app's library"};
  const std::string_view name = text.substr(kTask.size());
  if (!is_task_name(name)) return Error{"expected task:NAME, where NAME is " + std::string(kTaskNameRule)};
  return std::string(name);
}

Result<void> check_program_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto allowed = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  if (name.empty() || name.size() > 64 || !letter(name.front()) || !std::all_of(name.begin(), name.end(), allowed))
    return Error{"expected a letter, then up to 63 letters, digits, '_' and '-'"};
  if (name == "all" || name == "app" || name == "master" || name == "mold" || name == "worker" || name == "admin")
    return Error{"this name means something else in commands and in the log"};
  return {};
}

}  // namespace serval::config
