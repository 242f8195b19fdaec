#include "metrics/board.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "base/log.hpp"
#include "base/text.hpp"
#include "metrics/rows.hpp"

namespace serval::metrics {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

/// Takes `size` of what there are `limit` of; the first one's number, or none if there is no room.
std::optional<std::size_t> take(layout::Cell32& taken, std::size_t size, std::size_t limit) {
  std::uint32_t before = taken.load(kRelaxed);
  do {
    if (before > limit || size > limit - before) return std::nullopt;
  } while (!taken.compare_exchange_weak(before, before + static_cast<std::uint32_t>(size), kRelaxed));
  return before;
}

/// x86 has no instruction for it, so a thread tries again when another one of its worker has been faster.
void add_to(layout::Cell64& cell, double by) {
  std::uint64_t before = cell.load(kRelaxed);
  while (
      !cell.compare_exchange_weak(before, std::bit_cast<std::uint64_t>(std::bit_cast<double>(before) + by), kRelaxed)) {
  }
}

}  // namespace

Board::Board(Memory memory, int generation) : memory_(std::move(memory)), generation_(generation) {}

std::string Board::why_no_more(const Shape& shape) const {
  if (!open_) return "metrics are declared while the app loads, in its constructor or preload";
  if (std::string why = metrics::why_not(shape); !why.empty()) return why;
  std::size_t cells = cells_of(shape);
  std::size_t places = places_of(shape.rows);
  for (const Metric& metric : metrics_) {
    if (metric.shape.name == shape.name) return "the app has a metric of this name already";
    for (const std::string& name : names_of(metric.shape)) {
      const auto own = names_of(shape);
      if (std::find(own.begin(), own.end(), name) != own.end())
        return "the app's " + metric.shape.name + " is shown as " + name + ", too";
    }
    cells += cells_of(metric.shape);
    places += places_of(metric.shape.rows);
  }
  if (metrics_.size() == kMaxMetrics) return "the app has " + std::to_string(kMaxMetrics) + " metrics already";
  if (cells > layout::kCells)
    return "the app's metrics need " + std::to_string(cells) + " cells (buckets times rows), of which there are " +
           std::to_string(layout::kCells) + "; give them fewer rows or bounds";
  if (places > layout::kPlaces) return "the app's metrics have too many rows together";
  return {};
}

Result<std::uint32_t> Board::declare(const Shape& shape) {
  if (const std::string why = why_no_more(shape); !why.empty())
    return Error{std::string(name_of(shape.kind)) + " " + quoted(shape.name) + " cannot be declared: " + why};
  metrics_.push_back(find_or_make(shape));
  return static_cast<std::uint32_t>(metrics_.size());
}

/// The record of an earlier mold, of whichever generation, that this one goes on in.
Board::Found Board::find(const Shape& shape) const {
  Found found;
  const std::size_t families = std::min<std::size_t>(memory_.first_page().families.load(kRelaxed), layout::kFamilies);
  for (std::size_t i = 0; i < families; ++i) {
    layout::FamilyRecord& record = memory_.family(i);
    auto declared = read_record(record);
    if (!declared || declared->shape.name != shape.name) continue;
    if (same_series(declared->shape, shape)) {
      found.record = &record;
      found.declared = std::move(*declared);
    } else {
      found.other_series = true;
    }
  }
  return found;
}

/// What is taken and then not needed, since there is not enough of the rest, is no loss: there is no room anyway.
Board::Found Board::make(const Shape& shape) const {
  layout::FirstPage& taken = memory_.first_page();
  const auto family = take(taken.families, 1, layout::kFamilies);
  const auto place = take(taken.places, places_of(shape.rows), layout::kPlaces);
  const auto cell = take(taken.cells, cells_of(shape), layout::kCells);
  if (!family || !place || !cell) return {};
  Found made{.record = &memory_.family(*family), .declared = {shape, {*place, *cell}}};
  write_record(*made.record, made.declared);
  return made;
}

