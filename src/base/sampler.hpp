#pragma once

#include <string_view>

#include "base/result.hpp"

namespace serval {

/// Which traces are kept: OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG.
struct Sampler {
  bool asks_parent = true;  ///< "parentbased_": whoever began the trace has decided
  double ratio = 1.0;       ///< of those that nobody has decided about; always_on: 1, always_off: 0

  bool operator==(const Sampler&) const = default;
};

/// `name` and `argument` as the variables have them; empty: the default, parentbased_always_on. The error says what is
/// wrong with which of them.
Result<Sampler> parse_sampler(std::string_view name, std::string_view argument);

}  // namespace serval
