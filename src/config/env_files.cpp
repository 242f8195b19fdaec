#include "config/env_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "base/errno_text.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "config/env_file.hpp"

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

/// None: it cannot be read, and `why` says why; empty: there is none.
std::optional<std::string> read_whole(const std::string& path, std::string& why) {
  why.clear();
  // Without a wait for whoever writes a pipe.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    if (errno != ENOENT && errno != ENOTDIR) why = errno_text();
    return std::nullopt;
  }
  std::string text;
  struct stat status = {};
  if (::fstat(fd, &status) != 0) {
    why = errno_text();
  } else if (!S_ISREG(status.st_mode)) {
    why = "it is no regular file";
  }
  std::array<char, 16 * KiB> buffer;
  while (why.empty()) {
    const ssize_t size = ::read(fd, buffer.data(), buffer.size());
    if (size == 0) break;
    if (size < 0 && errno != EINTR) why = errno_text();
    if (size > 0) text.append(buffer.data(), static_cast<std::size_t>(size));
    if (text.size() > kMaxFileBytes) why = "it has more than " + format_size(kMaxFileBytes);
  }
  ::close(fd);
  if (!why.empty()) return std::nullopt;
  return text;
}

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
    std::string why;
    const auto text = read_whole(path, why);
    if (!text && why.empty() && may_be_missing(name)) {
      loaded.env_files.push_back({option, path, 0, true});
      return;
    }
    if (!text) return refuse(path, why);
    const EnvFile file = parse_env_file(*text);
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

  void refuse(const std::string& path, const std::string& why) const {
    const auto said = loaded.origins.find(option);
    const ValueSource at = said == loaded.origins.end() ? ValueSource() : said->second;
    if (why.empty()) {
      loaded.problems.push_back(
          {at, option + ": there is no file " + quoted(path), "write it, or \"-" + path + "\" if it may be missing"});
    } else {
      loaded.problems.push_back(
          {at, option + ": cannot read " + quoted(path) + ": " + why,
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
