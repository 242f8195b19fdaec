// serve_once LIBRARY [ARGUMENT...]: loads an app as serval does, lets it answer GET / once, prints "STATUS BODY". Exits 1 with one line otherwise.
#include <cstdio>

#include "app/app.hpp"

namespace {

class Print final : public serval::app::Answer {
 public:
  void respond(const Response& response) override {
    std::printf("%d %.*s\n", response.status, static_cast<int>(response.body.size()), response.body.data());
    response.release();
  }
  void fail(std::string_view why) override { std::printf("failed: %.*s\n", static_cast<int>(why.size()), why.data()); }
};

int failed(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return failed("usage: serve_once LIBRARY [ARGUMENT...]");
  serval::Result<std::unique_ptr<serval::app::App>> app = serval::app::App::load(argv[1]);
  if (!app) return failed(app.error());
  serval::Result<void> done = (*app)->preload({argv + 2, argv + argc}, 1, "contract");
  if (done) done = (*app)->worker_start({.slot = 0, .generation = 1, .threads = 1, .server_name = "contract"});
  if (!done) return failed(done.error());
  if (!(*app)->ready()) return failed("the app is not ready");

  serval::http::Request head;
  head.method = "GET";
  head.target = head.path = "/";
  serval::app::Request request;
  request.head = &head;
  request.scheme = "http";
  request.peer = "unix";
  Print print;
  (*app)->handle(request, print);
  (*app)->worker_stop();
  return 0;
}
