"""Which of the lost requests the logs explain, and how. Pure; chaos_explains_test.py has the cases."""

import collections
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Lost:
    target: str  # no other request has it
    how: str     # "status 503", or what happened to the connection
    status: int  # 0: no whole answer


def _counted(pattern, log):
    return sum(int(count) for count in re.findall(pattern, log))


def explain(lost, log, access):
    """(how many each explanation covers, those that none does). `log` and `access` are what was written since the time
    of calm before them.

    An answer is explained by its access line, if that has a reason. A request that a worker had read is named when that
    worker dies. All others are only counted: the worker says how many connections it took along, those of the named
    ones among them, or how many idle ones it closed."""
    by, unexplained, uncounted = collections.Counter(), [], []
    named = set(re.findall(r"request lost with its worker .*?target=\"?([^\s\"]+)", log))
    for one in lost:
        if one.status:
            line = re.search(rf"\"\w+ {re.escape(one.target)} .*reason=\"([^\"]+)\"", access)
            if line:
                by[line[1]] += 1
            else:
                unexplained.append(one)
        elif one.target in named:
            by["request lost with its worker"] += 1
        else:
            uncounted.append(one)
    taken_along = _counted(r"connections_lost=(\d+)", log) - by["request lost with its worker"]
    closed = _counted(r"idle connections are closed to make room.*?closed=(\d+)", log)
    for how, count in (("connections_lost=", taken_along), ("closed to make room", closed)):
        covered = min(len(uncounted), max(0, count))
        by[how] += covered
        uncounted = uncounted[covered:]
    return +by, unexplained + uncounted
