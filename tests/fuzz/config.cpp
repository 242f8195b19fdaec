// The text of a configuration file: bad input gives a problem, whatever the parser makes of it, and what is accepted is
// the same when it is read again.
#include "config/file.hpp"
#include "configs.hpp"

namespace serval::fuzz {

void fuzz_one(std::string_view bytes) {
  const TextFile file(bytes);
  const config::Sources sources{
      .file = file.path(), .flags = {}, .environment = {{"NAME", "value"}, {"EMPTY", ""}}, .working_directory = "/srv"};
  const config::Loaded loaded = config::load(sources);
  check_loaded(loaded);
  if (loaded.problems.empty()) check_effective_file(loaded);

  std::vector<config::Problem> problems;
  const auto lookup = [](std::string_view name) {
    return name == "NAME" ? std::optional<std::string>("value") : std::nullopt;
  };
  const auto values = config::read_text(bytes, "fuzz.toml", lookup, problems);
  SERVAL_CHECK(values.has_value() || problems.size() == 1);
}

}  // namespace serval::fuzz
