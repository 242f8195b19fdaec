#pragma once

#include <string_view>

#include <serval/serval.h>

namespace serval::app {

/// Texts as the ABI has them; what is absent there is empty here.
inline std::string_view view(serval_text text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size);
}
inline serval_text text(std::string_view view) { return {view.data(), view.size()}; }

}  // namespace serval::app
