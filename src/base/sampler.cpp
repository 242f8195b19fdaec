#include "base/sampler.hpp"

#include <charconv>
#include <string>

#include "base/text.hpp"

namespace serval {

Result<Sampler> parse_sampler(std::string_view name, std::string_view argument) {
  Sampler sampler;
  if (name.empty()) return sampler;
  std::string_view kind = name;
  sampler.asks_parent = kind.starts_with("parentbased_");
  if (sampler.asks_parent) kind.remove_prefix(std::string_view("parentbased_").size());
  if (kind == "always_on") return sampler;
  if (kind == "always_off") {
    sampler.ratio = 0;
    return sampler;
  }
  if (kind != "traceidratio")
    return Error{"OTEL_TRACES_SAMPLER = " + quoted(name) +
                 ": expected always_on, always_off, "
                 "traceidratio, or one of them after parentbased_"};
  if (argument.empty()) return sampler;
  const auto [end, error] = std::from_chars(argument.data(), argument.data() + argument.size(), sampler.ratio);
  if (error != std::errc() || end != argument.data() + argument.size() || !(sampler.ratio >= 0 && sampler.ratio <= 1))
    return Error{"OTEL_TRACES_SAMPLER_ARG = " + quoted(argument) + ": expected a ratio from 0 to 1"};
  return sampler;
}

}  // namespace serval
