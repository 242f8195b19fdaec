#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include <boost/json.hpp>
#include <boost/system/system_error.hpp>
#include <set>
#include <utility>

#include "base/sanitizers.hpp"
#include "base/text.hpp"
#include "os/memory_file.hpp"
#include "os/oom.hpp"
#include "os/privileges.hpp"
#include "stack/names.hpp"

/// How questions and answers travel.
namespace serval::stack {
namespace {

namespace json = boost::json;

/// Paths and names of functions are bytes, not always UTF-8.
json::value parse(std::string_view text) {
  json::parse_options options;
  options.allow_invalid_utf8 = true;
  return json::parse(text, {}, options);
}

/// Without the place in Boost.JSON that what() names.
Error not_ours(const std::string& what, const std::exception& error) {
  const auto* coded = dynamic_cast<const boost::system::system_error*>(&error);
  return Error{what +
               " are not what this serval writes: " + (coded != nullptr ? coded->code().message() : error.what())};
}

/// Of a machine that runs out of memory: better no names than a worker less.
constexpr int kFirstToGo = 2000;  // up to the highest score, wherever ours begins
constexpr std::uint64_t kMaxMemory = std::uint64_t{512} << 20;

/// Each once, as far as they can be looked at.
std::uint64_t bytes_of_files(std::string_view maps) {
  std::set<std::string_view> paths;
  for (const std::string_view line : split(maps, '\n')) {
    if (const auto path = line.find('/'); path != std::string_view::npos) paths.insert(line.substr(path));
  }
  std::uint64_t bytes = 0;
  for (const std::string_view path : paths) {
    struct stat status {};
    if (::stat(std::string(path).c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
      bytes += static_cast<std::uint64_t>(status.st_size);
    }
  }
  return bytes;
}

}  // namespace

Result<UniqueFd> write_question(const Question& question) {
  const json::value document{{"maps", question.maps},
                             {"stacks", json::value_from(question.stacks)},
                             {"uid", question.uid},
                             {"gid", question.gid}};
  return os::make_memory_file("serval-stacks", "the stacks", json::serialize(document));
}

Result<Question> read_question(int fd) {
  auto text = os::read_memory_file(fd, "the stacks");
  if (!text) return Error{text.error()};
  try {
    const json::value document = parse(*text);
    return Question{json::value_to<std::string>(document.at("maps")),
                    json::value_to<std::vector<std::vector<std::uint64_t>>>(document.at("stacks")),
                    json::value_to<uid_t>(document.at("uid")), json::value_to<gid_t>(document.at("gid"))};
  } catch (const std::exception& error) {
    return not_ours("the stacks", error);
  }
}

Result<void> take_rights_of(const Question& question) {
  if (::geteuid() != 0) return {};
  return os::drop_to({.uid = question.uid, .gid = question.gid, .user = {}});
}

void bound_memory_for(const Question& question) {
  os::raise_oom_score(kFirstToGo);
  if constexpr (!kShadowMemory) {
    // Private memory that may be written: what debug information is unpacked into, and files that libelf maps.
    rlimit limit{};
    ::getrlimit(RLIMIT_DATA, &limit);
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, kMaxMemory + bytes_of_files(question.maps));
    ::setrlimit(RLIMIT_DATA, &limit);
  }
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
}

std::string format_answer(const std::vector<std::vector<std::string>>& stacks) {
  return json::serialize(json::value_from(stacks));
}

Result<std::vector<std::vector<std::string>>> parse_answer(std::string_view text) {
  try {
    return json::value_to<std::vector<std::vector<std::string>>>(parse(text));
  } catch (const std::exception& error) {
    return not_ours("the names", error);
  }
}

}  // namespace serval::stack
