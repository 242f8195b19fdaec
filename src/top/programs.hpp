#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "top/look.hpp"

/// The table of programs: a row for each instance, and one for a program that has none.
namespace serval::top {

struct ProgramRow {
  const boost::json::object* program;   ///< of the status
  const boost::json::object* instance;  ///< nullptr: there is none
  double cpu;                           ///< CPUs in use; -1: not known
  bool first;                           ///< of its program: what is said of the whole program stands here
};
std::vector<ProgramRow> program_rows(const Look& now, const Look* before);

/// The title first; as many columns as have room. `selected`: a row; -1: none.
std::vector<Line> program_lines(const std::vector<ProgramRow>& rows, std::size_t room, int selected);

/// "3/4 programs are up"
Line programs_line(const boost::json::object& status);

}  // namespace serval::top
