#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <utility>

#include "base/errno_text.hpp"
#include "os/privileges.hpp"
#include "stack/names.hpp"

/// How questions and answers travel.
namespace serval::stack {
namespace {

namespace json = boost::json;

Error system_error(const std::string& what) { return Error{what + ": " + errno_text()}; }

/// Paths and names of functions are bytes, not always UTF-8.
json::value parse(std::string_view text) {
  json::parse_options options;
  options.allow_invalid_utf8 = true;
  return json::parse(text, {}, options);
}

/// Without the place in Boost.JSON that what() names.
Error not_ours(const std::string& what, const std::exception& error) {
  const auto* coded = dynamic_cast<const boost::system::system_error*>(&error);
  return Error{what + " are not what this serval writes: " + (coded != nullptr ? coded->code().message() : error.what())};
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
  if (::fstat(fd, &info) != 0) return system_error("cannot read the stacks from descriptor " + std::to_string(fd));
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  if (size != static_cast<ssize_t>(text.size())) return system_error("cannot read the stacks from descriptor " + std::to_string(fd));
  return text;
}

}  // namespace

Result<UniqueFd> write_question(const Question& question) {
  UniqueFd fd(::memfd_create("serval-stacks", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return system_error("cannot make a memory file for stacks");
  const json::value document{{"maps", question.maps}, {"stacks", json::value_from(question.stacks)}, {"uid", question.uid}, {"gid", question.gid}};
  if (!write_all(fd.get(), json::serialize(document))) return system_error("cannot write the stacks");
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0 || ::lseek(fd.get(), 0, SEEK_SET) != 0) {
    return system_error("cannot seal the stacks");
  }
  return fd;
}

Result<Question> read_question(int fd) {
  auto text = read_all(fd);
  if (!text) return Error{text.error()};
  try {
    const json::value document = parse(*text);
    return Question{json::value_to<std::string>(document.at("maps")),
                    json::value_to<std::vector<std::vector<std::uint64_t>>>(document.at("stacks")), json::value_to<uid_t>(document.at("uid")),
                    json::value_to<gid_t>(document.at("gid"))};
  } catch (const std::exception& error) {
    return not_ours("the stacks", error);
  }
}

Result<void> take_rights_of(const Question& question) {
  if (::geteuid() != 0) return {};
  return os::drop_to({.uid = question.uid, .gid = question.gid, .user = {}});
}

std::string format_answer(const std::vector<std::vector<std::string>>& stacks) { return json::serialize(json::value_from(stacks)); }

Result<std::vector<std::vector<std::string>>> parse_answer(std::string_view text) {
  try {
    return json::value_to<std::vector<std::vector<std::string>>>(parse(text));
  } catch (const std::exception& error) {
    return not_ours("the names", error);
  }
}

}  // namespace serval::stack
