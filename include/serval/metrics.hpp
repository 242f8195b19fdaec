/// metrics.hpp: metrics of the app's own, in /metrics beside serval's. Header-only, on top of the C ABI in serval.h.
///
///   #include <serval/metrics.hpp>
///
///   class Shop : public serval::App {
///     serval::Counter orders_{"shop_orders", "orders taken", {"kind"}};
///     serval::Gauge carts_{"shop_carts", "carts that wait to be paid"};
///     serval::Histogram basket_{"shop_basket_euros", "what an order is worth", {5, 10, 50, 100}};
///     ...
///     orders_("gift").add();
///     carts_.add(1);
///     basket_.observe(17.5);
///
/// Declaring. They are made once per generation, in the mold: as members of the app, which is made there, or as
/// globals. A name, help, label or bound that is not as serval.h says (struct serval_metric), or a name that the app
/// has twice, is a std::invalid_argument with the name and the reason, and so the generation is refused; made later
/// than the app's constructor it is one, too. What is counted in the mold is dropped: set a gauge in worker_start.
///
/// Counting. In workers, from worker_start on, on any thread, some nanoseconds each: an atomic addition to a cell of
/// the worker's own, without a lock, an allocation or a system call. What was counted is shown while the worker hangs,
/// and stays when it is killed.
///
/// What is shown. A counter or a histogram is the sum over all workers that ever were: it goes on over deaths, reloads
/// (under the same name, kind, labels and bounds) and upgrades, and begins at 0 when the server does. A gauge is the
/// sum over the workers that live, each of which begins at 0; a worker that drains is one of them.
///
/// Labels. The first N combinations of values that come have a row each (64 unless the metric asks for another number),
/// and all others share one whose values are "other". So values that clients can choose, such as a path, cannot fill
/// the memory; they are still better avoided.
///
/// Where there is no serval, as in a unit test of the app, or one from before ABI 1.3, all of this does nothing.
#pragma once

#include <serval/serval.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace serval {

namespace detail {

struct MetricDeclaration {
  std::int32_t kind;
  std::string name;
  std::string help;
  std::vector<std::string> labels;
  std::size_t max_rows;
  std::vector<double> bounds;
};

/// The number of the metric; 0: there is nothing to count on. Throws std::invalid_argument if it is refused.
inline std::uint32_t declare_metric(const MetricDeclaration& declaration) {
  if (!SERVAL_HAS(host, metric_observe)) return 0;
  std::vector<serval_text> labels;
  for (const std::string& label : declaration.labels) labels.push_back(text(label));
  serval_metric raw{};
  raw.size = sizeof raw;
  raw.kind = declaration.kind;
  raw.name = text(declaration.name);
  raw.help = text(declaration.help);
  raw.labels = labels.data();
  raw.label_count = labels.size();
  raw.max_rows = declaration.max_rows;
  raw.bounds = declaration.bounds.data();
  raw.bound_count = declaration.bounds.size();
  std::array<char, 512> why{};
  const std::uint32_t number = host->metric(&raw, why.data(), why.size());
  if (number == 0) throw std::invalid_argument(why.data());
  return number;
}

/// What all kinds share. One that is made before there is a host, as globals are, waits in a list for the app's
/// preload.
class Metric {
 public:
  Metric(const Metric&) = delete;
  Metric& operator=(const Metric&) = delete;

 protected:
  explicit Metric(MetricDeclaration declaration) : label_count_(declaration.labels.size()) {
    if (host != nullptr) {
      number_ = declare_metric(declaration);
      return;
    }
    const std::lock_guard lock(waiting_mutex());
    waiting_ = std::make_unique<MetricDeclaration>(std::move(declaration));
    next_ = first_waiting();
    first_waiting() = this;
    declare_metrics = declare_waiting;
  }

  ~Metric() {
    if (waiting_ == nullptr) return;
    const std::lock_guard lock(waiting_mutex());
    for (Metric** at = &first_waiting(); *at != nullptr; at = &(*at)->next_) {
      if (*at != this) continue;
      *at = next_;
      return;
    }
  }

  std::uint32_t number() const { return number_; }

  template <class... Values>
  std::uint32_t row(const Values&... values) const {
    if (sizeof...(values) != label_count_)
      throw std::invalid_argument("a metric with " + std::to_string(label_count_) + " labels was given " +
                                  std::to_string(sizeof...(values)) + " values");
    if (number_ == 0) return 0;
    const std::array<serval_text, sizeof...(values)> texts{text(std::string_view(values))...};
    return host->metric_row(number_, texts.data(), texts.size());
  }

 private:
  static std::mutex& waiting_mutex() {
    static std::mutex mutex;
    return mutex;
  }
  static Metric*& first_waiting() {
    static Metric* first = nullptr;
    return first;
  }

