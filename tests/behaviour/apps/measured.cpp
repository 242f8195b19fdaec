// An app with metrics of its own, that counts what it is told to.
//
// [app] args: orders=gauge (the same name with another type), rows=N (of the labels), also=NAME (a counter more),
// many=N (counters and histograms more), late=yes (one that is declared in worker_start).
#include <serval/metrics.hpp>

#include <unistd.h>

#include <cstdlib>
#include <deque>
#include <map>
#include <optional>

namespace {

serval::Counter hits{"measured_hits_total", "requests, counted by a global"};

}  // namespace

class Measured : public serval::App {
 public:
  explicit Measured(serval::Preload& preload) {
    for (const std::string& arg : preload.args()) args_[arg.substr(0, arg.find('='))] = arg.substr(arg.find('=') + 1);
    if (args_["orders"] == "gauge") {
      orders_gauge_.emplace("measured_orders", "orders, which can be given back");
    } else {
      orders_.emplace("measured_orders", "orders \\ \"taken\"\nby kind", serval::Labels({"kind", "from"}, rows()));
    }
    if (!args_["also"].empty()) also_.emplace(args_["also"], "one more");
    for (int i = 0; i < std::atoi(args_["many"].c_str()) / 2; ++i) {
      many_.emplace_back("measured_many_" + std::to_string(i), "one of many", serval::Labels({"kind"}));
      many_sizes_.emplace_back("measured_many_sizes_" + std::to_string(i), "one of many", serval::Histogram::seconds());
    }
    hits.add(1000);  // in the mold: dropped
    level_.set(1000);
  }

  void worker_start(serval::Worker&) override {
    level_.set(1);
    if (!args_["late"].empty()) also_.emplace("measured_late", "too late");
    for (const serval::Counter& counter : many_) counter("one").add();
    for (const serval::Histogram& histogram : many_sizes_) histogram.observe(std::chrono::milliseconds(20));
  }

  serval::Response handle(const serval::Request& request) override {
    const std::string_view path = request.path();
    const auto value = [&](const char* name, const char* otherwise) { return request.param(name).value_or(otherwise); };
    if (path == "/pid") return std::to_string(::getpid());
    if (path == "/hit") hits.add();
    if (path == "/order" && orders_)
      (*orders_)(value("kind", ""), value("from", "here")).add(std::strtoull(value("n", "1").c_str(), nullptr, 10));
    if (path == "/order" && orders_gauge_) orders_gauge_->add(1);
    if (path == "/also" && also_) also_->add();
    if (path == "/level") level_.set(std::atof(value("to", "0").c_str()));
    if (path == "/size") size_.observe(std::atof(value("is", "0").c_str()));
    if (path == "/wrong") (*orders_)("only one").add();
    return std::to_string(::getpid());
  }

 private:
  std::size_t rows() { return static_cast<std::size_t>(std::atoi(args_["rows"].c_str())); }

  std::map<std::string, std::string> args_;
  std::optional<serval::Counter> orders_;
  std::optional<serval::Gauge> orders_gauge_;
  std::optional<serval::Counter> also_;
  std::deque<serval::Counter> many_;
  std::deque<serval::Histogram> many_sizes_;
  serval::Gauge level_{"measured_level_bytes", "what each worker says it is"};
  serval::Histogram size_{"measured_size_bytes", "sizes", {1, 10, 2500}};
};
SERVAL_APP(Measured)
