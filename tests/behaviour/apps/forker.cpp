// An app that forks in the call that [app] args names
// (where=preload|worker_start|ready|handle|worker_stop|destroy|release), and whose child comes back out of it as well.
// how=throw: by an exception; how=answer: after an answer of its own; or it ends itself, with code 7: how=exit by
// exit(3), how=exec as another program. The parent waits for its child and writes the
// child's exit code into log=FILE.
#include <serval/serval.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>

namespace {

const serval_host* host;
std::map<std::string, std::string> args;

/// True in the child.
bool fork_in(const std::string& where) {
  if (args["where"] != where) return false;
  const pid_t child = ::fork();
  if (child == 0) return true;
  int status = 0;
  ::waitpid(child, &status, 0);
  std::ofstream(args["log"], std::ios::app) << where << " " << (WIFEXITED(status) ? WEXITSTATUS(status) : -1) << "\n";
  return false;
}

void answer(serval_exchange* exchange, const std::string& body) {
  serval_response response{};
  response.size = sizeof response;
  response.status = 200;
  response.body = {body.data(), body.size()};
  response.release = [](void*) { fork_in("release"); };
  host->respond(exchange, &response);
}

int32_t preload(const serval_preload* told, void**, serval_error*) {
  for (size_t i = 0; i < told->arg_count; ++i) {
    const std::string arg(told->args[i].data, told->args[i].size);
    args[arg.substr(0, arg.find('='))] = arg.substr(arg.find('=') + 1);
  }
  fork_in("preload");
  return 0;
}

int32_t worker_start(void*, const serval_worker*, serval_error*) {
  fork_in("worker_start");
  return 0;
}

int32_t handle(void*, const serval_request*, serval_exchange* exchange) {
  if (fork_in("handle")) {
    if (args["how"] == "throw") throw std::runtime_error("what the child was to do went wrong");
    if (args["how"] == "answer") answer(exchange, "of the child\n");
    if (args["how"] == "exit") std::exit(7);
    if (args["how"] == "exec") ::execl("/bin/sh", "sh", "-c", "exit 7", nullptr);
    return SERVAL_ANSWERED;
  }
  answer(exchange, "of the parent\n");
  return SERVAL_ANSWERED;
}

int32_t ready(void*) {
  fork_in("ready");
  return 1;
}

void worker_stop(void*) { fork_in("worker_stop"); }
void destroy(void*) { fork_in("destroy"); }

}  // namespace

const serval_app* serval_app_main(const serval_host* offered) {
  static serval_app app = {};
  host = offered;
  app.size = sizeof app;
  app.abi_major = SERVAL_ABI_MAJOR;
  app.preload = preload;
  app.worker_start = worker_start;
  app.handle = handle;
  app.ready = ready;
  app.worker_stop = worker_stop;
  app.destroy = destroy;
  return &app;
}
