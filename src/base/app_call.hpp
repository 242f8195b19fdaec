#pragma once

#include <string_view>

namespace serval {

/// Whether a frame of a worker's stack is the one in which serval has called the app: from there outwards it is always
/// the same. The member functions that call the app, none of them inline, are the only ones of this class on a stack.
constexpr bool calls_the_app(std::string_view frame) { return frame.starts_with("serval::app::App::"); }

}  // namespace serval
