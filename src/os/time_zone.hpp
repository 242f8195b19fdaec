#pragma once

#include <cstdint>

namespace serval::os {

/// How far the clocks of this machine's time zone, that of TZ, are ahead of UTC at that moment; both in seconds, the
/// moment since 1970.
std::int64_t offset_at(std::int64_t moment);

}  // namespace serval::os
