#include "metrics/reader.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <utility>

#include "metrics/record.hpp"
#include "metrics/rows.hpp"

namespace serval::metrics {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

/// A record that may be shown.
struct Candidate {
  std::size_t index = 0;
  int generation = 0;  ///< the newest that lives and declares it
  Declared declared;
};

int newest_living(const layout::FamilyRecord& record, std::span<const Life> living) {
  if (living.empty()) return std::max(newest_generation(record), 1);
  int newest = 0;
  for (const Life& life : living) {
    if (is_declared_by(record, life.generation)) newest = std::max(newest, life.generation);
  }
  return newest;
}

/// In the order they were declared in.
std::vector<Candidate> without_clashes(std::vector<Candidate> candidates) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const auto& a, const auto& b) { return a.generation > b.generation; });
  std::set<std::string> names;
  std::erase_if(candidates, [&](const Candidate& candidate) {
    const auto own = names_of(candidate.declared.shape);
    const bool clashes = std::any_of(own.begin(), own.end(), [&](const auto& name) { return names.contains(name); });
    if (!clashes) names.insert(own.begin(), own.end());
    return clashes;
  });
  std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
  return candidates;
}

/// Sums over seats.
class Sums {
 public:
  Sums(const Memory& memory, const UsedPages& pages, std::span<const Life> living)
      : memory_(memory), pages_(pages), living_(living) {
    for (int seat = 0; seat < memory.seats(); ++seat) {
      if (has_any(seat)) seats_.push_back(seat);
    }
  }

  std::uint64_t counted(std::size_t cell) const {
    std::uint64_t sum = 0;
    for (const int seat : seats_) sum += bits(seat, cell);
    return sum;
  }

  double of_all(std::size_t cell) const {
    double sum = 0;
    for (const int seat : seats_) sum += number(seat, cell);
    return sum;
  }

  /// What another app has left in the seat is no gauge of this one.
  double of_living(const layout::FamilyRecord& record, std::size_t cell) const {
    double sum = 0;
    for (const Life& life : living_) {
      if (life.seat >= 0 && life.seat < memory_.seats() && is_declared_by(record, life.generation))
        sum += number(life.seat, cell);
    }
    return sum;
  }

 private:
  bool has_any(int seat) const {
    for (std::size_t cell = 0; cell < layout::kCells; cell += layout::kPage / sizeof(layout::Cell64)) {
      if (pages_.has(cell_offset(seat, cell), 1)) return true;
    }
    return false;
  }

  std::uint64_t bits(int seat, std::size_t cell) const {
    return pages_.has(cell_offset(seat, cell), 1) ? memory_.cells(seat)[cell].load(kRelaxed) : 0;
  }

  double number(int seat, std::size_t cell) const {
    const auto value = std::bit_cast<double>(bits(seat, cell));
    return std::isfinite(value) ? value : 0;
  }

  const Memory& memory_;
  const UsedPages& pages_;
  const std::span<const Life> living_;
  std::vector<int> seats_;
};

Sample sample_of(const Sums& sums, const Candidate& candidate, const layout::FamilyRecord& record, std::size_t row) {
  const Shape& shape = candidate.declared.shape;
  const std::size_t first = candidate.declared.room.first_cell + row * cells_of_row(shape);
  Sample sample;
  switch (shape.kind) {
    case Kind::counter: sample.count = sums.counted(first); break;
    case Kind::gauge: sample.value = sums.of_living(record, first); break;
    case Kind::histogram:
      for (std::size_t i = 0; i <= shape.bounds.size(); ++i) sample.buckets.push_back(sums.counted(first + i));
      sample.value = sums.of_all(first + shape.bounds.size() + 1);
      break;
  }
  return sample;
}

bool is_empty(const Sample& sample) {
  return sample.count == 0 && sample.value == 0 &&
         std::all_of(sample.buckets.begin(), sample.buckets.end(), [](auto count) { return count == 0; });
}

}  // namespace

std::vector<Family> read(const Memory& memory, int fd, std::span<const Life> living) {
  const UsedPages pages = memory.used_pages(fd);
  const Sums sums(memory, pages, living);
  std::vector<Candidate> candidates;
  const std::size_t count = std::min<std::size_t>(memory.first_page().families.load(kRelaxed), layout::kFamilies);
  for (std::size_t i = 0; i < count; ++i) {
    if (!pages.has(family_offset(i), sizeof(layout::FamilyRecord))) continue;
    const layout::FamilyRecord& record = memory.family(i);
    const int generation = newest_living(record, living);
    auto declared = read_record(record);
    if (declared && generation > 0) candidates.push_back({i, generation, std::move(*declared)});
  }

  std::vector<Family> families;
  for (Candidate& candidate : without_clashes(std::move(candidates))) {
    const layout::FamilyRecord& record = memory.family(candidate.index);
    const Declared& declared = candidate.declared;
    const std::size_t labels = declared.shape.labels.size();
    Family family;
    std::set<std::vector<std::string>> seen;
    const auto add = [&](std::vector<std::string> values, std::size_t row) {
      if (!seen.insert(values).second) return;
      family.samples.push_back(sample_of(sums, candidate, record, row));
      family.samples.back().values = std::move(values);
    };
    add(std::vector<std::string>(labels, std::string(kOther)), 0);
    if (labels > 0 && is_empty(family.samples.back())) family.samples.clear();
    for (std::size_t i = 0; i < places_of(declared.shape.rows); ++i) {
      const std::size_t place = declared.room.first_place + i;
      if (!pages.has(place_offset(place), sizeof(layout::Place))) continue;
      if (auto values = read_values(memory.place(place), labels)) add(std::move(*values), i + 1);
    }
    family.shape = declared.shape;
    families.push_back(std::move(family));
  }
  return families;
}

}  // namespace serval::metrics
