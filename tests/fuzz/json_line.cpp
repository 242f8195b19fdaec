// A line of the app's output: where it is an object, its members are JSON in one line, bounded by the line that was
// given, each key once and none of serval's.
#include "master/json_line.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <set>

#include "base/log_keys.hpp"
#include "fuzz.hpp"

namespace serval::fuzz {
namespace {

bool is_ours(std::string_view key) { return log::is_own_key(log::Keys::serval, key); }

}  // namespace

void fuzz_one(std::string_view bytes) {
  const auto line = master::read_json_line(bytes, is_ours);
  if (!line) return;
  boost::json::parse_options deep;
  deep.max_depth = 64;
  std::set<std::string> keys;
  std::size_t size = line->message.size();
  for (const auto& member : line->members) {
    SERVAL_CHECK(!is_ours(member.key) && keys.insert(member.key).second);
    SERVAL_CHECK(std::none_of(member.value.begin(), member.value.end(), is_control));
    boost::json::error_code error;
    boost::json::parse(member.value, error, {}, deep);
    SERVAL_CHECK(!error);
    size += member.value.size();
  }
  SERVAL_CHECK(size <= 6 * bytes.size());  // \u00XX for a byte
}

}  // namespace serval::fuzz
