#include "cli/log_filter.hpp"

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "base/log_keys.hpp"

namespace serval::cli {
namespace {

namespace json = boost::json;

std::string_view take_word(std::string_view& text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return text = {};
  text.remove_prefix(begin);
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

/// `2026-11-21T10:00:00.123Z info  worker[3] gen=2 pid=811: worker ready`
LineHead read_text_head(std::string_view line) {
  const std::string_view time = take_word(line);
  if (time.size() < 20 || time[10] != 'T' || time.back() != 'Z') return {};
  const auto level = level_of(take_word(line));
  if (!level) return {};
  return {std::string(take_word(line)), level};
}

const json::string* text_at(const json::object& object, log::Keys keys, std::string_view key) {
  const json::value* value = object.if_contains(log::key_name(keys, key));
  return value == nullptr ? nullptr : value->if_string();
}

LineHead read_json_head(std::string_view line) {
  json::error_code error;
  const json::value value = json::parse({line.data(), line.size()}, error);
  const json::object* object = error ? nullptr : value.if_object();
  if (object == nullptr) return {};
  // By all names together: the app's own fields may have one that another collector knows.
  for (const log::Keys keys : {log::Keys::serval, log::Keys::ecs, log::Keys::datadog, log::Keys::gcp}) {
    const json::string* time = text_at(*object, keys, "time");
    const json::string* message = text_at(*object, keys, "msg");
    const json::string* level = text_at(*object, keys, "level");
    const json::string* process = text_at(*object, keys, "process");
    if (time == nullptr || message == nullptr || level == nullptr || process == nullptr) continue;
    return {std::string(process->data(), process->size()), level_of({level->data(), level->size()})};
  }
  return {};
}

}  // namespace

LineHead read_head(std::string_view line) {
  return line.starts_with('{') ? read_json_head(line) : read_text_head(line);
}

namespace {

/// What an instance prints, and what the master says of the program.
bool is_of(const std::string& program, const LineHead& head, std::string_view line) {
  if (head.process.starts_with(program + "[")) return true;
  if (head.process != "master") return false;
  return line.find(" program=" + program + " ") != std::string_view::npos ||
         line.find("\"program\":\"" + program + "\"") != std::string_view::npos || line.ends_with(" program=" + program);
}

}  // namespace

bool passes(const LogFilter& filter, std::string_view line) {
  if (!filter.text.empty() && line.find(filter.text) == std::string_view::npos) return false;
  if (filter.process.empty() && filter.program.empty() && !filter.at_least) return true;
  const LineHead head = read_head(line);
  if (!filter.program.empty() && !is_of(filter.program, head, line)) return false;
  if (!filter.process.empty() && head.process != filter.process) return false;
  return !filter.at_least || (head.level && *head.level >= *filter.at_least);
}

std::optional<log::Level> level_of(std::string_view name) {
  if (name == "debug") return log::Level::debug;
  if (name == "info") return log::Level::info;
  if (name == "warning") return log::Level::warning;
  if (name == "error") return log::Level::error;
  return std::nullopt;
}

}  // namespace serval::cli
