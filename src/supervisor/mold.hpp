#pragma once

#include <map>
#include <string>
#include <string_view>

#include "supervisor/backoff.hpp"
#include "supervisor/state.hpp"

namespace serval::supervisor {

std::string_view name_of(MoldState state);

/// What is known of a mold: its record, and what begins anew in a successor of this process.
struct Mold : MoldRecord {
  Mold() = default;
  explicit Mold(const MoldRecord& record) : MoldRecord(record), backoff(record.crashes_in_a_row) {}
  MoldRecord record() const {
    MoldRecord record = *this;
    record.crashes_in_a_row = backoff.crashes_in_a_row();
    return record;
  }

  TimePoint complain_at = TimePoint::max();  ///< leaving: when it begins to take long
  bool killed = false;                       ///< by us
  std::string why;                           ///< the mold's own words for its failure
  int reopens_pending = 0;
  Backoff backoff;
};

/// By generation; those that live, and the one that workers come from.
using Molds = std::map<int, Mold>;

}  // namespace serval::supervisor
