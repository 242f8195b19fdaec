"""The master never waits for a process that does not read what it is told: its channel gets full, and the process is replaced."""

import os
import signal
import unittest

import process_tree
from http_client import wait_until
from serval_process import ServalTest

MORE_THAN_A_CHANNEL_HOLDS = 300  # messages of 2 KiB; a socket takes some dozens (net.core.wmem_default)


class FullChannel(ServalTest):
    def start_patient(self):
        return self.start(config={"workers": {"count": 2, "heartbeat_timeout": "10m"}, "shutdown": {"grace": "1s"},
                                  "log": {"access": self.path("access")}})

    def command(self, *words):
        code, _, err = self.run_command(*words, "-c", self.path("serval0.toml"))
        self.assertEqual(code, 0, err)

    def fill(self, serval, pid):
        """Stops a process, and has the master tell it and all others again and again that logs have moved."""
        os.kill(pid, signal.SIGSTOP)
        self.addCleanup(process_tree.kill, pid)
        for _ in range(MORE_THAN_A_CHANNEL_HOLDS):
            os.rename(self.path("access"), self.path("old"))
            serval.signal(signal.SIGUSR1)
            wait_until(lambda: os.path.exists(self.path("access")), "a new access log")  # or the next signal would be the same
        self.command("status")

    def test_a_worker_that_reads_nothing_is_replaced(self):
        serval = self.start_patient()
        deaf = serval.workers()[1]
        self.fill(serval, deaf)
        serval.expect_log(rf"warning .*worker does not take messages slot=1 worker_pid={deaf}$")
        serval.expect_log(rf"replacing worker slot=1 worker_pid={deaf} cause=unfit")
        serval.expect_log(rf"worker_pid={deaf} .*cause=grace_over first_cause=unfit")
        self.command("reopen")  # nobody is waited for any more who has not heard of it
        self.assertEqual(serval.get().status, 200)
        self.assertEqual(serval.stop(), 0)

    def test_so_is_a_mold(self):
        serval = self.start_patient()
        workers, deaf = serval.workers(), serval.mold()
        self.fill(serval, deaf)
        serval.expect_log(r'error .*mold died gen=1 why="it does not take messages"')
        serval.expect_log(r"app loaded gen=1", count=2)
        self.command("reopen")
        self.assertEqual(serval.workers(), workers)
        self.assertEqual(serval.stop(), 0)


if __name__ == "__main__":
    unittest.main()
