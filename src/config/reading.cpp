#include "config/reading.hpp"

#include <boost/json.hpp>
#include <filesystem>

namespace serval::config {
namespace {

namespace json = boost::json;

json::array pairs_to_json(const auto& pairs) {
  json::array list;
  for (const auto& [first, second] : pairs) list.push_back(json::array{first, second});
  return list;
}

void pairs_from_json(const json::value& list, auto add) {
  for (const json::value& pair : list.as_array()) {
    add(json::value_to<std::string>(pair.at(0)), json::value_to<std::string>(pair.at(1)));
  }
}

/// Throws what Boost.JSON throws. Paths, variables and values are bytes, not always UTF-8.
json::value parse(std::string_view text) {
  json::parse_options options;
  options.allow_invalid_utf8 = true;
  return json::parse({text.data(), text.size()}, {}, options);
}

std::string text_of(const json::value& document, const char* key) {
  return json::value_to<std::string>(document.at(key));
}

}  // namespace

std::string real_path(const std::string& path) {
  std::error_code error;
  const auto real = std::filesystem::canonical(path, error);
  return error ? path : real.string();
}

Reading read(const Sources& sources) {
  Loaded loaded = load(sources);
  return {.config = std::move(loaded.config),
          .problems = format_problems(loaded.problems, "error"),
          .file = loaded.file,
          .real_file = loaded.file.empty() ? "" : real_path(loaded.file)};
}

std::string write_sources(const Sources& sources) {
  json::object document{{"working_directory", sources.working_directory},
                        {"flags", pairs_to_json(sources.flags)},
                        {"environment", pairs_to_json(sources.environment)}};
  if (sources.file) document["file"] = *sources.file;
  return json::serialize(document);
}

Result<Sources> read_sources(std::string_view text) {
  try {
    const json::value document = parse(text);
    Sources sources;
    sources.working_directory = text_of(document, "working_directory");
    pairs_from_json(document.at("flags"), [&](std::string path, std::string value) {
      sources.flags.emplace_back(std::move(path), std::move(value));
    });
    pairs_from_json(document.at("environment"), [&](std::string name, std::string value) {
      sources.environment.emplace(std::move(name), std::move(value));
    });
    if (document.as_object().contains("file")) sources.file = text_of(document, "file");
    return sources;
  } catch (const std::exception& error) {
    return Error{std::string("where the configuration comes from cannot be understood: ") + error.what()};
  }
}

std::string write_reading(const Reading& reading) {
  const auto& from_variables = reading.config.from_variables;
  return json::serialize(json::object{{"config", pairs_to_json(to_text(reading.config))},
                                      {"from_variables", json::array(from_variables.begin(), from_variables.end())},
                                      {"problems", reading.problems},
                                      {"file", reading.file},
                                      {"real_file", reading.real_file}});
}

Result<Reading> read_reading(std::string_view text) {
  try {
    const json::value document = parse(text);
    std::vector<std::pair<std::string, std::string>> options;
    pairs_from_json(document.at("config"), [&](std::string path, std::string value) {
      options.emplace_back(std::move(path), std::move(value));
    });
    auto config = from_text(options);
    if (!config) return Error{config.error()};
    config->from_variables = json::value_to<std::vector<std::string>>(document.at("from_variables"));
    return Reading{.config = std::move(*config),
                   .problems = text_of(document, "problems"),
                   .file = text_of(document, "file"),
                   .real_file = text_of(document, "real_file")};
  } catch (const std::exception& error) {
    return Error{std::string("the configuration that was read cannot be understood: ") + error.what()};
  }
}

}  // namespace serval::config
