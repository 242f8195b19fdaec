#include "config/file.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <sstream>

// Its assertions do not hold for all that is no TOML; it refuses that all the same. Debian's own build has them off, too.
#define TOML_ASSERT(condition) static_assert(true)
#include <toml++/toml.h>

#include "base/text.hpp"

namespace serval::config {
namespace {

constexpr std::size_t kLargestFile = MiB;
// toml++ descends once per level, and a dotted key of a megabyte would exhaust the stack; no key of ours has more than three parts.
constexpr std::size_t kMostKeyParts = 64;

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
        auto raw = convert(node);
        if (problems_.size() == problems_before) values_.push_back({option, std::move(raw)});
      } else {
        unknown(path, section + "." + key_text(key.str()), at(key.source()), node.is_table());
      }
    }
  }

  void unknown(const std::string& path, const std::string& path_shown, const Origin& where, bool is_table) {
    const bool whole_table = path.find('.') == std::string::npos && is_table;
    const auto what = whole_table ? "table [" + path_shown + "]" : path_shown;
    if (is_reserved(path)) {
      problems_.push_back({where, what + " is known, but this version does not serve it yet", "remove it"});
      return;
    }
    auto near = nearest_path(path);
    if (whole_table && !near.empty()) near = "[" + near + "]";
    problems_.push_back({where, "unknown " + std::string(whole_table ? what : "key " + what), near.empty() ? "" : "did you mean " + near + "?"});
  }

  Origin at(const toml::source_region& region) const {
    return {Origin::Kind::file, name_, static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
  }

  Raw convert(const toml::node& node) {
    Raw raw;
    raw.at = at(node.source());
    if (const auto* text = node.as_string()) {
      auto value = interpolate(text->get(), lookup_);
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
      for (const auto& item : *list) raw.items.push_back(convert(item));
    } else if (const auto* table = node.as_table()) {
      raw.kind = Raw::Kind::table;
      for (const auto& [key, value] : *table) {
        raw.keys.emplace_back(key.str());
        raw.items.push_back(convert(value));
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

// Where a key has absurdly many parts; toml++ would have to be trusted with the stack otherwise.
std::optional<Origin> find_endless_key(std::string_view text, const std::string& name) {
  int number = 0;
  for (const auto line : split(text, '\n')) {
    ++number;
    const auto key = line.substr(0, line.find_first_of("=#"));
    if (static_cast<std::size_t>(std::count(key.begin(), key.end(), '.')) >= kMostKeyParts) return Origin{Origin::Kind::file, name, number, 1};
  }
  return std::nullopt;
}

// open(2) and read(2) say what is wrong in errno; an ifstream does not.
std::optional<std::string> read_whole(const std::string& file, std::string& reason) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(file.c_str(), "re"), std::fclose);
  if (!stream) {
    reason = std::strerror(errno);
    return std::nullopt;
  }
  std::string text;
  std::array<char, 65536> chunk{};
  while (const auto size = std::fread(chunk.data(), 1, chunk.size(), stream.get())) {
    text.append(chunk.data(), size);
    if (text.size() > kLargestFile) {
      reason = "it is larger than 1 MiB, so it is hardly a configuration";
      return std::nullopt;
    }
  }
  if (std::ferror(stream.get())) {
    reason = std::strerror(errno);
    return std::nullopt;
  }
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
  if (const auto where = find_endless_key(text, name)) {
    problems.push_back({*where, "not TOML that serval can use: a key of more than " + std::to_string(kMostKeyParts) + " parts", {}});
    return std::nullopt;
  }
  try {
    const auto root = toml::parse(text, name);
    return Reader(name, lookup, problems).read(root);
  } catch (const toml::parse_error& error) {
    const auto& begin = error.source().begin;
    problems.push_back({{Origin::Kind::file, name, static_cast<int>(begin.line), static_cast<int>(begin.column)},
                        "not valid TOML: " + shortened(std::string(error.description()), 300),
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
