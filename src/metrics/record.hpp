#pragma once

#include <optional>

#include "metrics/layout.hpp"
#include "metrics/shape.hpp"

/// What a mold has declared, as it lies in memory.
namespace serval::metrics {

/// Where its rows and cells are.
struct Room {
  std::size_t first_place = 0;
  std::size_t first_cell = 0;
};

struct Declared {
  Shape shape;
  Room room;
};

/// Bytes that may be anything: what is returned can be shown, and lies within the file. nullopt: it cannot, or nothing
/// is declared there.
std::optional<Declared> read_record(const layout::FamilyRecord& record);

/// For a record that no other process knows of yet; it can be read from here on.
void write_record(layout::FamilyRecord& record, const Declared& declared);
/// A later mold may word it otherwise. A reader may get some of both meanwhile.
void write_help(layout::FamilyRecord& record, std::string_view help);

/// Remembers that the generation declares it.
void note_generation(layout::FamilyRecord& record, int generation);
bool is_declared_by(const layout::FamilyRecord& record, int generation);
/// The newest that has; 0: none.
int newest_generation(const layout::FamilyRecord& record);

}  // namespace serval::metrics
