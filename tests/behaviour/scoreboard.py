"""Reads the scoreboard of a running serval from outside, through the master's descriptor of it; layout and names are those of src/scoreboard/layout.hpp.

A layout that has changed fails here loudly: whoever counts kVersion up, changes VERSION and the offsets below.
"""

import os
import struct
import threading
from dataclasses import dataclass

MAGIC = 0x6C61767265730A01
VERSION = 2
PAGE = 4096
CACHE_LINE = 64

# The sizes of the tables in src/scoreboard/counters.hpp.
GAUGES = ("connections", "running", "waiting")
COUNTERS = 8
HISTOGRAMS = 2
BUCKETS = 16
STATUSES = 500
STATUS_CLASSES = 5

PHASES = ("none", "booting", "serving", "draining")
HEADER = struct.Struct("=QIiiI")
CELLS = struct.Struct(f"=iiIiqqQ{len(GAUGES)}i")  # what belongs to the life of one worker
ROW_BYTES = 512


def _up(size, unit):
    return (size + unit - 1) // unit * unit


COUNTED = _up(_up(CELLS.size, CACHE_LINE) + 8 * (COUNTERS + HISTOGRAMS * (BUCKETS + 1) + STATUSES), CACHE_LINE)
SLOT_CELLS = _up(COUNTED + 8 * (STATUS_CLASSES + BUCKETS + 1), CACHE_LINE)


@dataclass(frozen=True)
class Slot:
    index: int
    pid: int
    generation: int
    phase: str
    loop_thread: int
    begun: int  # nanoseconds of the monotonic clock, as is beat
    beat: int
    requests: int
    connections: int
    running: int
    waiting: int


class Scoreboard:
    def __init__(self, master):
        """`master` is the master's pid."""
        self.fd = None
        for name in os.listdir(f"/proc/{master}/fd"):
            try:
                if os.readlink(f"/proc/{master}/fd/{name}").startswith("/memfd:serval-scoreboard"):
                    self.fd = os.open(f"/proc/{master}/fd/{name}", os.O_RDONLY | os.O_CLOEXEC)
                    break
            except FileNotFoundError:
                pass
        if self.fd is None:
            raise AssertionError(f"process {master} has no descriptor of a memfd:serval-scoreboard")
        magic, version, self.slots, rows, _ = HEADER.unpack(os.pread(self.fd, HEADER.size, 0))
        if magic != MAGIC or version != VERSION:
            raise AssertionError(f"this is no scoreboard of version {VERSION}: magic {magic:#x}, version {version}")
        self.slot_bytes = _up(SLOT_CELLS + rows * ROW_BYTES, PAGE)
        size = os.fstat(self.fd).st_size
        if size != PAGE + self.slots * self.slot_bytes:
            raise AssertionError(f"a scoreboard of {self.slots} slots with {rows} rows should not have {size} bytes: has the layout changed?")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def _look(self):
        found, at = [], PAGE
        while at < PAGE + self.slots * self.slot_bytes:
            try:
                data = os.lseek(self.fd, at, os.SEEK_DATA)  # slots that nobody wrote to are holes
            except OSError:  # ENXIO: no data from there on
                break
            index = (data - PAGE) // self.slot_bytes
            begin = PAGE + index * self.slot_bytes
            pid, generation, phase, loop_thread, begun, beat, requests, *gauges = CELLS.unpack(os.pread(self.fd, CELLS.size, begin))
            if pid:
                found.append(Slot(index, pid, generation, PHASES[phase], loop_thread, begun, beat, requests, *gauges))
            at = begin + self.slot_bytes
        return found

    def workers(self):
        """The slots that hold a worker. Looks are repeated until two in a row agree on who does what: one look takes the slots one after another,
        and would see neither of two workers of which one begins and the other ends meanwhile."""
        def who(slots):
            return [(slot.index, slot.pid, slot.phase) for slot in slots]

        before = self._look()
        while True:
            now = self._look()
            if who(now) == who(before):
                return now
            before = now

    def serving(self):
        return [slot for slot in self.workers() if slot.phase == "serving"]

    def of(self, pid):
        """The slot of that worker; None if it is in none."""
        return next((slot for slot in self.workers() if slot.pid == pid), None)


class Watch:
    """Looks at the scoreboard all the time, on a thread: the fewest workers that served at a time, and the most that there were."""

    def __init__(self, serval):
        self.board = Scoreboard(serval.pid)
        self.fewest_serving = len(self.board.serving())
        self.most_workers = 0
        self.looks = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        while not self._over.is_set():
            workers = self.board.workers()
            self.fewest_serving = min(self.fewest_serving, sum(slot.phase == "serving" for slot in workers))
            self.most_workers = max(self.most_workers, len(workers))
            self.looks += 1
            self._over.wait(0.001)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        os.close(self.board.fd)
