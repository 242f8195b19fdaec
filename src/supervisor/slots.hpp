#pragma once

#include <sys/types.h>

#include <algorithm>
#include <vector>

#include "supervisor/slot.hpp"

namespace serval::supervisor {

/// All slots there have been, by seat. Slots are added and never taken away; a reference to one holds until the next is
/// added.
class Slots {
 public:
  auto begin() { return slots_.begin(); }
  auto end() { return slots_.end(); }
  auto begin() const { return slots_.begin(); }
  auto end() const { return slots_.end(); }
  Slot& operator[](int index) { return slots_[static_cast<std::size_t>(index)]; }
  void clear() { slots_.clear(); }
  Slot& add() { return slots_.emplace_back(size()); }
  Slot& add(const SlotRecord& record) { return slots_.emplace_back(size(), record); }
  int size() const { return static_cast<int>(slots_.size()); }

  template <class Predicate>
  bool any(Predicate predicate) const {
    return std::any_of(begin(), end(), predicate);
  }
  template <class Predicate>
  int count(Predicate predicate) const {
    return static_cast<int>(std::count_if(begin(), end(), predicate));
  }

  /// nullptr: there is none.
  Slot* find(int index);
  Slot* find_pid(pid_t pid);
  /// The lowest empty one; a worker that drains keeps its own until it is gone. nullptr: `most` are taken.
  Slot* spare(int most);

  bool any_forking(int generation) const;
  /// The number for the next worker in `slot`, of `workers` wanted ones: the lowest that no other worker of its
  /// generation has to itself. So a scheduler in slot 0 and figures by slot go on in the successor. One that is started
  /// again keeps its own.
  int number_for(const Slot& slot, int generation, int workers) const;
  /// What a mold was asked for and did not do is asked again of its successor.
  void release_unforked(int generation);

 private:
  std::vector<Slot> slots_;
};

}  // namespace serval::supervisor
