#pragma once

#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "supervisor/world.hpp"

namespace serval::supervisor {

/// loading: until its first worker has proved itself; watched: that and others serve beside the old generation's
/// (reload.watch); retiring: others have taken over, and the rest of its processes leave; kept:
/// its mold stays for a rollback.
enum class GenerationState { loading, watched, serving, retiring, kept };
std::string_view name_of(GenerationState state);

/// A generation that has processes.
struct GenerationLife {
  int number = 0;
  GenerationState state = GenerationState::serving;
  TimePoint since{};  ///< its first mold was started; where that is gone: its oldest worker

  bool operator==(const GenerationLife&) const = default;
};

/// By number. The one that workers come from is always among them.
std::vector<GenerationLife> living_generations(const World& world);

}  // namespace serval::supervisor
