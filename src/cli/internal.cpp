#include <charconv>

#include "admin/admin.hpp"
#include "base/text.hpp"
#include "cli/adopt.hpp"
#include "cli/bodies.hpp"
#include "cli/draw.hpp"
#include "cli/read_config.hpp"
#include "cli/stack.hpp"
#include "cli/usage.hpp"
#include "mold/mold.hpp"
#include "mold/task_once.hpp"

namespace serval::cli {
namespace {

/// The descriptor that the first word names; -1 if it names none.
int descriptor_of(const Invocation& invocation) {
  const auto& word = invocation.words.front();
  int fd = -1;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), fd);
  return error == std::errc{} && end == word.data() + word.size() ? fd : -1;
}

int refuse(std::string_view command, const Invocation& invocation, std::string_view hint) {
  return usage_error(command, quoted(invocation.words.front()) + " is not a file descriptor", hint);
}

}  // namespace

int mold(const Invocation& invocation) {
  if (const int fd = descriptor_of(invocation); fd >= 0) return mold::run(fd);
  return refuse("mold", invocation, "serval starts its molds itself");
}

int once(const Invocation& invocation) {
  const auto& words = invocation.words;
  if (const int fd = descriptor_of(invocation); fd >= 0)
    return mold::run_once(fd, words[1], {words.begin() + 2, words.end()});
  return refuse("once", invocation, "serval task runs a task of the app");
}

int admin(const Invocation& invocation) {
  if (const int fd = descriptor_of(invocation); fd >= 0) return admin::run(fd);
  return refuse("admin", invocation, "serval starts it itself; admin.bind says where it listens");
}

int stack(const Invocation& invocation) {
  if (const int fd = descriptor_of(invocation); fd >= 0) return name_stacks(fd);
  return refuse("stack", invocation, "serval asks itself for stacks");
}

int draw(const Invocation& invocation) {
  if (const int fd = descriptor_of(invocation); fd >= 0) return draw_profile(fd);
  return refuse("draw", invocation, "serval profile makes profiles");
}

int read_config(const Invocation& invocation) {
  if (const int fd = descriptor_of(invocation); fd >= 0) return read_config(fd);
  return refuse("read", invocation, "serval config shows a configuration");
}

int adopt(const Invocation& invocation) {
  const bool check = invocation.words.size() == 2;
  if (check && invocation.words[1] != "check") {
    return usage_error("adopt", quoted(invocation.words[1]) + " is not expected", "serval upgrades itself");
  }
  if (const int fd = descriptor_of(invocation); fd >= 0) return adopt(fd, check);
  return refuse("adopt", invocation, "serval upgrade does it");
}

}  // namespace serval::cli
