#include "ipc/task_order.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>
#include <exception>

#include "os/memory_file.hpp"

namespace serval::ipc {
namespace {

namespace json = boost::json;

constexpr const char* kWhat = "the order for a task";

json::value to_json(const TaskOrder& order) {
  json::array variables;
  for (const auto& [name, value] : order.variables) variables.push_back(json::array{name, value});
  json::array limits;
  for (const auto& [resource, limit] : order.limits) limits.push_back(json::array{resource, limit});
  return json::object{{"task", order.task},
                      {"program", order.program},
                      {"number", order.number},
                      {"variables", std::move(variables)},
                      {"working_directory", order.working_directory},
                      {"umask", order.umask},
                      {"nice", order.nice},
                      {"limits", std::move(limits)},
                      {"stop_signal", order.stop_signal},
                      {"captured", order.captured},
                      {"tells_ready", order.tells_ready},
                      {"sockets", order.sockets}};
}

/// Throws what Boost.JSON throws for a document of another shape.
TaskOrder from_json(const json::value& document) {
  const auto text = [](const json::value& value) { return json::value_to<std::string>(value); };
  TaskOrder order;
  order.task = text(document.at("task"));
  order.program = text(document.at("program"));
  order.number = document.at("number").to_number<int>();
  for (const json::value& one : document.at("variables").as_array()) order.variables[text(one.at(0))] = text(one.at(1));
  order.working_directory = text(document.at("working_directory"));
  order.umask = document.at("umask").to_number<unsigned>();
  order.nice = document.at("nice").to_number<int>();
  for (const json::value& one : document.at("limits").as_array())
    order.limits.emplace_back(one.at(0).to_number<int>(), one.at(1).to_number<std::uint64_t>());
  order.stop_signal = document.at("stop_signal").to_number<int>();
  order.captured = document.at("captured").as_bool();
  order.tells_ready = document.at("tells_ready").as_bool();
  order.sockets = document.at("sockets").to_number<int>();
  return order;
}

}  // namespace

Result<UniqueFd> write_task_order(const TaskOrder& order) {
  return os::make_memory_file("serval-task", kWhat, json::serialize(to_json(order)));
}

Result<TaskOrder> read_task_order(int fd) {
  const auto text = os::read_memory_file(fd, kWhat);
  if (!text) return Error{text.error()};
  try {
    json::parse_options options;
    options.allow_invalid_utf8 = true;  // paths and variables are bytes
    return from_json(json::parse(*text, {}, options));
  } catch (const std::exception& error) {
    return Error{std::string(kWhat) + " cannot be read: " + error.what()};
  }
}

}  // namespace serval::ipc