/// Two molds at the same time, which declare a name for the first time, may each make a record of it: the one of the
/// newer generation is shown then. The supervisor loads one generation after the other.
Board::Metric Board::find_or_make(const Shape& shape) {
  Metric metric{.shape = shape, .room = {}, .width = cells_of_row(shape)};
  Found found = find(shape);
  if (found.record != nullptr) {
    if (found.declared.shape.rows < shape.rows)
      log::info("metric keeps its number of rows until the server is restarted",
                {{"metric", shape.name}, {"rows", found.declared.shape.rows}, {"wanted", shape.rows}});
    write_help(*found.record, shape.help);
  } else {
    if (found.other_series)
      log::warning("metric begins anew: its type, labels or bounds are not those of an earlier generation",
                   {{"metric", shape.name}});
    found = make(shape);
  }
  if (found.record == nullptr) {
    log::error("metric counts nothing: there is no room beside those of earlier generations until a restart",
               {{"metric", shape.name}});
    return metric;
  }
  metric.room = found.declared.room;
  metric.shape.rows = std::min(found.declared.shape.rows, shape.rows);
  metric.cells = cells_of(found.declared.shape);
  metric.record = found.record;
  metric.record->overflow_said.store(0, kRelaxed);
  note_generation(*metric.record, generation_);
  return metric;
}

void Board::take_seat(int seat) {
  close();
  if (seat < 0 || seat >= memory_.seats()) return;
  seat_ = memory_.cells(seat);
  for (const Metric& metric : metrics_) {
    if (metric.shape.kind != Kind::gauge) continue;
    for (std::size_t i = 0; i < metric.cells; ++i) seat_[metric.room.first_cell + i].store(0, kRelaxed);
  }
}

layout::Cell64* Board::cell(std::uint32_t metric, std::uint32_t row, Kind kind) const {
  if (seat_ == nullptr || metric - 1 >= metrics_.size()) return nullptr;
  const Metric& which = metrics_[metric - 1];
  const std::size_t first = row * which.width;
  return which.shape.kind == kind && first < which.cells ? seat_ + which.room.first_cell + first : nullptr;
}

std::uint32_t Board::row(std::uint32_t metric, std::span<const std::string_view> values) const {
  if (seat_ == nullptr || metric - 1 >= metrics_.size()) return 0;
  const Metric& which = metrics_[metric - 1];
  if (which.cells == 0 || which.shape.labels.empty() || values.size() != which.shape.labels.size()) return 0;
  const Key key = key_of(values);
  if (key.is_other) return 0;
  // Its own rows, those that this app wants: an earlier one may have wanted more, which are searched all the same.
  const std::size_t places = which.cells / which.width - 1;
  const Rows rows{.places = std::span(&memory_.place(which.room.first_place), places),
                  .filled = &which.record->filled,
                  .limit = which.shape.rows};
  const std::uint32_t found = find_row(rows, key);
  if (found == 0) say_overflow(which);
  return found;
}

/// Once for all workers. This is no usual path, so the line may cost what lines cost.
void Board::say_overflow(const Metric& metric) const {
  if (metric.record->overflow_said.load(kRelaxed) != 0 || metric.record->overflow_said.exchange(1, kRelaxed) != 0)
    return;
  log::warning("metric has more combinations of label values than rows; the others count as \"other\"",
               {{"metric", metric.shape.name}, {"rows", metric.shape.rows}});
}

void Board::add(std::uint32_t metric, std::uint32_t row, std::uint64_t by) const {
  if (layout::Cell64* count = cell(metric, row, Kind::counter)) count->fetch_add(by, kRelaxed);
}

void Board::set(std::uint32_t metric, std::uint32_t row, double to) const {
  if (layout::Cell64* value = cell(metric, row, Kind::gauge)) value->store(std::bit_cast<std::uint64_t>(to), kRelaxed);
}

void Board::move(std::uint32_t metric, std::uint32_t row, double by) const {
  if (layout::Cell64* value = cell(metric, row, Kind::gauge)) add_to(*value, by);
}

/// What is no number would make the sum one that never changes again.
void Board::observe(std::uint32_t metric, std::uint32_t row, double value) const {
  layout::Cell64* cells = cell(metric, row, Kind::histogram);
  if (cells == nullptr || !std::isfinite(value)) return;
  const std::vector<double>& bounds = metrics_[metric - 1].shape.bounds;
  std::size_t bucket = 0;
  while (bucket < bounds.size() && value > bounds[bucket]) ++bucket;
  cells[bucket].fetch_add(1, kRelaxed);
  add_to(cells[bounds.size() + 1], value);
}

}  // namespace serval::metrics
