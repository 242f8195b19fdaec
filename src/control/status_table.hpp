#pragma once

#include <boost/json/object.hpp>
#include <string>

namespace serval::control {

/// A status (status.hpp) for people, in 80 columns: two lines about the server, a table with a line for each worker,
/// what it is doing indented below it, and which workers have ended. No control byte of a client's gets through to the
/// terminal. A status of another serval may lack keys: they show as "-".
///
/// ```
/// shop, serval 0.1.0, pid 811: serving, up for 2h 5m, generation 1
/// 1 of 2 workers serve, 1204 requests answered (5xx: 3)
///
/// SLOT PID GEN STATE   AGE  REQUESTS CONNS BUSY WAIT  MEMORY BEAT
///    0 813   1 serving 2h5m      602    11  1/5    0 14.2MiB 10ms
///       GET /report?year=2026 for 1.2s, 28s left
///         from 10.0.0.7, thread 830, id 6f2a
///    1   -   1 cooling -           0     0  0/5    0       - -
///       starts again in 350ms, 3 crashes in a row
///
/// ended: crash 3, max_requests 12
/// ```
std::string format_status(const boost::json::object& status);

}  // namespace serval::control
