// What the mold inherits: JSON in a memory file. Any text gives a heritage or an error, and what is written comes back
// the same, whatever its bytes.
#include "ipc/heritage.hpp"

#include <algorithm>

#include "config/load.hpp"
#include "fuzz.hpp"
#include "os/memory_file.hpp"

namespace serval::fuzz {
namespace {

Result<ipc::Heritage> read(std::string_view text) {
  const UniqueFd fd = std::move(os::make_memory_file("fuzz", "a text", text).value());
  return ipc::read_heritage(fd.get());
}

std::string text_of(const ipc::Heritage& heritage) {
  const UniqueFd fd = std::move(ipc::write_heritage(heritage).value());
  return os::read_memory_file(fd.get(), "it").value();
}

}  // namespace

void fuzz_one(std::string_view bytes) {
  if (const auto heritage = read(bytes)) {
    const std::string text = text_of(*heritage);
    const auto again = read(text);
    SERVAL_CHECK(again.has_value());
    SERVAL_CHECK(text_of(*again) == text);
  }
  // Paths, arguments and variables are bytes, not always UTF-8; all but NUL, which no configuration takes.
  std::string any(bytes);
  std::replace(any.begin(), any.end(), '\0', '0');
  ipc::Heritage mine;
  mine.config.app.library = any;
  mine.config.app.args = {any, ""};
  mine.config.app.env = {{"NAME", any}};
  mine.listeners = {{3, any, true}};
  const auto again = read(text_of(mine));
  SERVAL_CHECK(again.has_value());
  SERVAL_CHECK(config::to_text(again->config) == config::to_text(mine.config));
  SERVAL_CHECK(again->listeners.size() == 1 && again->listeners[0].address == any);
}

}  // namespace serval::fuzz
