#pragma once

#include <string>
#include <string_view>

/// What users of Puma, Gunicorn, Unicorn, PM2 and nginx type, where serval has another word for it: the hint that goes
/// with the error. One table.
namespace serval::config {

struct PeerWord {
  enum class Place {
    command,      ///< what comes first
    flag,         ///< of commands that take all options
    config_flag,  ///< of all commands that take a configuration file
    key,          ///< in the file
    number,       ///< in the place of a number
    library,      ///< in the place of the app's library
  } place;
  /// Flags with their dashes, keys with their table; "N:N" as a number, and the end of a library's name.
  std::string_view typed;
  std::string_view hint;
};

inline constexpr PeerWord kPeerWords[] = {
    {PeerWord::Place::command, "serve", "serval run serves an app"},
    {PeerWord::Place::command, "restart",
     "serval reload replaces app and configuration without losing a request, serval upgrade serval itself"},
    {PeerWord::Place::command, "phased-restart", "serval reload replaces the workers one after the other"},
    {PeerWord::Place::command, "ls", "serval list shows the servers, serval status one with its workers"},
    {PeerWord::Place::command, "monit", "serval status shows a server and its workers"},
    {PeerWord::Place::command, "ps", "serval status shows a server and its workers"},
    {PeerWord::Place::command, "stats", "serval status shows a server and its workers, with --json for scripts"},
    {PeerWord::Place::command, "kill", "serval stop --now stops a server at once"},
    {PeerWord::Place::command, "halt", "serval stop --now stops a server at once"},
    {PeerWord::Place::command, "delete", "serval stop stops a server"},
    {PeerWord::Place::command, "-v", "serval version says it; serval run -v logs everything"},
    {PeerWord::Place::command, "-t",
     "serval check tests a configuration; serval run -t N sets the threads of a worker"},
    {PeerWord::Place::command, "-T", "serval check tests a configuration, serval config prints it"},
    {PeerWord::Place::command, "-s", "serval reload, serval reopen, serval stop"},

    {PeerWord::Place::flag, "--threads", "-t N, or --workers.threads N"},
    {PeerWord::Place::flag, "--workers", "-w N, or --workers.count N"},
    {PeerWord::Place::flag, "--instances", "-w N, or --workers.count N"},
    {PeerWord::Place::flag, "-i", "-w N, or --workers.count N"},
    {PeerWord::Place::flag, "-p", "-b 0.0.0.0:PORT, or the variable PORT"},
    {PeerWord::Place::flag, "--port", "-b 0.0.0.0:PORT, or the variable PORT"},
    {PeerWord::Place::flag, "--host", "-b ADDRESS:PORT, or --server.bind ADDRESS:PORT"},
    {PeerWord::Place::flag, "--bind", "-b ADDRESS:PORT, or --server.bind ADDRESS:PORT"},
    {PeerWord::Place::flag, "--daemon",
     "serval stays in the foreground; systemd, a container or nohup puts it into the background"},
    {PeerWord::Place::flag, "--daemonize",
     "serval stays in the foreground; systemd, a container or nohup puts it into the background"},
    {PeerWord::Place::flag, "-d",
     "serval stays in the foreground; systemd, a container or nohup puts it into the background"},
    {PeerWord::Place::flag, "-D",
     "serval stays in the foreground; systemd, a container or nohup puts it into the background"},
    {PeerWord::Place::flag, "--reload", "no file is watched; serval reload loads app and configuration anew"},
    {PeerWord::Place::flag, "--watch", "no file is watched; serval reload loads app and configuration anew"},
    {PeerWord::Place::flag, "--preload", "leave it out, the app is always preloaded"},
    {PeerWord::Place::flag, "--preload-app", "leave it out, the app is always preloaded"},
    {PeerWord::Place::flag, "--env", "--app.env NAME=VALUE"},
    {PeerWord::Place::flag, "-e", "--app.env NAME=VALUE"},
    {PeerWord::Place::flag, "--timeout",
     "--request.timeout 30s for requests, --workers.heartbeat_timeout 30s for workers that hang"},
    {PeerWord::Place::flag, "--graceful-timeout", "--shutdown.grace 30s"},
    {PeerWord::Place::flag, "--max-requests", "--workers.max_requests N"},
    {PeerWord::Place::flag, "--pid", "--server.pidfile FILE"},
    {PeerWord::Place::flag, "--pidfile", "--server.pidfile FILE"},
    {PeerWord::Place::flag, "--access-logfile", "--log.access FILE"},
    {PeerWord::Place::flag, "--error-logfile", "--log.file FILE"},
    {PeerWord::Place::flag, "--log-file", "--log.file FILE"},
    {PeerWord::Place::flag, "--log-level", "--log.level LEVEL, or -v for debug and -q for warning"},
    {PeerWord::Place::flag, "--user", "--server.user NAME"},
    {PeerWord::Place::flag, "--name", "--server.name NAME"},
    {PeerWord::Place::flag, "-n", "--server.name NAME for a name, -w N for a number of workers"},
    {PeerWord::Place::flag, "-u", "--server.user NAME"},
    {PeerWord::Place::flag, "-g", "--server.group NAME"},
    {PeerWord::Place::flag, "--group", "--server.group NAME"},
    {PeerWord::Place::flag, "--umask", "--server.umask MODE"},
    {PeerWord::Place::flag, "-m", "--server.umask MODE"},
    {PeerWord::Place::flag, "-k", "leave it out, there is one kind of worker; -t N sets its threads"},
    {PeerWord::Place::flag, "--worker-class", "leave it out, there is one kind of worker; -t N sets its threads"},
    {PeerWord::Place::flag, "--backlog", "--server.backlog N"},
    {PeerWord::Place::flag, "--keep-alive", "--request.keep_alive 75s"},

    {PeerWord::Place::config_flag, "-C", "-c FILE"},
    {PeerWord::Place::config_flag, "--conf", "-c FILE"},
    {PeerWord::Place::config_flag, "--config-file", "-c FILE"},

    {PeerWord::Place::key, "server.port", "write bind = [\"0.0.0.0:8000\"] under [server]"},
    {PeerWord::Place::key, "server.host", "write bind = [\"0.0.0.0:8000\"] under [server]"},
    {PeerWord::Place::key, "server.workers", "write count = 4 under [workers]"},
    {PeerWord::Place::key, "server.threads", "write threads = 8 under [workers]"},
    {PeerWord::Place::key, "port", "write bind = [\"0.0.0.0:8000\"] under [server]"},
    {PeerWord::Place::key, "timeout", "write timeout = \"30s\" under [request]"},
    {PeerWord::Place::key, "app.timeout", "write timeout = \"30s\" under [request]"},
    {PeerWord::Place::key, "workers.timeout",
     "write timeout = \"30s\" under [request], or heartbeat_timeout under [workers] for workers that hang"},
    {PeerWord::Place::key, "preload_app", "remove it, the app is always preloaded"},

    {PeerWord::Place::number, "N:N", "write the larger number: all of them are there from the start"},
    {PeerWord::Place::number, "max", "\"auto\" fits workers.count to the CPUs; everything else takes a number"},

    {PeerWord::Place::library, "MODULE:NAME",
     "serval serves shared libraries, such as build/libshop.so; a Python app needs a server of its own"},
    {PeerWord::Place::library, ".py",
     "serval serves shared libraries, such as build/libshop.so; a Python app needs a server of its own"},
    {PeerWord::Place::library, ".ru",
     "serval serves shared libraries, such as build/libshop.so; a Ruby app needs a server of its own"},
    {PeerWord::Place::library, ".rb",
     "serval serves shared libraries, such as build/libshop.so; a Ruby app needs a server of its own"},
    {PeerWord::Place::library, ".js",
     "serval serves shared libraries, such as build/libshop.so; a Node app needs a server of its own"},
};

/// Empty: no other server has this word.
constexpr std::string_view hint_for_peer_word(PeerWord::Place place, std::string_view typed) {
  for (const PeerWord& word : kPeerWords) {
    if (word.place == place && word.typed == typed) return word.hint;
  }
  return {};
}

/// For what stands in the place of a number: "2:5" is looked up as "N:N".
inline std::string_view hint_for_number(std::string_view typed) {
  std::string shape;
  for (const char c : typed) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit || !shape.ends_with('N')) shape += digit ? 'N' : c;
  }
  return hint_for_peer_word(PeerWord::Place::number, shape);
}

/// For what stands in the place of the app's library; empty for what may be one.
inline std::string_view hint_for_library(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (name.find(".so") != std::string_view::npos) return {};
  const std::string_view dot = name.substr(name.find('.') == std::string_view::npos ? name.size() : name.rfind('.'));
  return hint_for_peer_word(PeerWord::Place::library, name.find(':') != std::string_view::npos ? "MODULE:NAME" : dot);
}

}  // namespace serval::config
