// Requests that leave work for later, and a task of the same library that does it: orders are files in a folder, which stands for a queue.
//
//   serval run -c serval.toml           # serval.toml, beside this file, has the program: run = "task:mailer"
//   curl http://127.0.0.1:8000/ -d 'two lamps'
//   serval logs -f --program mailer     # if log.file is a file; else it is in front of you
//   serval task pending                 # once, from the shell; `serval task pending 3` exits 1 if there are more than 3
#include <serval/serval.hpp>
#include <serval/tasks.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <unistd.h>

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class Outbox : public serval::App {
 public:
  // In the mold: what is loaded here is shared by workers and tasks.
  explicit Outbox(serval::Preload& preload) : folder_(preload.args().empty() ? "outbox" : preload.args().front()) {
    fs::create_directories(folder_);
    serval::task("mailer", [this](serval::Job& job) { return mail(job); });
    serval::task("pending", [this](serval::Job& job) { return count(job); });
  }

  serval::Response handle(const serval::Request& request) override {
    if (request.method() != "POST") return serval::Response(405, "POST an order\n").header("Allow", "POST");
    const fs::path file = folder_ / (std::to_string(::getpid()) + "-" + std::to_string(next_++));
    std::ofstream(file.string() + ".part", std::ios::binary) << request.body();
    fs::rename(file.string() + ".part", file);  // whole, or not there
    return serval::Response(202, "accepted\n");
  }

 private:
  static bool is_order(const fs::path& file) { return file.extension() != ".part" && file.extension() != ".taken"; }

  int mail(serval::Job& job) {
    job.ready();
    while (!job.stopping()) {
      if (!mail_one() && job.wait_for(200ms)) break;
    }
    return 0;
  }

  // Of several instances the one whose rename succeeds has it. An order in hand is finished, whoever stops us meanwhile.
  bool mail_one() {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
      if (!is_order(entry.path())) continue;
      const fs::path taken = entry.path().string() + ".taken";
      std::error_code lost;
      fs::rename(entry.path(), taken, lost);
      if (lost) continue;
      std::ifstream file(taken, std::ios::binary);
      const std::string order(std::istreambuf_iterator<char>(file), {});
      serval::log(serval::LogLevel::info, "mailed: " + order);
      fs::remove(taken);
      return true;
    }
    return false;
  }

  int count(serval::Job& job) {
    long orders = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) orders += is_order(entry.path()) ? 1 : 0;
    std::printf("%ld orders\n", orders);
    const bool limited = !job.arguments().empty();
    return limited && orders > std::atol(job.arguments().front().c_str()) ? 1 : 0;
  }

  fs::path folder_;
  std::atomic<unsigned> next_{0};
};
SERVAL_APP(Outbox)
