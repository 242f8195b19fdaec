"""In systemd's journal: priorities instead of times, for whatever serval and the app say."""

import json
import os
import re
import signal
import socket
import sys
import unittest

from http_client import Client, wait_until
from serval_process import ServalTest

# argv: the descriptor of the stream, then the command. As systemd does it: both standard descriptors, and the variable that names the file.
ENTER = """import os, sys
fd = int(sys.argv[1])
status = os.fstat(fd)
os.environ["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}"
os.dup2(fd, 1)
os.dup2(fd, 2)
os.close(fd)
os.execv(sys.argv[2], sys.argv[2:])
"""


class Journal(ServalTest):
    def setUp(self):
        super().setUp()
        self.journal, self.stream = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.journal.setblocking(False)
        self.read = b""
        self.addCleanup(self.journal.close)
        self.addCleanup(self.stream.close)

    def launch_into_journal(self, app="hello", config=None, **options):
        config = {**(config or {}), "server": {"bind": ["unix:" + self.path("app.sock")]}}
        return self.launch_config(app=app, config=config, prefix=(sys.executable, "-c", ENTER, str(self.stream.fileno())),
                                  popen={"pass_fds": (self.stream.fileno(),)}, **options)

    def lines(self):
        try:
            while got := self.journal.recv(1 << 20):
                self.read += got
        except BlockingIOError:
            pass
        return self.read.decode().splitlines()

    def expect(self, pattern):
        return wait_until(lambda: [line for line in self.lines() if re.search(pattern, line)], lambda: f"a line like {pattern!r} in {self.lines()}")

    def get(self, target, headers=()):
        with Client(self.path("app.sock")) as client:
            return client.request("GET", target, [("Connection", "close"), *headers]).status

    def test_each_line_has_its_priority_and_no_time_of_its_own(self):
        serval = self.launch_into_journal(app="probe", config={"workers": {"count": 1}})
        self.expect(r"^<6>master pid=\d+: serving ")
        self.assertEqual(self.get("/throw"), 500)
        self.expect(r"^<3>worker\[0\] gen=1 pid=\d+: app failed ")
        self.assertEqual(serval.stop(), 0)
        for line in self.lines():
            self.assertRegex(line, r"^<[3-7]>")
            self.assertNotRegex(line, r"^<\d>\d{4}-\d\d-\d\dT")

    def test_what_the_app_prints_has_one_as_well(self):
        serval = self.launch_into_journal(app="faulty", config={"workers": {"count": 1}})
        self.expect("serving")
        self.assertEqual(self.get("/print?lines=3"), 200)
        wait_until(lambda: len(self.expect(r"^<6>worker\[0\] .*stream=stderr: ")) == 3, "three lines")
        self.assertEqual(serval.stop(), 0)
        self.assertTrue(all(re.match(r"<[3-7]>", line) for line in self.lines()), self.lines())

    def test_json_stays_json(self):
        serval = self.launch_into_journal(config={"log": {"format": "json", "access_format": "json"}})
        self.expect("serving")
        self.assertEqual(self.get("/"), 200)
        self.expect('"target":"/"')
        self.assertEqual(serval.stop(), 0)
        for line in self.lines():
            self.assertRegex(line, r"^<6>")
            json.loads(line[3:])

    def test_no_client_says_a_priority_of_its_own(self):
        serval = self.launch_into_journal(config={"log": {"access_format": "$user_agent"}})
        self.expect("serving")
        self.assertEqual(self.get("/", [("User-Agent", "<0>the end is near")]), 200)
        self.expect("^<6><0>the end is near$")
        self.assertEqual(serval.stop(), 0)

    def test_a_file_has_times_and_no_priorities(self):
        log = self.path("serval.log")
        serval = self.launch_into_journal(config={"log": {"file": log}})
        wait_until(lambda: os.path.exists(log) and "serving" in open(log).read(), "a server")
        serval.signal(signal.SIGUSR1)
        wait_until(lambda: "logs reopened" in open(log).read(), "the reopening")
        self.assertEqual(serval.stop(), 0)
        with open(log) as file:
            for line in file:
                self.assertRegex(line, r"^\d{4}-\d\d-\d\dT")

    def test_a_start_that_fails_is_an_error(self):
        serval = self.launch_into_journal(config={"log": {"file": "/does/not/exist/serval.log"}})
        self.assertEqual(serval.wait(), 73)
        self.expect(r"^<3>serval: cannot open the log file")

    def test_problems_of_the_configuration_are_errors_line_by_line(self):
        serval = self.launch_into_journal(config={"workers": {"thread": 1}})
        self.assertEqual(serval.wait(), 78)
        self.expect(r"^<3>.*workers\.thread")
        self.assertTrue(all(line.startswith("<3>") for line in self.lines()), self.lines())


if __name__ == "__main__":
    unittest.main()
