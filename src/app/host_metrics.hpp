#pragma once

#include <cstddef>
#include <cstdint>

#include <serval/serval.h>

#include "metrics/board.hpp"

/// The functions of serval_host for the app's own metrics, as serval.h says what they do.
namespace serval::app {

/// Where the app's metrics are from here on; borrowed for the rest of the process's life, and of its children's. Before
/// an app is loaded. Without it they are taken as they are, and count nothing.
void count_on(metrics::Board* board);

std::uint32_t declare_metric(const serval_metric* metric, char* why, std::size_t capacity);
std::uint32_t metric_row(std::uint32_t metric, const serval_text* values, std::size_t count);
void metric_add(std::uint32_t metric, std::uint32_t row, std::uint64_t by);
void metric_set(std::uint32_t metric, std::uint32_t row, double to);
void metric_move(std::uint32_t metric, std::uint32_t row, double by);
void metric_observe(std::uint32_t metric, std::uint32_t row, double value);

}  // namespace serval::app
