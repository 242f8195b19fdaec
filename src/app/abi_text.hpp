#pragma once

#include <cstddef>
#include <string_view>

#include <serval/serval.h>

namespace serval::app {

/// Texts as the ABI has them; what is absent there is empty here.
inline std::string_view view(serval_text text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size);
}
inline serval_text text(std::string_view view) { return {view.data(), view.size()}; }

/// A reason into the app's buffer, with a terminating NUL if there is room for any.
inline void say_why(std::string_view text, char* why, std::size_t capacity) {
  if (why == nullptr || capacity == 0) return;
  why[text.copy(why, capacity - 1)] = '\0';
}

}  // namespace serval::app
