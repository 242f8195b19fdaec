#pragma once

#include <vector>

#include "top/look.hpp"

namespace serval::top {

/// How much a count has grown in a second between two looks.
struct Change {
  double seconds = 0;  ///< 0: there is only one look
  double per_second(std::int64_t now, std::int64_t before) const;
};
/// Looks at different servers tell nothing together.
Change change_of(const Look& now, const Look* before);

/// Else there are programs alone.
bool has_app(const boost::json::object& status);

/// The lines above the table: how the server is, what it does, and how fast.
std::vector<Line> summary(const Look& now, const Look* before);

}  // namespace serval::top