  /// Once, in the mold, which has one thread. The order is that they were made in.
  static void declare_waiting() {
    std::vector<Metric*> all;
    for (Metric* metric = first_waiting(); metric != nullptr; metric = metric->next_) all.insert(all.begin(), metric);
    first_waiting() = nullptr;
    for (Metric* metric : all) {
      metric->number_ = declare_metric(*metric->waiting_);
      metric->waiting_.reset();
    }
  }

  std::uint32_t number_ = 0;
  std::size_t label_count_;
  std::unique_ptr<MetricDeclaration> waiting_;
  Metric* next_ = nullptr;
};

}  // namespace detail

/// The names of a metric's labels, and how many combinations of their values have a row of their own; 0: 64.
struct Labels {
  Labels() = default;
  Labels(std::initializer_list<std::string_view> label_names, std::size_t rows = 0)
      : names(label_names.begin(), label_names.end()), max_rows(rows) {}

  std::vector<std::string> names;
  std::size_t max_rows = 0;
};

/// What only grows: orders, bytes, failures. Whole numbers.
class Counter : private detail::Metric {
 public:
  /// One row of it, good for the rest of the worker's life: cheaper to keep than to look up.
  class Row {
   public:
    void add(std::uint64_t by = 1) const noexcept {
      if (metric_ != 0) detail::host->metric_add(metric_, row_, by);
    }

   private:
    friend Counter;
    Row(std::uint32_t metric, std::uint32_t row) : metric_(metric), row_(row) {}
    std::uint32_t metric_;
    std::uint32_t row_;
  };

  /// Shown as NAME_total. A name that has that end already is the same.
  Counter(std::string_view name, std::string_view help, Labels labels = {})
      : Metric({SERVAL_COUNTER, std::string(name), std::string(help), std::move(labels.names), labels.max_rows, {}}) {}

  /// Without labels; with labels it counts as "other".
  void add(std::uint64_t by = 1) const noexcept { Row(number(), 0).add(by); }
  /// With as many values as it has labels; std::invalid_argument with another number.
  template <std::convertible_to<std::string_view>... Values>
  Row operator()(const Values&... values) const {
    return Row(number(), row(values...));
  }
};

/// What goes up and down: jobs that wait, connections that are open.
class Gauge : private detail::Metric {
 public:
  class Row {
   public:
    void set(double to) const noexcept {
      if (metric_ != 0) detail::host->metric_set(metric_, row_, to);
    }
    /// Less than 0: down.
    void add(double by) const noexcept {
      if (metric_ != 0) detail::host->metric_move(metric_, row_, by);
    }

   private:
    friend Gauge;
    Row(std::uint32_t metric, std::uint32_t row) : metric_(metric), row_(row) {}
    std::uint32_t metric_;
    std::uint32_t row_;
  };

  Gauge(std::string_view name, std::string_view help, Labels labels = {})
      : Metric({SERVAL_GAUGE, std::string(name), std::string(help), std::move(labels.names), labels.max_rows, {}}) {}

  void set(double to) const noexcept { Row(number(), 0).set(to); }
  void add(double by) const noexcept { Row(number(), 0).add(by); }
  template <std::convertible_to<std::string_view>... Values>
  Row operator()(const Values&... values) const {
    return Row(number(), row(values...));
  }
};

/// How values are distributed: durations, sizes.
class Histogram : private detail::Metric {
 public:
  class Row {
   public:
    void observe(double value) const noexcept {
      if (metric_ != 0) detail::host->metric_observe(metric_, row_, value);
    }
    /// In seconds.
    template <class Rep, class Period>
    void observe(std::chrono::duration<Rep, Period> time) const noexcept {
      observe(std::chrono::duration<double>(time).count());
    }

   private:
    friend Histogram;
    Row(std::uint32_t metric, std::uint32_t row) : metric_(metric), row_(row) {}
    std::uint32_t metric_;
    std::uint32_t row_;
  };

  /// Bounds for durations in seconds: those of serval's own.
  static std::vector<double> seconds() {
    return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0};
  }

  /// `bounds`: upper ones of its buckets, inclusive, ascending.
  Histogram(std::string_view name, std::string_view help, std::vector<double> bounds, Labels labels = {})
      : Metric({SERVAL_HISTOGRAM, std::string(name), std::string(help), std::move(labels.names), labels.max_rows,
                std::move(bounds)}) {}

  void observe(double value) const noexcept { Row(number(), 0).observe(value); }
  template <class Rep, class Period>
  void observe(std::chrono::duration<Rep, Period> time) const noexcept {
    Row(number(), 0).observe(time);
  }
  template <std::convertible_to<std::string_view>... Values>
  Row operator()(const Values&... values) const {
    return Row(number(), row(values...));
  }
};

}  // namespace serval
