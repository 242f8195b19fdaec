#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <cstddef>
#include <vector>

#include "top/look.hpp"

/// The table of workers, with ONE table of its columns.
namespace serval::top {

struct Row {
  const boost::json::object* worker;  ///< of the status
  double rate;  ///< requests a second; -1: not known
};
std::vector<Row> rows_of(const Look& now, const Look* before);
void sort(std::vector<Row>& rows, const Chosen& chosen);

/// How wide each column is; 0: it is left out.
using Widths = std::array<std::size_t, kColumns>;
/// Where there is no room for all, what matters least goes first.
Widths widths_for(const std::vector<Row>& rows, Column sorted, std::size_t room);

Line title_line(const Widths& widths, const Chosen& chosen);
Line row_line(const Row& row, const Widths& widths, bool selected);
/// Of a request in progress, below its worker.
Line request_line(const boost::json::object& request);

}  // namespace serval::top
