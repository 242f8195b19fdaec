#include "ipc/heritage.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <utility>

#include "base/errno_text.hpp"
#include "config/load.hpp"

namespace serval::ipc {
namespace {

namespace json = boost::json;

Error system_error(const std::string& what) { return Error{what + ": " + errno_text()}; }

json::value to_json(const Heritage& heritage) {
  json::array options;
  for (const auto& [path, text] : config::to_text(heritage.config)) options.push_back(json::array{path, text});
  json::array listeners;
  for (const Listener& listener : heritage.listeners) {
    listeners.push_back(json::object{{"fd", listener.fd}, {"address", listener.address}, {"local", listener.local}});
  }
  return json::object{{"config", std::move(options)},          {"generation", heritage.generation}, {"channel_fd", heritage.channel_fd},
                      {"life_fd", heritage.life_fd},           {"log_fd", heritage.log_fd},         {"access_fd", heritage.access_fd},
                      {"master_pid", heritage.master_pid},     {"scoreboard_fd", heritage.scoreboard_fd},
                      {"listeners", std::move(listeners)}};
}

/// Throws what Boost.JSON throws for a document of another shape.
Result<Heritage> from_json(const json::value& document) {
  std::vector<std::pair<std::string, std::string>> options;
  for (const json::value& option : document.at("config").as_array()) {
    options.emplace_back(json::value_to<std::string>(option.at(0)), json::value_to<std::string>(option.at(1)));
  }
  auto config = config::from_text(options);
  if (!config) return Error{config.error()};
  const auto number = [&document](const char* key) { return json::value_to<int>(document.at(key)); };
  Heritage heritage;
  heritage.config = std::move(*config);
  heritage.generation = number("generation");
  heritage.channel_fd = number("channel_fd");
  heritage.life_fd = number("life_fd");
  heritage.master_pid = number("master_pid");
  heritage.scoreboard_fd = number("scoreboard_fd");
  heritage.log_fd = number("log_fd");
  heritage.access_fd = number("access_fd");
  for (const json::value& entry : document.at("listeners").as_array()) {
    heritage.listeners.push_back(
        {json::value_to<int>(entry.at("fd")), json::value_to<std::string>(entry.at("address")), entry.at("local").as_bool()});
  }
  return heritage;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

Result<std::string> read_all(int fd) {
  struct stat info = {};
  if (::fstat(fd, &info) != 0) return system_error("cannot read the heritage from descriptor " + std::to_string(fd));
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  if (size != static_cast<ssize_t>(text.size())) return system_error("cannot read the heritage from descriptor " + std::to_string(fd));
  return text;
}

}  // namespace

Result<UniqueFd> write_heritage(const Heritage& heritage) {
  UniqueFd fd(::memfd_create("serval-heritage", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return system_error("cannot make a memory file for the heritage");
  if (!write_all(fd.get(), json::serialize(to_json(heritage)))) return system_error("cannot write the heritage");
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0 || ::lseek(fd.get(), 0, SEEK_SET) != 0) {
    return system_error("cannot seal the heritage");
  }
  return fd;
}

Result<Heritage> read_heritage(int fd) {
  auto text = read_all(fd);
  if (!text) return Error{text.error()};
  try {
    return from_json(json::parse(*text));
  } catch (const std::exception& error) {
    return Error{std::string("the heritage is not what this serval writes: ") + error.what()};
  }
}

log::Settings log_settings(const config::Log& config, int fd) {
  log::Settings settings;
  settings.fd = fd;
  switch (config.format) {
    case config::LogFormat::text: settings.format = log::Format::text; break;
    case config::LogFormat::json: settings.format = log::Format::json; break;
  }
  switch (config.level) {
    case config::LogLevel::debug: settings.level = log::Level::debug; break;
    case config::LogLevel::info: settings.level = log::Level::info; break;
    case config::LogLevel::warning: settings.level = log::Level::warning; break;
    case config::LogLevel::error: settings.level = log::Level::error; break;
  }
  return settings;
}

bool is_log_file(const std::string& setting) { return setting != "-" && setting != "off"; }

}  // namespace serval::ipc
