#include "config/file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <sstream>

// Its assertions do not hold for all that is no TOML; it refuses that all the same. Debian's own build has them off, too.
#define TOML_ASSERT(condition) static_assert(true)
// What it takes for unreachable must not be undefined behaviour; find_trouble() keeps away what is known to lead there.
#if __has_include(<toml++/impl/preprocessor.hpp>)
#include <toml++/impl/preprocessor.hpp>
#else
#include <toml++/impl/preprocessor.h>
#endif
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE std::abort()
#include <toml++/toml.h>

#include "base/errno_text.hpp"
#include "base/text.hpp"
#include "config/peer_words.hpp"
#include "base/time.hpp"
#include "config/text_limits.hpp"

namespace serval::config {
namespace {

constexpr std::size_t kLargestFile = MiB;

bool has_table(std::string_view name) {
  return std::any_of(sections().begin(), sections().end(), [&](const Section& section) { return section.name == name; });
}

// A key as TOML writes it, so that a strange one cannot break the message.
std::string key_text(std::string_view key) {
  const bool bare = !key.empty() && key.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
  return bare ? std::string(key) : quoted(shortened(key, 60));
}

class Reader {
 public:
  Reader(const std::string& name, const Lookup& lookup, std::vector<Problem>& problems) : name_(name), lookup_(lookup), problems_(problems) {}

  FileValues read(const toml::table& root) {
    for (const auto& [key, node] : root) {
      if (!has_table(key.str())) {
        unknown(std::string(key.str()), key_text(key.str()), at(key.source()), node.is_table());
      } else if (const auto* table = node.as_table()) {
        read_table(std::string(key.str()), *table);
      } else {
        problems_.push_back({at(key.source()), key_text(key.str()) + " is a table", "write [" + std::string(key.str()) + "] on a line of its own"});
      }
    }
    return std::move(values_);
  }

 private:
  void read_table(const std::string& section, const toml::table& table) {
    for (const auto& [key, node] : table) {
      const auto path = section + "." + std::string(key.str());
      const auto problems_before = problems_.size();
      if (const auto* option = find_option(path)) {
        auto raw = convert(node, option->secret);
        if (takes_list(*option) && raw.kind == Raw::Kind::text) raw = list_of(std::move(raw));
        if (problems_.size() == problems_before) values_.push_back({option, std::move(raw)});
      } else {
        unknown(path, section + "." + key_text(key.str()), at(key.source()), node.is_table());
      }
    }
  }

  /// bind = "127.0.0.1:8000", as other servers have it.
  static Raw list_of(Raw text) {
    Raw list;
    list.kind = Raw::Kind::list;
    list.at = text.at;
    list.items.push_back(std::move(text));
    return list;
  }

  void unknown(const std::string& path, const std::string& path_shown, const Origin& where, bool is_table) {
    const bool whole_table = path.find('.') == std::string::npos && is_table;
    const auto what = whole_table ? "table [" + path_shown + "]" : path_shown;
    if (is_reserved(path)) {
      problems_.push_back({where, what + " is known, but this version does not serve it yet", "remove it"});
      return;
    }
    if (const auto hint = hint_for_peer_word(PeerWord::Place::key, path); !hint.empty() && !whole_table) {
      problems_.push_back({where, "unknown key " + what, std::string(hint)});
      return;
    }
    auto near = nearest_path(path);
    if (whole_table && !near.empty()) near = "[" + near + "]";
    problems_.push_back({where, "unknown " + std::string(whole_table ? what : "key " + what), near.empty() ? "" : "did you mean " + near + "?"});
  }

