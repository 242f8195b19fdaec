// A template of log.access_format (the first line) and what a client sends into it (the others). What the configuration
// accepts a worker writes by, and what it writes is one line.
#include <boost/json/parse.hpp>

#include <algorithm>
#include <string>

#include "config/decode.hpp"
#include "fuzz.hpp"
#include "http/access_log.hpp"

namespace serval::fuzz {
namespace {

bool config_accepts(std::string_view text) {
  const config::Option& option = *config::find_option("log.access_format");
  config::Config config;
  std::vector<config::Problem> problems;
  config::Raw raw;
  raw.text = text;
  return config::decode(option, raw, config, problems);
}

http::AccessRecord record_of(std::string_view bytes) {
  std::mt19937 random = random_of(bytes);
  http::AccessRecord record;
  for (auto* text : {&record.method, &record.target, &record.peer, &record.host, &record.referer, &record.user_agent,
                     &record.request_id, &record.reason, &record.received}) {
    *text = bytes.substr(0, random() % 40);
    bytes.remove_prefix(text->size());
  }
  record.minor_version = static_cast<int>(random() % 3) - 1;
  record.status = static_cast<int>(random() % 600);
  record.bytes_in = random();
  record.when = std::chrono::system_clock::time_point(
      std::chrono::milliseconds(static_cast<std::int64_t>(random()) * 1000 - 1'000'000));
  record.duration = std::chrono::microseconds(random());
  record.outcome = static_cast<http::Outcome>(random() % 7);
  return record;
}

std::string line_by(std::string_view format, const http::AccessRecord& record) {
  std::string line;
  http::AccessFormat::parse(format)->append(line, record);
  SERVAL_CHECK(line.ends_with('\n'));
  line.pop_back();
  SERVAL_CHECK(std::ranges::none_of(line, is_control));
  return line;
}

}  // namespace

void fuzz_one(std::string_view bytes) {
  const std::string_view format = take_line(bytes);
  const http::AccessRecord record = record_of(bytes);
  const auto compiled = http::AccessFormat::parse(format);
  SERVAL_CHECK(config_accepts(format) == compiled.has_value());
  if (!compiled) {
    SERVAL_CHECK(!compiled.error().empty() && compiled.error().find('\n') == std::string::npos);
  } else {
    line_by(format, record);
  }
  // In quotes: where they stand does not depend on what the client sends.
  const std::string line = line_by("combined", record);
  SERVAL_CHECK(std::ranges::count(line, '"') == (record.reason.empty() ? 6 : 8));
  boost::system::error_code error;
  const auto json = boost::json::parse(line_by("json", record), error);
  SERVAL_CHECK(!error && json.is_object());
}

}  // namespace serval::fuzz
