"""What processes cost, read from /proc. `pids` are those of a whole tree, see Server.pids."""

import os
import re

TICK = os.sysconf("SC_CLK_TCK")


def _read(path):
    """Empty for a process that is gone."""
    try:
        with open(path, encoding="latin-1") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def cpu_seconds(pids):
    """User and system time of those that live, and of all that they have waited for: who died in between is not lost."""
    total = 0
    for pid in pids:
        fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        total += sum(map(int, fields[11:15]))
    return total / TICK


def exact_cpu_seconds(pid):
    """Of the threads that live now, to the nanosecond: for those that hardly run."""
    return sum(int((_read(f"/proc/{pid}/task/{task}/schedstat") or "0").split()[0]) for task in os.listdir(f"/proc/{pid}/task")) / 1e9


def memory_kib(pids, kind):
    """The sum of the lines whose names match `kind`: "Pss", or "Private_.*"."""
    total = 0
    for pid in pids:
        total += sum(map(int, re.findall(rf"^{kind}:\s+(\d+) kB", _read(f"/proc/{pid}/smaps_rollup"), re.MULTILINE)))
    return total


def wakeups(pids):
    """How often the threads have gone to sleep by themselves, which is how often they had been woken."""
    total = 0
    for pid in pids:
        try:
            tasks = os.listdir(f"/proc/{pid}/task")
        except FileNotFoundError:
            continue
        for task in tasks:
            match = re.search(r"^voluntary_ctxt_switches:\s+(\d+)", _read(f"/proc/{pid}/task/{task}/status"), re.MULTILINE)
            total += int(match[1]) if match else 0
    return total


def standing(pid):
    """What must not grow in a process that lives on while all around it breaks."""
    status = dict(re.findall(r"^(\w+):\s+(.*)$", _read(f"/proc/{pid}/status"), re.MULTILINE))
    children = _read(f"/proc/{pid}/task/{pid}/children").split()
    states = [_read(f"/proc/{child}/stat").rpartition(")")[2].split()[:1] for child in children]
    return {"fds": len(os.listdir(f"/proc/{pid}/fd")), "threads": int(status["Threads"]),
            "pss_kib": memory_kib([pid], "Pss"), "children": len(children), "zombies": states.count(["Z"])}


def available_mib():
    return int(re.search(r"MemAvailable:\s+(\d+)", _read("/proc/meminfo"))[1]) // 1024
