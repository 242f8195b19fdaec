#include "metrics/record.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

namespace serval::metrics {
namespace {

using layout::FamilyRecord;

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr std::size_t kWord = sizeof(std::uint64_t);

template <class Text>
void write_text(Text& cells, std::string_view text) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    std::uint64_t word = 0;
    const std::string_view part = i * kWord < text.size() ? text.substr(i * kWord, kWord) : std::string_view();
    part.copy(reinterpret_cast<char*>(&word), part.size());  // memcpy takes no null, which an empty text may be
    cells[i].store(word, kRelaxed);
  }
}

template <class Text>
std::string read_text(const Text& cells, std::size_t limit) {
  std::array<char, sizeof(Text)> bytes;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::uint64_t word = cells[i].load(kRelaxed);
    std::memcpy(bytes.data() + i * kWord, &word, kWord);
  }
  return shown({bytes.data(), bytes.size()}, limit);
}

}  // namespace

std::optional<Declared> read_record(const FamilyRecord& record) {
  if (record.published.load(std::memory_order_acquire) != 1) return std::nullopt;
  const std::size_t labels = record.labels.load(kRelaxed);
  const std::size_t bounds = record.bounds.load(kRelaxed);
  if (labels > kMaxLabels || bounds > kMaxBounds) return std::nullopt;
  Declared declared{.shape = {.kind = Kind{record.kind.load(kRelaxed)},
                              .name = read_text(record.name, kMaxName),
                              .help = read_text(record.help, kMaxHelp),
                              .rows = record.rows.load(kRelaxed)},
                    .room = {record.first_place.load(kRelaxed), record.first_cell.load(kRelaxed)}};
  Shape& shape = declared.shape;
  if (shape.kind != Kind::counter && shape.kind != Kind::gauge && shape.kind != Kind::histogram) return std::nullopt;
  for (std::size_t i = 0; i < labels; ++i) shape.labels.push_back(read_text(record.label_names[i], kMaxLabelName));
  for (std::size_t i = 0; i < bounds; ++i)
    shape.bounds.push_back(std::bit_cast<double>(record.bound_bits[i].load(kRelaxed)));
  if (!why_not(shape).empty()) return std::nullopt;
  const bool inside = declared.room.first_place + places_of(shape.rows) <= layout::kPlaces &&
                      declared.room.first_cell + cells_of(shape) <= layout::kCells;
  return inside ? std::optional(std::move(declared)) : std::nullopt;
}

void write_record(FamilyRecord& record, const Declared& declared) {
  const Shape& shape = declared.shape;
  const auto number = [](std::size_t value) { return static_cast<std::uint32_t>(value); };
  record.kind.store(static_cast<std::uint32_t>(shape.kind), kRelaxed);
  record.labels.store(number(shape.labels.size()), kRelaxed);
  record.bounds.store(number(shape.bounds.size()), kRelaxed);
  record.rows.store(number(shape.rows), kRelaxed);
  record.first_place.store(number(declared.room.first_place), kRelaxed);
  record.first_cell.store(number(declared.room.first_cell), kRelaxed);
  write_text(record.name, shape.name);
  write_help(record, shape.help);
  // To the record's end, also where there is nothing: a page that was never written is not read.
  for (std::size_t i = 0; i < kMaxLabels; ++i)
    write_text(record.label_names[i], i < shape.labels.size() ? shape.labels[i] : std::string());
  for (std::size_t i = 0; i < kMaxBounds; ++i)
    record.bound_bits[i].store(std::bit_cast<std::uint64_t>(i < shape.bounds.size() ? shape.bounds[i] : 0.0), kRelaxed);
  record.published.store(1, std::memory_order_release);
}

void write_help(FamilyRecord& record, std::string_view help) { write_text(record.help, help); }

void note_generation(FamilyRecord& record, int generation) {
  record.generations[static_cast<std::size_t>(generation) % layout::kGenerations].store(generation, kRelaxed);
}

bool is_declared_by(const FamilyRecord& record, int generation) {
  return generation > 0 &&
         record.generations[static_cast<std::size_t>(generation) % layout::kGenerations].load(kRelaxed) == generation;
}

int newest_generation(const FamilyRecord& record) {
  int newest = 0;
  for (const auto& generation : record.generations) newest = std::max(newest, generation.load(kRelaxed));
  return newest;
}

}  // namespace serval::metrics
