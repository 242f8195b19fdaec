"""`serval logs`: the end of a running server's log, by worker, level and text; and what is added, over rotations and truncations."""

import json
import os
import re
import signal
import unittest

from http_client import Client, wait_until
from serval_process import ServalTest


class LogsCommandTest(ServalTest):
    def start_with_log(self, log=None):
        """`probe` with its log in a file; returns when it serves."""
        self.log_file = self.path("serval.log")
        self.serval = self.launch_config(app="probe", config={
            "server": {"bind": ["unix:" + self.path("app.sock")]}, "workers": {"count": 1},
            "log": {"file": self.log_file, "access": "off", **(log or {})}})
        self.wait_logged("serving")
        return self.serval

    def wait_logged(self, text):
        wait_until(lambda: os.path.exists(self.log_file) and text in self.logged(), f"{text!r} in the log")

    def logged(self):
        with open(self.log_file, encoding="utf-8") as file:
            return file.read()

    def say(self, text):
        """The app logs `text`, a warning, and once more `text elsewhere`."""
        with Client(self.path("app.sock")) as client:
            self.assertEqual(client.get(f"/log?text={text}").status, 200)

    def logs(self, *flags):
        """What `serval logs` prints, which is to succeed."""
        code, out, error = self.run_command("logs", "--socket", self.path("control0.sock"), *flags)
        self.assertEqual((code, error), (0, ""))
        return out.splitlines()

    def refused(self, *flags):
        code, out, error = self.run_command("logs", "--socket", self.path("control0.sock"), *flags)
        self.assertEqual((code, out), (1, ""))
        return error


class End(LogsCommandTest):
    def test_the_last_lines_as_they_are(self):
        self.start_with_log()
        for number in range(60):
            self.say(f"line{number}")
        self.wait_logged("line59 elsewhere")
        all_lines = self.logged().splitlines()
        self.assertEqual(self.logs(), all_lines[-100:])
        self.assertEqual(self.logs("-n", "3"), all_lines[-3:])
        self.assertEqual(self.logs("-n", "0"), [])
        self.assertEqual(self.logs("-n", "100000"), all_lines)

    def test_of_a_worker_a_level_or_a_text(self):
        self.start_with_log()
        self.say("first")
        self.say("second")
        self.wait_logged("second elsewhere")
        self.assertEqual({re.search(r"Z \w+ +(\S+)", line)[1] for line in self.logs("--worker", "0")}, {"worker[0]"})
        self.assertEqual(self.logs("--worker", "7"), [])
        levels = {re.search(r"Z (\w+)", line)[1] for line in self.logs("--level", "warning")}
        self.assertEqual(levels, {"warning"})
        [line] = self.logs("--grep", "first from=app request_id=")
        self.assertIn("warning", line)
        self.assertRegex(" ".join(self.logs("-n", "1", "--grep", "first")), "first elsewhere")

    def test_of_a_log_with_the_names_of_a_collector(self):
        self.start_with_log({"format": "json", "keys": "ecs"})
        self.say("hello")
        self.wait_logged("hello elsewhere")
        records = [json.loads(line) for line in self.logs("--worker", "0", "--level", "warning")]
        self.assertEqual([record["message"] for record in records], ["hello", "hello elsewhere"])

    def test_no_terminal_obeys_what_the_file_holds(self):
        self.start_with_log()
        with open(self.log_file, "ab") as file:
            file.write(b"\x1b[31mred\n")
        self.assertEqual(self.logs("-n", "1"), ["\\x1b[31mred"])


