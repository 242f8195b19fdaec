"""Logs that go to pipes: without a reader, with one that leaves, with one that does not read; named and unnamed."""

import os
import re
import signal
import stat
import sys
import unittest

from http_client import Client, wait_until
from serval_process import ServalTest

O_NONBLOCK = 0o4000


class LogPipes(ServalTest):
    def fifo(self, name):
        os.mkfifo(self.path(name), 0o600)
        return self.path(name)

    def start_unheard(self, config, **options):
        serval = self.launch_config(config={**config, "server": {"bind": ["unix:" + self.path("app.sock")], **config.get("server", {})}}, **options)
        wait_until(self.listens, "the socket to listen")  # its file is there a moment earlier
        self.assertEqual(self.get(), 200)
        return serval

    def listens(self):
        try:
            Client(self.path("app.sock")).close()
        except OSError:
            return False
        return True

    def get(self, target="/"):
        with Client(self.path("app.sock")) as client:
            return client.request("GET", target, [("Connection", "close")]).status

    def status(self):
        return self.run_command("status", "--socket", self.path("control0.sock"))[0]

    @staticmethod
    def read_all(fd):
        got = b""
        while True:
            try:
                got += os.read(fd, 1 << 20)
            except BlockingIOError:
                return got.decode()

    def test_named_pipes_without_a_reader_block_nobody(self):
        log, access = self.fifo("log"), self.fifo("access")
        serval = self.start_unheard({"log": {"file": log, "access": access}})
        for number in range(2000):  # more than a pipe holds
            self.assertEqual(self.get(f"/{number}"), 200)
        self.assertEqual(self.status(), 0)
        serval.signal(signal.SIGUSR1)
        self.assertEqual(self.run_command("reopen", "--socket", self.path("control0.sock"))[0], 0)
        self.assertEqual(self.run_command("reload", "--socket", self.path("control0.sock"))[0], 0)
        self.assertEqual(self.get("/after"), 200)
        self.assertEqual(serval.stop(), 0)

    def test_a_reader_that_comes_late_gets_what_the_pipe_kept_and_what_follows(self):
        log, access = self.fifo("log"), self.fifo("access")
        serval = self.start_unheard({"log": {"file": log, "access": access}})
        self.assertEqual(self.get("/early"), 200)
        first = os.open(access, os.O_RDONLY | os.O_NONBLOCK)
        wait_until(lambda: "GET /early " in self.read_all(first), "the line from before")
        os.close(first)
        self.assertEqual(self.get("/between"), 200)
        second = os.open(access, os.O_RDONLY | os.O_NONBLOCK)
        wait_until(lambda: "GET /between " in self.read_all(second), "the line from when nobody read")
        os.close(second)
        log_reader = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
        wait_until(lambda: "serving workers" in self.read_all(log_reader), "what it said before, or as soon as it can")
        os.close(log_reader)
        self.assertEqual(serval.stop(), 0)

    def test_a_pipe_takes_the_place_of_a_file_at_a_reopening(self):
        access = self.path("access")
        serval = self.start(config={"log": {"access": access}})
        self.assertEqual(serval.get("/file").status, 200)
        os.rename(access, access + ".1")
        self.fifo("access")
        serval.signal(signal.SIGUSR1)
        serval.expect_log("logs reopened")
        self.assertEqual(serval.get("/pipe").status, 200)
        reader = os.open(access, os.O_RDONLY | os.O_NONBLOCK)
        wait_until(lambda: "GET /pipe " in self.read_all(reader), "the line in the pipe")
        os.close(reader)
        self.assertEqual(serval.stop(), 0)

    def test_lines_that_nobody_reads_are_summed_up_in_the_log(self):
        serval = self.start(config={"log": {"access": self.fifo("access")}, "workers": {"count": 1}})
        with serval.client() as client:
            for number in range(3000):
                self.assertEqual(client.get(f"/{number}").status, 200)
        serval.expect_log(r"warning worker\[0\] .*access lines dropped count=1 why=\"its reader does not keep up\"")
        self.assertEqual(serval.stop(), 0)
        counts = [int(count) for count in re.findall(r"access lines dropped count=(\d+)", serval.log())]
        self.assertLessEqual(len(counts), 3, serval.log())
        self.assertGreater(sum(counts), 1000)

    def test_workers_of_another_user_do_not_wait_for_a_reader_either(self):
        """They may not open root's pipe anew: what they inherit must not block."""
        if os.geteuid() != 0:
            self.skipTest("needs root, to become another user")
        os.chmod(self.folder, 0o755)
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        program = "import os, sys; fd = int(sys.argv[1]); os.dup2(fd, 1); os.execv(sys.argv[2], sys.argv[2:])"
        serval = self.start(config={"server": {"user": "nobody"}, "workers": {"count": 2}},
                            prefix=(sys.executable, "-c", program, str(writer)), popen={"pass_fds": (writer,)})
        inode = os.fstat(writer).st_ino
        for pid in serval.workers().values():
            flags = [self.flags(pid, fd) for fd in os.listdir(f"/proc/{pid}/fd") if self.inode(pid, fd) == inode and int(fd) > 2]
            self.assertTrue(flags)
            self.assertTrue(all(flag & O_NONBLOCK for flag in flags), flags)
        self.assertFalse(self.flags(os.getpid(), writer) & O_NONBLOCK, "ours was changed as well")
        with serval.client() as client:
            for number in range(2000):
                self.assertEqual(client.get(f"/{number}").status, 200)
        self.assertEqual(serval.stop(), 0)

    @staticmethod
    def inode(pid, fd):
        try:
            status = os.stat(f"/proc/{pid}/fd/{fd}")
        except OSError:
            return 0
        return status.st_ino if stat.S_ISFIFO(status.st_mode) else 0

    @staticmethod
    def flags(pid, fd):
        with open(f"/proc/{pid}/fdinfo/{fd}") as file:
            return int(re.search(r"flags:\s*([0-7]+)", file.read())[1], 8)


if __name__ == "__main__":
    unittest.main()