  Origin at(const toml::source_region& region) const {
    return {Origin::Kind::file, name_, static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
  }

  Raw convert(const toml::node& node, bool secret) {
    Raw raw;
    raw.at = at(node.source());
    if (const auto* text = node.as_string()) {
      auto value = interpolate(text->get(), lookup_, secret);
      if (!value) problems_.push_back({raw.at, value.error(), {}});
      raw.text = value ? *std::move(value) : std::string();
    } else if (const auto* integer = node.as_integer()) {
      raw.kind = Raw::Kind::integer;
      raw.text = std::to_string(integer->get());
    } else if (const auto* boolean = node.as_boolean()) {
      raw.kind = Raw::Kind::boolean;
      raw.text = boolean->get() ? "true" : "false";
    } else if (const auto* list = node.as_array()) {
      raw.kind = Raw::Kind::list;
      for (const auto& item : *list) raw.items.push_back(convert(item, secret));
    } else if (const auto* table = node.as_table()) {
      raw.kind = Raw::Kind::table;
      for (const auto& [key, value] : *table) {
        raw.keys.emplace_back(key.str());
        raw.items.push_back(convert(value, secret));
      }
    } else {
      raw.kind = Raw::Kind::other;
      std::ostringstream out;
      node.visit([&](const auto& scalar) {
        if constexpr (!toml::is_table<decltype(scalar)> && !toml::is_array<decltype(scalar)>) out << scalar;
      });
      raw.text = out.str();
    }
    return raw;
  }

  const std::string& name_;
  const Lookup& lookup_;
  std::vector<Problem>& problems_;
  FileValues values_;
};

constexpr auto kPatience = std::chrono::seconds(5);  ///< with the writer of a pipe

/// Text of a value out of a message of toml++: it may be a number that is a password.
std::string without_literals(std::string text) {
  constexpr std::size_t kShownAsItIs = 8;  // a character, or the name of one
  const auto is_about = [&text](const char* what) { return text.find(what) != std::string::npos; };
  if (!is_about("integer") && !is_about("floating-point") && !is_about("interpret")) return text;  // names of keys are welcome
  const auto begin = text.find('\'');
  const auto end = text.rfind('\'');
  if (begin == std::string::npos || end < begin + kShownAsItIs) return text;
  return text.replace(begin, end - begin + 1, "a value here");
}

/// read(2) of a file never waits, that of a pipe does: then at most so long. An error is in errno, ETIMEDOUT among them.
ssize_t read_some(int fd, char* room, std::size_t size, TimePoint deadline) {
  for (;;) {
    const ssize_t done = ::read(fd, room, size);
    if (done >= 0 || (errno != EAGAIN && errno != EINTR)) return done;
    const auto left = std::chrono::ceil<Duration>(deadline - Clock::now());
    pollfd readable = {fd, POLLIN, 0};
    if (left > Duration::zero()) ::poll(&readable, 1, static_cast<int>(left.count()));
    if (Clock::now() >= deadline) {
      errno = ETIMEDOUT;
      return -1;
    }
  }
}

/// Closed at the end of a scope.
struct Descriptor {
  explicit Descriptor(int number) : fd(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  int fd;
};

std::optional<std::string> read_whole(const std::string& file, std::string& reason) {
  const Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));  // a named pipe would wait for a writer here
  struct stat status = {};
  if (opened.fd < 0 || ::fstat(opened.fd, &status) != 0) {
    reason = errno_text();
    return std::nullopt;
  }
  const auto refuse = [&reason](std::string why) {
    reason = std::move(why);
    return std::nullopt;
  };
  const TimePoint deadline = Clock::now() + kPatience;
  std::string text;
  std::array<char, 65536> chunk{};
  for (;;) {
    const ssize_t size = read_some(opened.fd, chunk.data(), chunk.size(), deadline);
    if (size < 0) return refuse(errno == ETIMEDOUT ? "nothing has come for 5s; it is no regular file" : errno_text());
    if (size == 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(size));
    if (text.size() > kLargestFile) return refuse("it is larger than 1 MiB, so it is hardly a configuration");
  }
  if (text.empty() && S_ISFIFO(status.st_mode)) return refuse("it is a pipe into which nobody writes");
  return text;
}

}  // namespace

std::optional<FileValues> read_file(const std::string& path, const std::string& name, const Lookup& lookup, std::vector<Problem>& problems) {
  std::string reason;
  const auto text = read_whole(path, reason);
  if (text) return read_text(*text, name, lookup, problems);
  problems.push_back({{Origin::Kind::file, name}, "cannot read the configuration: " + reason, "name another file with -c FILE"});
  return std::nullopt;
}

std::optional<FileValues> read_text(std::string_view text, const std::string& name, const Lookup& lookup, std::vector<Problem>& problems) {
  if (auto trouble = find_trouble(text)) {
    problems.push_back({{Origin::Kind::file, name, trouble->line, trouble->column}, "not TOML that serval can use: " + trouble->what, {}});
    return std::nullopt;
  }
  try {
    const auto root = toml::parse(text, name);
    return Reader(name, lookup, problems).read(root);
  } catch (const toml::parse_error& error) {
    const auto& begin = error.source().begin;
    problems.push_back({{Origin::Kind::file, name, static_cast<int>(begin.line), static_cast<int>(begin.column)},
                        "not valid TOML: " + shortened(without_literals(std::string(error.description())), 300),
                        "nothing after this place has been looked at"});
    return std::nullopt;
  }
}

std::string nearest_path(std::string_view path) {
  const auto section = section_of(path);
  if (section == path) {  // a table, or a key outside of any
    std::vector<std::string_view> names;
    for (const auto& known : sections()) names.push_back(known.name);
    if (const auto near = nearest(path, names)) return std::string(*near);
  }
  std::vector<std::string_view> neighbours, namesakes, all;
  for (const auto& option : options()) {
    all.push_back(option.path);
    if (section_of(option.path) == section) neighbours.push_back(option.path);
    if (key_of(option.path) == key_of(path)) namesakes.push_back(option.path);
  }
  std::vector<std::string_view> keys;
  for (const auto neighbour : neighbours) keys.push_back(key_of(neighbour));
  if (const auto near = nearest(key_of(path), keys)) return std::string(section) + "." + std::string(*near);
  if (!namesakes.empty()) return std::string(namesakes.front());
  return std::string(nearest(path, all).value_or(""));
}

}  // namespace serval::config
