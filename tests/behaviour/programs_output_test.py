"""Programs whose output goes into files of their own: as it is, reopened as the log is, and nothing stands still for them."""

import json
import os
import re
import signal
import unittest

from http_client import wait_until
from programs import ProgramsTest


class ProgramsOutput(ProgramsTest):
    def read(self, name):
        try:
            with open(self.path(name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return b""

    def wait_read(self, name, text):
        wait_until(lambda: text in self.read(name), lambda: f"{text!r} in {name}, which has {self.read(name)[-200:]!r}")

    def test_bytes_are_as_they_are_a_file_for_each_instance(self):
        command = self.puppet("say=plain", "binary", "long=100000", "warn=to stderr", "env=SERVAL_INSTANCE")
        serval = self.start_programs({"it": {"command": command, "count": 2, "log": "it-{instance}.log"}})
        for number in (0, 1):
            self.wait_read(f"it-{number}.log", b"SERVAL_INSTANCE=%d\n" % number)
            self.wait_read(f"it-{number}.log", b"to stderr\n")
            self.assertIn(b"plain\n" + bytes(range(256)) + b"\n" + b"x" * 100000 + b"\n", self.read(f"it-{number}.log").replace(b"to stderr\n", b""))
        self.assertNotIn("plain", serval.log())

    def test_as_json_lines_where_the_log_is_json(self):
        self.start_programs({"it": {"command": self.puppet("say=plain", "warn=no", "binary"), "log": "it.log"}}, config={"log": {"format": "json"}})
        self.wait_read("it.log", b'"no"')
        wait_until(lambda: self.read("it.log").count(b"\n") >= 3, "all lines")
        lines = [json.loads(line) for line in self.read("it.log").splitlines()]
        plain = next(line for line in lines if line["msg"] == "plain")
        self.assertEqual((plain["program"], plain["instance"], plain["stream"]), ("it", 0, "stdout"))
        self.assertRegex(plain["time"], r"^\d{4}-\d\d-\d\dT")
        self.assertIn(("no", "stderr"), [(line["msg"], line["stream"]) for line in lines])

    def rotated(self, reopen):
        command = self.puppet("say=before", "wait-for=" + self.path("go"), "say=afterwards")
        serval = self.start_programs({"it": {"command": command, "ready": "alive:10ms", "log": "it.log"}})
        self.wait_read("it.log", b"before\n")
        os.rename(self.path("it.log"), self.path("it.log.1"))
        reopen(serval)
        self.assertEqual(os.stat(self.path("it.log")).st_uid, os.geteuid())
        self.write("go", "")
        self.wait_read("it.log", b"afterwards\n")
        self.assertEqual(self.read("it.log.1"), b"before\n")

    def test_reopened_by_the_command(self):
        self.rotated(lambda serval: self.order("reopen"))

    def test_reopened_by_the_signal(self):
        def reopen(serval):
            serval.signal(signal.SIGUSR1)
            wait_until(lambda: os.path.exists(self.path("it.log")), "the new file")

        self.rotated(reopen)

    def test_one_that_cannot_be_reopened_goes_on_and_the_command_says_so(self):
        serval = self.start_programs({"it": {"command": self.puppet("say=x"), "log": "it.log"}})
        os.rename(self.path("it.log"), self.path("it.log.1"))
        os.mkdir(self.path("it.log"))
        code, _, err = self.run_command("reopen", "--socket", self.path("control0.sock"))
        self.assertEqual(code, 1)
        self.assertIn("going on with the old file", err)
        self.assertEqual(len(self.pids("it")), 1)
        serval.expect_log("a program's output not reopened")

    def test_a_full_disk_stops_nobody(self):
        full = {"command": self.puppet("say=lost", "say=lost too"), "log": "/dev/full"}
        serval = self.start_programs({"full": full, "fine": {"command": self.puppet("say=fine"), "log": "fine.log"}})
        serval.expect_log(r"a program's output cannot be written and is lost file=/dev/full")
        self.wait_read("fine.log", b"fine\n")
        self.assertGreater(self.status()["totals"]["log_lines_dropped"], 0)
        self.order("recycle", "fine")
        self.assertEqual(serval.stop(), 0)

    def test_a_flood_stops_nobody(self):
        flood = {"command": self.puppet("flood"), "ready": "alive:10ms", "log": "/dev/null"}
        serval = self.start_programs({"flood": flood, "calm": {"command": self.puppet("say=calm"), "log": "calm.log"}})
        self.wait_read("calm.log", b"calm\n")
        self.order("recycle", "calm")
        wait_until(lambda: self.read("calm.log").count(b"calm\n") == 2, "the words of the new one")
        self.assertEqual(serval.stop(), 0)

    def test_last_words_are_there_also_where_the_log_captures_nothing(self):
        serval = self.launch_programs({"it": {"command": self.puppet("say=last words", "exit=0"), "restart": "on-failure", "log": "it.log"}},
                                      config={"log": {"capture": "@false"}})
        self.assertEqual(serval.wait(), 0, serval.log())
        self.assertEqual(self.read("it.log"), b"last words\n")

    def tables(self, *args, **options):
        return super().tables(*args, **options).replace('"@false"', "false")

    def test_over_an_upgrade(self):
        command = self.puppet("say=before", "wait-for=" + self.path("go"), "say=afterwards")
        self.start_programs({"it": {"command": command, "ready": "alive:10ms", "log": "it.log"}})
        self.wait_read("it.log", b"before\n")
        pid = self.pids("it")[0]
        self.order("upgrade")
        self.write("go", "")
        self.wait_read("it.log", b"before\nafterwards\n")
        self.assertEqual(self.pids("it")[0], pid)
        os.rename(self.path("it.log"), self.path("it.log.1"))
        self.order("reopen")
        self.assertTrue(os.path.exists(self.path("it.log")))

    def test_a_reload_that_names_another_file_takes_it(self):
        programs = {"it": {"command": self.puppet("say=here"), "log": "one.log"}, "other": {"command": self.puppet()}}
        self.start_programs(programs)
        other = self.pids("other")
        programs["it"]["log"] = "two.log"
        self.rewrite(programs)
        self.order("reload")
        self.wait_read("two.log", b"here\n")
        self.assertEqual(self.pids("other"), other)

    def test_what_cannot_be_opened_is_said(self):
        serval = self.launch_programs({"it": {"command": self.puppet(), "log": "no/such/folder/it.log"}})
        serval.expect_log("cannot open the log file .*no/such/folder/it.log: No such file or directory")
        code, _, err = self.run_command("check", "-c", self.path("serval0.toml"))
        self.assertEqual(code, 78)
        self.assertIn("programs.it.log", err)
        self.assertEqual(serval.stop(), 0)

    def test_serval_logs_shows_it(self):
        command = self.puppet("say=first", "wait-for=" + self.path("go"), "say=second")
        self.start_programs({"it": {"command": command, "ready": "alive:10ms", "count": 2, "log": "it-{instance}.log"}})
        for number in (0, 1):
            self.wait_read(f"it-{number}.log", b"first\n")
        self.assertEqual(self.order("logs", "--program", "it"), "first\nfirst")
        follower = self.launch("logs", "-f", "--program", "it", "--grep", "second", "--socket", self.path("control0.sock"))
        self.write("go", "")
        wait_until(lambda: follower.access() == ["second", "second"], lambda: f"both lines, not {follower.access()}")
        follower.signal(signal.SIGINT)
        self.assertEqual(follower.wait(), 0)
        code, _, err = self.run_command("logs", "--program", "it", "--level", "error", "--socket", self.path("control0.sock"))
        self.assertEqual(code, 1)
        self.assertIn("has no levels", err)


if __name__ == "__main__":
    unittest.main()
