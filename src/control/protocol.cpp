#include "control/protocol.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <optional>

#include "base/log_text.hpp"
#include "base/text.hpp"

namespace serval::control {
namespace {

constexpr const char* kConfigKey = "config";

/// Boost.JSON reads a number beyond all doubles ("1e400") as infinity, "0e310" as NaN, and writes neither as JSON; and
/// what it reads may be off by the last bit, which at the very end of the doubles is infinity again. Goes no deeper
/// than its parser.
bool has_number_out_of_range(const json::value& value) {
  constexpr double kMaxNumber = 1e308;
  if (const double* number = value.if_double()) return !(std::abs(*number) <= kMaxNumber);  // NaN is not
  if (const auto* array = value.if_array()) return std::any_of(array->begin(), array->end(), has_number_out_of_range);
  const auto* object = value.if_object();
  return object != nullptr && std::any_of(object->begin(), object->end(),
                                          [](const auto& member) { return has_number_out_of_range(member.value()); });
}

/// The parser refuses what is no JSON (RFC 8259), is nested deeper than 32, or has something behind it. Of a key that
/// comes twice the last counts.
Result<json::object> parse_object(std::string_view line) {
  boost::system::error_code error;
  json::value value = json::parse(json::string_view(line.data(), line.size()), error);
  if (error) return Error{"no JSON: " + error.message()};
  if (has_number_out_of_range(value)) return Error{"a number out of range"};
  if (!value.is_object()) return Error{"expected a JSON object"};
  return std::move(value.get_object());
}

std::optional<std::string> text_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(json::string_view(key.data(), key.size()));
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

std::string line_of(const json::object& object) { return json::serialize(object) + '\n'; }

}  // namespace

Result<Request> parse_request(std::string_view line) {
  auto object = parse_object(line);
  if (!object) return Error{"the request is not understood: " + object.error()};
  for (const auto& member : *object) {
    if (member.key() == "command" || member.key() == "arguments" || member.key() == kConfigKey) continue;
    return Error{"the request is not understood: unknown key " + quoted(shortened(std::string(member.key()), 80))};
  }
  auto command = text_at(*object, "command");
  if (!command) return Error{"the request is not understood: expected a text \"command\""};
  Request request{.command = std::move(*command), .arguments = {}};
  if (json::value* arguments = object->if_contains("arguments")) {
    if (!arguments->is_object()) return Error{"the request is not understood: \"arguments\" is no JSON object"};
    request.arguments = std::move(arguments->get_object());
  }
  if (const json::value* config = object->if_contains(kConfigKey)) {
    const auto* names = config->if_array();
    if (names == nullptr || names->size() != 2 || !names->at(0).is_string() || !names->at(1).is_string()) {
      return Error{"the request is not understood: \"config\" is no list of two texts"};
    }
    request.meant = ConfigFile{std::string(names->at(0).get_string()), std::string(names->at(1).get_string())};
  }
  return request;
}

Result<std::variant<Progress, Reply>> parse_answer(std::string_view line) {
  using Answer = std::variant<Progress, Reply>;
  auto object = parse_object(line);
  if (!object) return Error{"the answer is not understood: " + object.error()};
  if (auto text = text_at(*object, "progress")) return Answer(Progress{std::move(*text)});
  const json::value* ok = object->if_contains("ok");
  if (ok == nullptr || !ok->is_bool()) return Error{"the answer is not understood: neither \"progress\" nor \"ok\""};
  Reply reply;
  reply.ok = ok->get_bool();
  if (reply.ok) {
    json::value* result = object->if_contains("result");
    if (result == nullptr || !result->is_object()) return Error{"the answer is not understood: no \"result\""};
    reply.result = std::move(result->get_object());
    return Answer(std::move(reply));
  }
  auto error = text_at(*object, "error");
  const json::value* exit = object->if_contains("exit");
  if (!error || exit == nullptr || !exit->is_int64() || exit->get_int64() < 1 || exit->get_int64() > 255) {
    return Error{"the answer is not understood: no \"error\", or no \"exit\" from 1 to 255"};
  }
  reply.error = std::move(*error);
  reply.exit_code = static_cast<int>(exit->get_int64());
  return Answer(std::move(reply));
}

std::string format(const Request& request) {
  json::object object{{"command", utf8(request.command)}, {"arguments", request.arguments}};
  if (request.meant) object[kConfigKey] = json::array{utf8(request.meant->path), utf8(request.meant->real_path)};
  return line_of(object);
}

bool does_not_know_configs(const Reply& reply) {
  return !reply.ok && reply.error.find("unknown key " + quoted(kConfigKey)) != std::string::npos;
}

std::string format(const Progress& progress) { return line_of({{"progress", utf8(progress.text)}}); }

std::string format(const Reply& reply) {
  if (reply.ok) return line_of({{"ok", true}, {"result", reply.result}});
  return line_of({{"ok", false}, {"error", utf8(reply.error)}, {"exit", reply.exit_code}});
}

json::string utf8(std::string_view text) {
  std::string escaped = "\"";
  log::append_json(escaped, text);  // knows what is UTF-8, and leaves nothing else
  escaped += '"';
  return json::parse(escaped).as_string();
}

}  // namespace serval::control
