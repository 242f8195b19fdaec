#include "supervisor/slots.hpp"

namespace serval::supervisor {

Slot* Slots::find(int index) { return index < 0 || index >= size() ? nullptr : &(*this)[index]; }

Slot* Slots::find_pid(pid_t pid) {
  const auto found =
      std::find_if(begin(), end(), [pid](const Slot& slot) { return slot.occupied() && slot.pid() == pid; });
  return found == end() ? nullptr : &*found;
}

Slot* Slots::spare(int most) {
  const auto empty = std::find_if(begin(), end(), [](const Slot& slot) { return slot.state() == SlotState::empty; });
  if (empty != end()) return &*empty;
  return size() >= most ? nullptr : &add();
}

bool Slots::any_forking(int generation) const {
  return any([generation](const Slot& slot) { return slot.forking() && slot.generation() == generation; });
}

int Slots::number_for(const Slot& slot, int generation, int workers) const {
  std::vector<bool> taken(slots_.size() + 1);
  for (const Slot& other : slots_) {
    const bool keeps_it =
        &other != &slot && other.generation() == generation && other.active() && !other.being_replaced();
    const auto number = static_cast<std::size_t>(other.number());
    if (keeps_it && number < taken.size()) taken[number] = true;
  }
  const auto own = static_cast<std::size_t>(slot.number());
  const bool has_one = slot.state() == SlotState::cooling && slot.generation() == generation && slot.number() < workers;
  if (has_one && own < taken.size() && !taken[own]) return slot.number();
  return static_cast<int>(std::find(taken.begin(), taken.end(), false) - taken.begin());
}

void Slots::release_unforked(int generation) {
  for (Slot& slot : slots_) {
    if (slot.forking() && slot.generation() == generation) slot.clear();
  }
}

}  // namespace serval::supervisor
