#include "config/env_files.hpp"

#include "base/text.hpp"
#include "config/env_file.hpp"
#include "config/file_text.hpp"

namespace serval::config {
namespace {

constexpr std::size_t kMaxFileBytes = MiB;

constexpr Option kAppFileEnv = {.path = "app.file_env",
                                .field = field<&Config::app, &App::file_env>(),
                                .placeholder = "",
                                .secret = true,
                                .summary = "",
                                .example = ""};
constexpr Option kProgramFileEnv = {.path = "programs.NAME.file_env",
                                    .field = field<&Config::program, &Program::file_env>(),
                                    .placeholder = "",
                                    .secret = true,
                                    .apply = Apply::live,
                                    .summary = "",
                                    .example = ""};

/// The files of one option.
struct Files {
  Loaded& loaded;
  std::string option;
  const std::vector<std::string>& named;
  Pairs& into;

  void read() const {
    into.clear();
    for (const std::string& name : named) read_one(name);
  }

  void read_one(const std::string& name) const {
    const std::string path = may_be_missing(name) ? name.substr(1) : name;
    const FileText whole = read_regular_file(path, kMaxFileBytes);
    if (!whole.is_there && may_be_missing(name)) {
      loaded.env_files.push_back({option, path, 0, true});
      return;
    }
    if (!whole.why.empty()) return refuse(path, whole);
    const EnvFile file = parse_env_file(whole.text);
    for (const EnvFileProblem& problem : file.problems) {
      loaded.problems.push_back({{ValueSource::Kind::file, path, problem.line, 1}, problem.what, problem.hint});
    }
    for (const std::string& variable : file.with_references) {
      loaded.notes.push_back({{ValueSource::Kind::file, path},
                              variable + " has a ${...}, which is taken as it stands",
                              "variables are replaced in serval.toml alone: move it into the table env, or put the "
                              "value in single quotes if it is meant so"});
    }
    for (const auto& [variable, value] : file.variables) into[variable] = value;
    loaded.env_files.push_back({option, path, file.variables.size(), false});
  }

  void refuse(const std::string& path, const FileText& whole) const {
    const auto said = loaded.origins.find(option);
    const ValueSource at = said == loaded.origins.end() ? ValueSource() : said->second;
    if (!whole.is_there) {
      loaded.problems.push_back(
          {at, option + ": there is no file " + quoted(path), "write it, or \"-" + path + "\" if it may be missing"});
    } else {
      loaded.problems.push_back(
          {at, option + ": cannot read " + quoted(path) + ": " + whole.why,
           "it is read with the rights of serval's own user; expected a file of lines NAME=value"});
    }
  }
};

}  // namespace

void make_absolute(const Option& option, Config& config, const std::filesystem::path& folder) {
  const auto absolute = [&](std::string_view path) { return (folder / path).lexically_normal().string(); };
  if (const auto* text = std::get_if<Access<std::string>>(&option.field)) {
    std::string& path = (*text)(config);
    if (names_file(path)) path = absolute(path);
  } else if (const auto* list = std::get_if<Access<Texts>>(&option.field)) {
    for (std::string& path : (*list)(config))
      path = may_be_missing(path) ? "-" + absolute(path.substr(1)) : absolute(path);
  }
}

void read_env_files(Loaded& loaded) {
  Config& config = loaded.config;
  Files{loaded, "app.env_file", config.app.env_file, config.app.file_env}.read();
  for (auto& [name, program] : config.programs)
    Files{loaded, "programs." + name + ".env_file", program.env_file, program.file_env}.read();
}

const Option& app_file_env() { return kAppFileEnv; }
const Option& program_file_env() { return kProgramFileEnv; }

}  // namespace serval::config
