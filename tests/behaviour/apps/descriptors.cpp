// An app that treats descriptors as no app should. [app] args: preload=A,B,... and worker_start=A,B,... close these
// numbers there; "all" is all from 3 on.
#include <serval/serval.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <sstream>
#include <string>

class Descriptors : public serval::App {
 public:
  explicit Descriptors(serval::Preload& preload) {
    for (const std::string& arg : preload.args()) args_[arg.substr(0, arg.find('='))] = arg.substr(arg.find('=') + 1);
    close_those(args_["preload"]);
  }

  void worker_start(serval::Worker&) override { close_those(args_["worker_start"]); }

  serval::Response handle(const serval::Request& request) override {
    if (request.path() == "/close") ::close(number(request));
    if (request.path() == "/replace") replace(number(request));
    if (request.path() == "/close_all") close_those("all");
    if (request.path() == "/hog") hog();
    if (request.path() == "/print") {
      std::printf("what an app prints\n");
      std::fflush(stdout);
    }
    return "served\n";
  }

 private:
  static int number(const serval::Request& request) { return std::stoi(request.param("fd").value()); }

  static void close_those(const std::string& numbers) {
    if (numbers == "all") ::close_range(3, ~0U, 0);
    std::istringstream all(numbers == "all" ? "" : numbers);
    for (std::string fd; std::getline(all, fd, ',');) ::close(std::stoi(fd));
  }

  static void replace(int fd) {
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    ::dup3(nothing, fd, O_CLOEXEC);
    ::close(nothing);
  }

  /// For good.
  static void hog() {
    while (::open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0) {
    }
  }

  std::map<std::string, std::string> args_;
};
SERVAL_APP(Descriptors)
