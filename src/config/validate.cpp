#include "config/validate.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/address.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "config/peer_words.hpp"
#include "config/programs.hpp"

namespace serval::config {
namespace {

/// A value that is to be seen in a message, as TOML has it, unless it came from variables: they may hold secrets.
std::string as_written(const Loaded& loaded, std::string_view path, std::string value) {
  const auto written = loaded.written.find(path);
  return written == loaded.written.end() ? std::move(value) : written->second;
}

std::string said(const Loaded& loaded, std::string_view path, std::string_view value) {
  return as_written(loaded, path, quoted(value));
}

const ValueSource& origin(const Loaded& loaded, std::string_view path) { return loaded.origins.find(path)->second; }

void require_library(Loaded& loaded) {
  if (const auto& library = loaded.config.app.library; !library.empty()) {
    if (library.ends_with('/') || name_from_library(library).find_first_not_of('.') == std::string::npos) {
      loaded.problems.push_back(
          {origin(loaded, "app.library"),
           "app.library = " + said(loaded, "app.library", library) + ": this is a folder, expected a shared library",
           "name the file, for example build/libshop.so"});
    }
    if (const auto hint = hint_for_library(library); !hint.empty()) {
      loaded.problems.push_back(
          {origin(loaded, "app.library"),
           "app.library = " + said(loaded, "app.library", library) + ": this is no shared library", std::string(hint)});
    }
    return;
  }
  if (!loaded.config.programs.empty()) return;
  const auto& at = origin(loaded, "app.library");
  if (at.kind == ValueSource::Kind::defaulted ||
      std::none_of(loaded.problems.begin(), loaded.problems.end(), [&](const Problem& p) { return p.at == at; })) {
    const bool in_file = at.kind == ValueSource::Kind::defaulted && !loaded.file.empty();
    loaded.problems.push_back(
        {in_file ? ValueSource{ValueSource::Kind::file, loaded.file_name} : at,
         "app.library is missing: there is no app to serve, and no program to supervise",
         "write library = \"build/libshop.so\" under [app], or name it: serval run build/libshop.so"});
  }
}

/// Most likely meant for a program, whose clients would wait forever.
void forbid_address(Loaded& loaded) {
  const ValueSource& at = origin(loaded, "server.bind");
  if (at.kind == ValueSource::Kind::defaulted || at.name == "PORT") return;
  loaded.problems.push_back({at, "server.bind says where the app listens, but there is none",
                             "a program's sockets are in its own table: listen = [...]"});
}

void require_address(Loaded& loaded) {
  if (!loaded.config.has_app() && !loaded.config.programs.empty()) return forbid_address(loaded);
  if (!loaded.config.server.bind.empty()) return;
  loaded.problems.push_back({origin(loaded, "server.bind"), "server.bind = []: expected at least one address",
                             "for example [\"0.0.0.0:8000\"]"});
}

// Says it at the value that is not a default; the defaults keep the rules among themselves.
template <class T>
void require_order(Loaded& loaded, std::string_view smaller, T small, std::string_view larger, T large,
                   std::string (*format)(T)) {
  if (small <= large) return;
  const bool blame_larger = origin(loaded, smaller).kind == ValueSource::Kind::defaulted;
  loaded.problems.push_back({origin(loaded, blame_larger ? larger : smaller),
                             std::string(smaller) + " = " + as_written(loaded, smaller, format(small)) +
                                 " is more than " + std::string(larger) + " = " +
                                 as_written(loaded, larger, format(large)),
                             "lower the first or raise the second"});
}

// Values as TOML has them.
std::string size_text(std::size_t size) { return quoted(format_size(size)); }
std::string duration_text(Duration duration) { return quoted(format_duration(duration)); }
std::string count_text(int count) { return std::to_string(count); }

}  // namespace

void check_list(const Option& option, const Raw& raw, std::vector<Problem>& problems) {
  if (option.path != "server.bind") return;
  std::vector<Address> seen;
  for (const auto& item : raw.items) {
    const auto address = Address::parse(item.text);
    if (!address) continue;  // said already, by the option's own check
    const auto excludes = [&](const Address& one) {
      return one.same_place(*address) || one.overlap(*address) == Overlap::full;
    };
    const auto first = std::find_if(seen.begin(), seen.end(), excludes);
    if (first != seen.end()) {
      const std::string how =
          first->same_place(*address) ? ": the same address as server.bind[" : ": it cannot stand beside server.bind[";
      problems.push_back({item.at,
                          "server.bind[" + std::to_string(seen.size()) + "] = " + shown(option, item) + how +
                              std::to_string(first - seen.begin()) + "]",
                          "remove one of them"});
    }
    seen.push_back(*address);
  }
}

/// Not an error: the format may be set elsewhere, for one run.
void note_idle_keys(Loaded& loaded) {
  const Log& log = loaded.config.log;
  if (log.keys == LogKeys::serval || log.format == LogFormat::json || log.access_format == "json") return;
  loaded.notes.push_back({origin(loaded, "log.keys"),
                          "log.keys = " + said(loaded, "log.keys", name_of(log.keys)) +
                              " changes nothing: neither log.format nor log.access_format is \"json\"",
                          "write format = \"json\" under [log]"});
}

/// Likewise.
void note_idle_statsd(Loaded& loaded) {
  const Admin& admin = loaded.config.admin;
  if (admin.statsd.empty() || admin.on()) return;
  loaded.notes.push_back({origin(loaded, "admin.statsd"),
                          "admin.statsd = " + said(loaded, "admin.statsd", admin.statsd) +
                              " changes nothing: the admin process would send it, and admin.bind is \"off\"",
                          "admin.bind = \"127.0.0.1:0\" is any free port of this machine"});
}

void require_another_admin_address(Loaded& loaded) {
  const config::Admin& admin = loaded.config.admin;
  const auto address = Address::parse(admin.bind);
  if (!admin.bind_is_chosen() || !address) return;
  if (address->kind == Address::Kind::tcp && address->port == 0) return;  // any free one
  for (std::size_t i = 0; i < loaded.config.server.bind.size(); ++i) {
    const auto other = Address::parse(loaded.config.server.bind[i]);
    if (!other || !other->same_place(*address)) continue;
    loaded.problems.push_back({origin(loaded, "admin.bind"),
                               "admin.bind = " + said(loaded, "admin.bind", admin.bind) +
                                   ": the same address as server.bind[" + std::to_string(i) + "]",
                               "the app's clients come to that one: choose another port, or a unix socket"});
  }
}

void complete(Loaded& loaded) {
  auto& name = loaded.config.server.name;
  if (!name.empty()) return;
  if (loaded.config.has_app()) {
    name = name_from_library(loaded.config.app.library);
  } else if (!loaded.config.programs.empty()) {  // as with a compose file: projects differ by their folders
    name = name_from_library(std::filesystem::path(loaded.file).parent_path().filename().string());
  }
}

void validate(Loaded& loaded) {
  require_library(loaded);
  require_address(loaded);
  const auto& request = loaded.config.request;
  const auto& restart = loaded.config.restart;
  const auto& memory = loaded.config.memory;
  if (memory.soft > 0 && memory.hard > 0) {
    require_order(loaded, "memory.soft", memory.soft, "memory.hard", memory.hard, size_text);
  }
  const auto& health = loaded.config.health;
  if (health.probed() && health.live == health.ready) {
    loaded.problems.push_back(
        {origin(loaded, "health.ready"),
         "health.ready = " + said(loaded, "health.ready", health.ready) + ": the same path as health.live",
         "they say different things: name two paths, for example /health and /health/ready"});
  }
  if (const auto& count = loaded.config.workers.count; count) {
    require_order(loaded, "health.ready_workers", health.ready_workers, "workers.count", *count, count_text);
  }
  require_order(loaded, "request.max_target", request.max_target, "request.max_header", request.max_header, size_text);
  require_order(loaded, "restart.backoff_first", restart.backoff_first, "restart.backoff_max", restart.backoff_max,
                duration_text);
  require_another_admin_address(loaded);
  validate_programs(loaded);
  note_idle_keys(loaded);
  note_idle_statsd(loaded);
}

std::string name_from_library(std::string_view library) {
  auto name = library.substr(library.rfind('/') + 1);
  if (const auto suffix = name.find(".so"); suffix != 0) name = name.substr(0, suffix);
  if (name.starts_with("lib") && name.size() > 3) name.remove_prefix(3);
  std::string allowed;
  for (const char c : name.substr(0, 64)) {
    const bool good =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    allowed += good ? c : '-';
  }
  return allowed;
}

}  // namespace serval::config
