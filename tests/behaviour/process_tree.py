"""Looks at processes through /proc. The test itself is a subreaper, so nothing that it started can escape its sight."""

import ctypes
import os
import signal

PR_SET_CHILD_SUBREAPER = 36


def become_subreaper():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def _stat(pid):
    """(state, parent, start time), or None if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            fields = file.read().rpartition(")")[2].split()
        return fields[0], int(fields[1]), int(fields[19])
    except (FileNotFoundError, ProcessLookupError):
        return None


def descendants(pid):
    """The pids of all processes below `pid`, zombies included."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (stat := _stat(name)):
            children.setdefault(stat[1], []).append(int(name))
    found, todo = [], [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return sorted(found)


def state(pid):
    stat = _stat(pid)
    return stat[0] if stat else None


def parent(pid):
    stat = _stat(pid)
    return stat[1] if stat else None


def begun(pid):
    """For sorting by age: the oldest first."""
    stat = _stat(pid)
    return (stat[2] if stat else 0, pid)


def alive(pid):
    return state(pid) not in (None, "Z", "X")


def kill(pid, number=signal.SIGKILL):
    """A process that is gone already is fine."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def title(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def fd_count(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def fd_targets(pid):
    targets = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            targets.append(os.readlink(f"/proc/{pid}/fd/{name}"))
        except FileNotFoundError:
            pass
    return targets


def thread_count(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def reap_adopted(keep=()):
    """Collects the orphans that died in our care; `keep` are pids that somebody else waits for."""
    for pid in descendants(os.getpid()):
        stat = _stat(pid)
        if stat and stat[0] == "Z" and stat[1] == os.getpid() and pid not in keep:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass
