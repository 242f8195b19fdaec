#pragma once

#include <functional>

#include "supervisor/events.hpp"

namespace serval::master {

/// Something has happened. The supervisor hears of it at once, or, while the actions of another event are being
/// performed, right after those.
using Tell = std::function<void(supervisor::Event)>;

}  // namespace serval::master