class Refusals(LogsCommandTest):
    def test_a_log_that_goes_to_standard_error_says_where_to_look(self):
        self.start()
        self.assertRegex(self.refused(), r"standard error(.|\n)*hint: .*journalctl.*docker logs")

    def test_a_file_that_cannot_be_read_says_why(self):
        self.start_with_log()
        os.unlink(self.log_file)
        self.assertIn(f"cannot read the log {self.log_file}: No such file or directory", self.refused())

    def test_a_named_pipe_keeps_its_bytes(self):
        os.mkfifo(self.path("pipe"))
        reader = os.open(self.path("pipe"), os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        serval = self.launch_config(config={"log": {"file": self.path("pipe")}})
        said = b""

        def serves():
            nonlocal said
            try:
                said += os.read(reader, 65536)
            except BlockingIOError:
                pass
            self.assertIsNone(serval.process.poll(), "serval ended")
            return b": serving" in said
        wait_until(serves, "the line that it serves")
        self.assertIn("it is no regular file", self.refused())

    def test_flags_that_make_no_sense(self):
        for flags, what in ((("-n", "x"), "-n \"x\" is no number"), (("--worker", "-1"), "is no slot"),
                            (("--level", "loud"), "is no level")):
            code, _, error = self.run_command("logs", *flags)
            self.assertEqual(code, 64)
            self.assertIn(what, error)


class Follow(LogsCommandTest):
    def follow(self, *flags):
        follower = self.launch("logs", "-f", "--socket", self.path("control0.sock"), *flags)
        return follower

    def wait_printed(self, follower, text):
        wait_until(lambda: any(text in line for line in follower.access()) or follower.process.poll() is not None,
                   f"{text!r} among what is printed")
        self.assertIsNone(follower.process.poll(), "it has ended: " + follower.log())

    def test_over_rotations_nothing_is_missing_and_ctrl_c_is_no_failure(self):
        serval = self.start_with_log()
        follower = self.follow("-n", "1000", "--grep", "elsewhere")
        self.say("before")
        self.wait_printed(follower, "before elsewhere")
        for turn in range(3):
            old = f"{self.log_file}.{turn}"
            os.rename(self.log_file, old)
            self.say(f"renamed{turn}")  # serval has the old file still
            self.wait_printed(follower, f"renamed{turn} elsewhere")
            self.write("serval.log", "")  # as logrotate's `create` does it
            self.say(f"created{turn}")
            self.wait_printed(follower, f"created{turn} elsewhere")
            serval.signal(signal.SIGUSR1)
            self.wait_logged("logs reopened")
            self.say(f"reopened{turn}")
            self.wait_printed(follower, f"reopened{turn} elsewhere")
        follower.signal(signal.SIGINT)
        self.assertEqual(follower.wait(), 0)
        said = [re.search(r": (\S+) elsewhere", line)[1] for line in follower.access()]
        expected = [f"{what}{turn}" for turn in range(3) for what in ("renamed", "created", "reopened")]
        self.assertEqual(said, ["before", *expected])

    def test_over_truncations(self):
        self.start_with_log()
        follower = self.follow("-n", "1000")
        self.wait_printed(follower, "serving")
        os.truncate(self.log_file, 0)
        self.say("after")
        self.wait_printed(follower, "after elsewhere")
        follower.signal(signal.SIGINT)
        self.assertEqual(follower.wait(), 0)

    def test_it_sleeps_while_nothing_is_logged(self):
        self.start_with_log()
        follower = self.follow("-n", "1")
        wait_until(follower.access, "the last line")

        def waits():
            with open(f"/proc/{follower.pid}/syscall") as file:
                return file.read().split()

        try:
            waits()
        except OSError as error:
            self.skipTest(f"may not see what it waits in: {error}")
        # poll(2) is 7 on x86-64, ppoll(2) 73 on arm64; the third argument is the timeout: none.
        if os.uname().machine == "x86_64":
            wait_until(lambda: (seen := waits())[0] == "7" and int(seen[3], 16) & 0xffffffff == 0xffffffff,
                       "a poll(2) without a timeout")
        follower.signal(signal.SIGINT)
        self.assertEqual(follower.wait(), 0)

    def test_it_ends_when_its_reader_is_gone(self):
        self.start_with_log()
        read_end, write_end = os.pipe()
        follower = self.launch("logs", "-f", "-n", "1", "--socket", self.path("control0.sock"),
                               prefix=["sh", "-c", f'exec "$@" >&{write_end}', "sh"], popen={"pass_fds": [write_end]})
        os.close(write_end)
        self.assertNotEqual(os.read(read_end, 1), b"")
        os.close(read_end)
        self.assertIn(follower.wait(), (0, -signal.SIGPIPE))


if __name__ == "__main__":
    unittest.main()
