// What workers have scribbled over the shared memory: the bytes are its slots, and then a whole scoreboard's file. Any
// reading is within bounds, and none crashes.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "fuzz.hpp"
#include "scoreboard/generations.hpp"
#include "scoreboard/reader.hpp"

namespace serval::fuzz {
namespace {

using scoreboard::Memory;
using scoreboard::WorkerPhase;

constexpr int kSlots = 3;
constexpr int kRows = 2;
constexpr int kThreads = 4;

void check_requests(const Memory& memory, int slot) {
  using layout = scoreboard::layout::RequestRow;
  const auto requests = scoreboard::read_requests(memory, slot);
  SERVAL_CHECK(requests.size() <= static_cast<std::size_t>(memory.size().rows));
  for (const scoreboard::RequestInProgress& request : requests) {
    SERVAL_CHECK(request.method.size() <= sizeof(layout::method) && request.peer.size() <= sizeof(layout::peer));
    SERVAL_CHECK(request.request_id.size() <= sizeof(layout::request_id) && request.target.size() <= sizeof(layout::target));
    SERVAL_CHECK(request.thread >= 0 && request.started >= TimePoint{} && request.deadline >= TimePoint{});
  }
}

void check_slot(const Memory& memory, int slot) {
  const scoreboard::SlotReading reading = scoreboard::read_slot(memory, slot);
  SERVAL_CHECK(reading.pid >= 0 && reading.generation >= 0 && reading.loop_thread >= 0);
  SERVAL_CHECK(reading.connections >= 0 && reading.waiting >= 0);
  SERVAL_CHECK(reading.running >= 0 && reading.running <= memory.size().rows);
  SERVAL_CHECK(reading.begun >= TimePoint{} && reading.last_beat >= TimePoint{});
  SERVAL_CHECK(reading.phase <= WorkerPhase::draining);
  SERVAL_CHECK(scoreboard::running_since_before(memory, slot, TimePoint{}) == 0);
  check_requests(memory, slot);
  scoreboard::accepted(memory, slot);
}

void check(const Memory& memory) {
  const int slots = memory.size().slots;
  for (int slot = 0; slot < slots; ++slot) check_slot(memory, slot);
  scoreboard::read_totals(memory);
  for (const int generation : {0, 1, 9}) {
    const double p95 = scoreboard::quantile(scoreboard::read_generation(memory, generation).durations, 0.95);
    SERVAL_CHECK(p95 >= 0 && p95 <= scoreboard::kBounds.back());
  }
  for (const int but : {-1, 0, slots}) {
    const int free = scoreboard::free_threads(memory, but, kThreads, kThreads + 1);
    SERVAL_CHECK(free >= 0 && free <= kThreads + 1);
    for (const TimePoint now : {TimePoint{}, TimePoint::max()}) {
      const auto found = scoreboard::siblings(memory, {.end = slots, .but = but, .enough = 2}, kThreads, now);
      SERVAL_CHECK(found.with_headroom >= 0 && found.with_headroom <= 2 && found.overloaded >= 0 && found.overloaded <= slots);
      SERVAL_CHECK((found.first == -1) == (found.with_headroom == 0) && found.first < slots && (found.first == -1 || found.first != but));
    }
  }
}

/// Every slot whole, so that nothing is left of an input before.
void check_slots(std::string_view bytes) {
  static Memory memory = std::move(Memory::create({.slots = kSlots, .rows = kRows}).value());
  const auto size = static_cast<std::size_t>(::lseek(memory.fd(), 0, SEEK_END)) - scoreboard::layout::kPage;
  std::string slots(bytes.substr(0, size));
  slots.resize(size);
  SERVAL_CHECK(::pwrite(memory.fd(), slots.data(), size, scoreboard::layout::kPage) == static_cast<ssize_t>(size));
  check(memory);
  for (int slot = 0; slot < kSlots; ++slot) {
    scoreboard::clear_slot(memory, slot);
    SERVAL_CHECK(scoreboard::read_slot(memory, slot).pid == 0 && scoreboard::read_requests(memory, slot).empty());
  }
}

/// What another process claims to be a scoreboard, sealed as it has to be.
void check_file(std::string_view bytes) {
  const UniqueFd file(::memfd_create("fuzz-scoreboard", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  SERVAL_CHECK(::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  SERVAL_CHECK(::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
  const auto memory = Memory::map(file.get());
  if (!memory) {
    SERVAL_CHECK(!memory.error().empty());
    return;
  }
  SERVAL_CHECK(memory->size().slots >= 1 && memory->size().rows >= 1);
  check(*memory);
}

}  // namespace

void fuzz_one(std::string_view bytes) {
  check_slots(bytes);
  check_file(bytes);
}

}  // namespace serval::fuzz
