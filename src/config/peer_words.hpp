#pragma once

#include <string_view>

/// What users of Puma, Gunicorn, Unicorn and PM2 type, where serval has another word for it: the hint that goes with the error. One table.
namespace serval::config {

struct PeerWord {
  enum class Place { command, flag, key } place;
  std::string_view typed;  ///< flags with their dashes, keys with their table
  std::string_view hint;
};

inline constexpr PeerWord kPeerWords[] = {
    {PeerWord::Place::command, "start", "serval run serves in the foreground; systemd, a container or nohup keeps it there"},
    {PeerWord::Place::command, "serve", "serval run serves an app"},
    {PeerWord::Place::command, "restart", "serval reload replaces app and configuration without losing a request, serval upgrade serval itself"},
    {PeerWord::Place::command, "phased-restart", "serval reload replaces the workers one after the other"},
    {PeerWord::Place::command, "list", "serval status shows a server and its workers"},
    {PeerWord::Place::command, "ls", "serval status shows a server and its workers"},
    {PeerWord::Place::command, "monit", "serval status shows a server and its workers"},
    {PeerWord::Place::command, "stats", "serval status shows a server and its workers, with --json for scripts"},
    {PeerWord::Place::command, "kill", "serval stop --now stops a server at once"},
    {PeerWord::Place::command, "halt", "serval stop --now stops a server at once"},
    {PeerWord::Place::command, "delete", "serval stop stops a server"},

    {PeerWord::Place::flag, "--threads", "-t N, or --workers.threads N"},
    {PeerWord::Place::flag, "--workers", "-w N, or --workers.count N"},
    {PeerWord::Place::flag, "--instances", "-w N, or --workers.count N"},
    {PeerWord::Place::flag, "-i", "-w N, or --workers.count N"},
    {PeerWord::Place::flag, "-p", "-b 0.0.0.0:PORT, or the variable PORT"},
    {PeerWord::Place::flag, "--port", "-b 0.0.0.0:PORT, or the variable PORT"},
    {PeerWord::Place::flag, "--host", "-b ADDRESS:PORT, or --server.bind ADDRESS:PORT"},
    {PeerWord::Place::flag, "--bind", "-b ADDRESS:PORT, or --server.bind ADDRESS:PORT"},
    {PeerWord::Place::flag, "--daemon", "serval stays in the foreground; systemd, a container or nohup puts it into the background"},
    {PeerWord::Place::flag, "--daemonize", "serval stays in the foreground; systemd, a container or nohup puts it into the background"},
    {PeerWord::Place::flag, "-d", "serval stays in the foreground; systemd, a container or nohup puts it into the background"},
    {PeerWord::Place::flag, "-D", "serval stays in the foreground; systemd, a container or nohup puts it into the background"},
    {PeerWord::Place::flag, "--reload", "no file is watched; serval reload loads app and configuration anew"},
    {PeerWord::Place::flag, "--watch", "no file is watched; serval reload loads app and configuration anew"},
    {PeerWord::Place::flag, "--preload", "leave it out, the app is always preloaded"},
    {PeerWord::Place::flag, "--preload-app", "leave it out, the app is always preloaded"},
    {PeerWord::Place::flag, "--env", "--app.env NAME=VALUE"},
    {PeerWord::Place::flag, "-e", "--app.env NAME=VALUE"},
    {PeerWord::Place::flag, "--timeout", "--request.timeout 30s for requests, --workers.heartbeat_timeout 30s for workers that hang"},
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

    {PeerWord::Place::key, "server.port", "write bind = [\"0.0.0.0:8000\"] under [server]"},
    {PeerWord::Place::key, "server.host", "write bind = [\"0.0.0.0:8000\"] under [server]"},
    {PeerWord::Place::key, "server.workers", "write count = 4 under [workers]"},
    {PeerWord::Place::key, "server.threads", "write threads = 8 under [workers]"},
    {PeerWord::Place::key, "port", "write bind = [\"0.0.0.0:8000\"] under [server]"},
    {PeerWord::Place::key, "timeout", "write timeout = \"30s\" under [request]"},
    {PeerWord::Place::key, "app.timeout", "write timeout = \"30s\" under [request]"},
    {PeerWord::Place::key, "workers.timeout", "write timeout = \"30s\" under [request], or heartbeat_timeout under [workers] for workers that hang"},
    {PeerWord::Place::key, "preload_app", "remove it, the app is always preloaded"},
};

/// Empty: it is nobody's word.
constexpr std::string_view hint_for_peer_word(PeerWord::Place place, std::string_view typed) {
  for (const PeerWord& word : kPeerWords) {
    if (word.place == place && word.typed == typed) return word.hint;
  }
  return {};
}

}  // namespace serval::config
