#pragma once

#include <boost/json/object.hpp>
#include <string>

namespace serval::control {

/// The answer of `serval stacks` (master/worker_stacks.hpp) for people; threads that do nothing at one place are shown
/// together, and of the stack of a request only the app's part.
///
/// ```
/// worker 0, pid 813, generation 1
///   thread 830, sleeps: GET /report?year=2026  for 1.2s, id 6f2a
///     clock_nanosleep in libc.so.6
///     Shop::handle(serval::Request const&) at shop/shop.cpp:63
///   thread 813, sleeps: has the I/O loop
///     epoll_wait in libc.so.6
///   threads 831 832, sleeps: no request
///     ...
/// worker 1, pid 814, generation 1: it does not answer; the thread that has its I/O loop is stopped by a signal
/// ```
std::string format_stacks(const boost::json::object& stacks);

}  // namespace serval::control
