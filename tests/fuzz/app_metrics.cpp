// What an app has scribbled over the memory of its own metrics: the bytes are the first page's cells, three records,
// some rows and some cells of a seat, and then a whole file. Any reading is within bounds, and can be shown to a
// scraper.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "fuzz.hpp"
#include "metrics/reader.hpp"
#include "metrics/rows.hpp"

namespace serval::fuzz {
namespace {

using metrics::Family;
using metrics::Memory;

void check(const Family& family) {
  SERVAL_CHECK(metrics::why_not(family.shape).empty());
  SERVAL_CHECK(family.samples.size() <= metrics::places_of(metrics::kMaxRows) + 1);
  std::set<std::vector<std::string>> values;
  for (const metrics::Sample& sample : family.samples) {
    SERVAL_CHECK(sample.values.size() == family.shape.labels.size() && values.insert(sample.values).second);
    for (const std::string& value : sample.values) SERVAL_CHECK(metrics::shown(value, value.size()) == value);
    if (family.shape.kind == metrics::Kind::histogram)
      SERVAL_CHECK(sample.buckets.size() == family.shape.bounds.size() + 1);
  }
}

void check(const Memory& memory, int fd) {
  for (const auto& living : {std::vector<metrics::Life>{}, {{0, 1}, {1, 2}}, {{-1, 1}, {99, 9}}}) {
    std::set<std::string> names;
    for (const Family& family : metrics::read(memory, fd, living)) {
      check(family);
      for (const std::string& name : metrics::names_of(family.shape)) SERVAL_CHECK(names.insert(name).second);
    }
  }
}

/// What a worker does in a table that others have scribbled over: it ends, and finds again what it has found.
void check_rows(const Memory& memory) {
  constexpr std::size_t kPlaces = 6;
  const metrics::Rows rows{
      .places = {&memory.place(0), kPlaces}, .filled = &memory.family(0).filled, .limit = kPlaces - 1};
  for (const std::string_view value : {"", "gift", "another one"}) {
    const metrics::Key key = metrics::key_of(std::array{value});
    const std::uint32_t row = metrics::find_row(rows, key);
    SERVAL_CHECK(row <= kPlaces);
    if (row > 0) SERVAL_CHECK(metrics::find_row(rows, key) == row);
  }
}

/// The parts of the file that the bytes go to, one after the other.
struct Part {
  std::size_t offset;
  std::size_t size;
};

void check_memory(std::string_view bytes) {
  static const UniqueFd file = std::move(metrics::make_file(2).value());
  static const Memory memory = std::move(Memory::map(file.get()).value());
  const std::array parts{
      Part{metrics::layout::kCacheLine, 16}, Part{metrics::family_offset(0), 3 * sizeof(metrics::layout::FamilyRecord)},
      Part{metrics::place_offset(0), 8 * sizeof(metrics::layout::Place)}, Part{metrics::cell_offset(0, 0), 1024}};
  for (const Part& part : parts) {
    std::string content(bytes.substr(0, part.size));
    bytes.remove_prefix(content.size());
    content.resize(part.size);
    SERVAL_CHECK(::pwrite(file.get(), content.data(), part.size, static_cast<off_t>(part.offset)) ==
                 static_cast<ssize_t>(part.size));
  }
  check(memory, file.get());
  check_rows(memory);
}

/// What another process claims to be such a file, sealed as it has to be.
void check_file(std::string_view bytes) {
  const UniqueFd file(::memfd_create("fuzz-app-metrics", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  SERVAL_CHECK(::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  SERVAL_CHECK(::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
  const auto memory = Memory::map(file.get());
  SERVAL_CHECK(memory ? memory->seats() >= 1 : !memory.error().empty());
}

}  // namespace

void fuzz_one(std::string_view bytes) {
  check_memory(bytes);
  check_file(bytes);
}

}  // namespace serval::fuzz
