#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/loaded.hpp"
#include "config/raw.hpp"

/// The rules that look at more than one value.
namespace serval::config {

/// Rules among the elements of one list, at the offending element: addresses to listen on are different from each
/// other.
void check_list(const Option& option, const Raw& raw, std::vector<Problem>& problems);

/// Values that follow from others: server.name from app.library.
void complete(Loaded& loaded);

/// Rules among options, and values that must be there. Adds to `loaded.problems`, at the place where the offending
/// value was said.
void validate(Loaded& loaded);

/// "/srv/build/libshop.so.2" → "shop"; bytes that server.name does not allow become '-'.
std::string name_from_library(std::string_view library);

}  // namespace serval::config
