"""The kernel runs out of memory: it ends a worker rather than the mold or the master, and serval says that this is what happened."""

import os
import re
import unittest

import process_tree
from http_client import Closed, request_bytes, wait_until
from serval_process import ServalTest

MiB = 1 << 20


def mount_of(kind, option):
    """Where a hierarchy of control groups is mounted (proc(5), mountinfo)."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        for line in file:
            before, _, after = line.rstrip("\n").partition(" - ")
            what, _, options = after.split(" ", 2)
            if what == kind and (option is None or option in options.split(",")):
                return before.split(" ")[4]
    return None


def own_group(controller):
    """Our path in version 1's hierarchy of `controller`; in version 2's without one."""
    with open("/proc/self/cgroup", encoding="utf-8") as file:
        for line in file:
            number, controllers, path = line.rstrip("\n").split(":", 2)
            if controller in controllers.split(",") if controller else number == "0":
                return path
    return None


class MemoryGroup:
    """A control group below our own with so much memory for all in it. Raises OSError, with the reason, where there can be none."""

    def __init__(self, name, limit):
        v1 = mount_of("cgroup", "memory")
        mount, path = (v1, own_group("memory")) if v1 else (mount_of("cgroup2", None), own_group(None))
        if mount is None or path is None:
            raise OSError("no memory control groups are mounted")
        parent = mount + path.rstrip("/") if os.path.isdir(mount + path) else mount  # a container sees its group as the mount's root
        self.path = f"{parent}/{name}"
        os.mkdir(self.path)
        try:
            self._write("memory.limit_in_bytes" if v1 else "memory.max", limit)
            for swap in ("memory.memsw.limit_in_bytes",) if v1 else ("memory.swap.max",):
                if os.path.exists(f"{self.path}/{swap}"):
                    self._write(swap, limit if v1 else 0)
        except OSError:
            self.remove()
            raise

    def _write(self, name, value):
        with open(f"{self.path}/{name}", "w", encoding="ascii") as file:
            file.write(str(value))

    @property
    def prefix(self):
        """Before a command: it runs in the group from its first instruction on."""
        return ("sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', self.path)

    def remove(self):
        def gone():
            try:
                os.rmdir(self.path)
            except FileNotFoundError:
                pass
            except OSError:  # EBUSY: its last process is about to leave
                return False
            return True
        wait_until(gone, f"the end of {self.path}", deadline=10)


class OutOfMemory(ServalTest):
    group = None

    def setUp(self):
        self.addCleanup(self.remove_group)  # runs after all processes have been ended
        super().setUp()

    def remove_group(self):
        if self.group:
            self.group.remove()

    def start_in_group(self, limit):
        try:
            self.group = MemoryGroup(f"serval-test-{os.getpid()}", limit)
        except OSError as error:
            self.skipTest(f"no control group with a memory limit can be made here: {error}")
        return self.start("faulty", {"workers": {"count": 2, "threads": 2}}, prefix=self.group.prefix)

    def oom_score(self, pid):
        with open(f"/proc/{pid}/oom_score_adj", encoding="ascii") as file:
            return int(file.read())

    def test_the_kernel_is_told_whom_to_end_first(self):
        serval = self.start()
        master, mold = self.oom_score(serval.pid), self.oom_score(serval.mold())
        workers = [self.oom_score(pid) for pid in serval.workers().values()]
        self.assertEqual(len(workers), 2)
        self.assertGreater(mold, master)
        for worker in workers:
            self.assertGreater(worker, mold)

    def test_the_log_says_that_the_kernel_did_it(self):
        serval = self.start_in_group((512 if "SERVAL_SANITIZED" in os.environ else 128) * MiB)
        mold = serval.mold()
        with serval.client() as client:
            client.send(request_bytes(target="/alloc?mib=512&ms=60000"))
            with self.assertRaises((Closed, ConnectionResetError)):
                client.read_response()
        line = serval.expect_log(r"error .*worker died slot=\d+ worker_pid=(\d+) .*signal=SIGKILL .*cause=oom why=\"the kernel killed it for want of memory\"")
        serval.expect_log(rf"request lost with its worker slot=\d+ worker_pid={line[1]} .*target=\S*/alloc\?mib=512")
        serval.expect_log(r"worker ready", count=3)
        self.assertEqual(serval.get().status, 200)
        self.assertEqual(serval.mold(), mold)

    @unittest.skipIf("SERVAL_SANITIZED" in os.environ, "a sanitizer's own memory is most of that")
    def test_a_kill_by_somebody_else_is_not_taken_for_it(self):
        serval = self.start_in_group(256 * MiB)
        with serval.client() as client:
            client.send(request_bytes(target="/alloc?mib=1024&ms=60000"))
            with self.assertRaises((Closed, ConnectionResetError)):
                client.read_response()
        serval.expect_log(r"worker died .*cause=oom")
        serval.expect_log(r"worker ready", count=3)
        slot, pid = sorted(serval.workers().items())[0]
        process_tree.kill(pid)
        line = serval.expect_log(rf"worker died slot={slot} worker_pid={pid} .*")[0]
        self.assertRegex(line, r"cause=crash why=\"somebody else killed it\"")
        self.assertEqual(len(re.findall(r"cause=oom", serval.log())), 1)


if __name__ == "__main__":
    unittest.main()
