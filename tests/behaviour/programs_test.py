"""Programs run beside the app or without one: started, told who they are, stopped, scaled, and started again."""

import os
import signal
import sys
import unittest

import process_tree
from http_client import wait_until
from programs import ProgramsTest


class Programs(ProgramsTest):
    def test_run_without_an_app_and_end_with_the_server(self):
        serval = self.start_programs({"mailer": {"command": self.puppet("say=hello"), "count": 2}})
        serval.expect_log(r"mailer\[0\] .*: hello")
        serval.expect_log(r"mailer\[1\] .*: hello")
        pids = self.pids("mailer")
        self.assertEqual(sorted(pids), [0, 1])
        self.assertEqual(serval.stop(), 0)
        self.assertFalse(any(process_tree.alive(pid) for pid in pids.values()))
        self.assertEqual(serval.log().count("got SIGTERM"), 2)

    def test_run_beside_an_app(self):
        serval = self.start_programs({"mailer": {"command": self.puppet(), "after": ["app"]}}, app="hello")
        self.assertEqual(serval.get("/").status, 200)
        self.assertLess(serval.log().index("worker ready"), serval.log().index("program started"))
        self.assertEqual(serval.stop(), 0)

    def test_are_told_who_they_are(self):
        serval = self.start_programs(
            {"mailer": {
                "command": self.puppet("env=SERVAL_PROGRAM", "env=SERVAL_INSTANCE", "env=OWN", "env=OUTER", "env=LISTEN_FDS"),
                "env": {"OWN": "mine"}, "count": 2, "umask": "0027", "working_directory": "/", "nice": 3,
                "limits": {"nofile": "77", "core": "0"},
            }}, env={"OUTER": "theirs", "LISTEN_FDS": "1"})
        for text in ("SERVAL_PROGRAM=mailer", "OWN=mine", "OUTER=theirs", "LISTEN_FDS=None"):
            serval.expect_log(rf"mailer\[\d\] .*: {text}", count=2)
        serval.expect_log(r"mailer\[0\] .*: SERVAL_INSTANCE=0")
        serval.expect_log(r"mailer\[1\] .*: SERVAL_INSTANCE=1")
        pid = self.pids("mailer")[0]
        self.assert_has_traits(pid, "/")
        with open(f"/proc/{pid}/environ", "rb") as file:
            self.assertIn(f"SERVAL_EXEC_PID={pid}".encode(), file.read().split(b"\0"))
        self.assertEqual(sorted(process_tree.fd_targets(pid))[0], "/dev/null")
        self.assertLessEqual(len(process_tree.fd_targets(pid)), 4, "0, 1, 2 and the one for its readiness, and none of serval's")

    @unittest.skipUnless(os.getuid() == 0, "only root can start it as another user")
    def test_run_as_their_user(self):
        os.chmod(self.folder, 0o755)
        self.start_programs({"mailer": {"command": ["sleep", "1000"], "user": "nobody", "working_directory": "/"}})
        with open(f"/proc/{self.pids('mailer')[0]}/status", encoding="ascii") as file:
            status = file.read()
        self.assertRegex(status, r"Uid:\t65534\t65534\t65534\t65534")
        self.assertRegex(status, r"Groups:\t65534 \n")

    def test_stop_start_and_scale_by_name(self):
        serval = self.start_programs({"a": {"command": self.puppet(), "count": 2}, "b": {"command": self.puppet()}})
        others = self.pids("b")
        pids = self.pids("a")
        self.assertEqual(self.order("stop", "a").strip(), "a has stopped")
        self.gone(*pids.values())
        self.assertFalse(self.program("a")["on"])
        self.assertEqual(self.order("start", "a").strip(), "a runs")
        self.assertEqual(sorted(self.pids("a")), [0, 1])
        self.assertIn("4 instances of a run", self.order("scale", "a=4"))
        self.assertEqual(sorted(self.pids("a")), [0, 1, 2, 3])
        kept = self.pids("a")
        self.order("scale", "a=-2")
        self.assertEqual(self.pids("a"), {number: kept[number] for number in (0, 1)}, "those with the highest numbers go")
        self.order("scale", "a=2")
        self.order("scale", "a=0")
        self.assertEqual(self.pids("a"), {})
        self.order("scale", "a=1")
        self.assertEqual(sorted(self.pids("a")), [0], "a freed number is taken again")
        self.assertEqual(self.pids("b"), others, "another program was touched")
        self.assertIsNone(serval.process.poll())

    def test_of_any_kind(self):
        script = self.write("script", "#!/bin/sh\necho from a script\nexec sleep 1000\n")
        os.chmod(script, 0o755)
        serval = self.start_programs({
            "script": {"command": ["./script"]},
            "shell": {"command": ["sh", "-c", "echo from a shell; exec sleep 1000"]},
            "interpreted": {"command": [sys.executable, "-u", "-c", "import time; print('from python'); time.sleep(1000)"]},
            "binary": {"command": ["/bin/sleep", "1000"]},
        })
        for text in ("from a script", "from a shell", "from python"):
            serval.expect_log(text)
        self.assertEqual(process_tree.title(self.pids("binary")[0]), "/bin/sleep 1000")

    def test_an_argument_may_be_long(self):
        argument = "x y'\"$(;" * 12_000
        serval = self.start_programs({"it": {"command": [sys.executable, "-u", "-c", "import sys, time; print(len(sys.argv[1])); time.sleep(1000)", argument]}})
        serval.expect_log(rf": {len(argument)}$")

    def test_nothing_of_servals_own_environment_is_theirs(self):
        serval = self.start_programs({"it": {"command": ["env"], "restart": "never"}, "other": {"command": self.puppet()}},
                                     env={"NOTIFY_SOCKET": "@outer", "WATCHDOG_USEC": "60000000", "FDSTORE": "1"})
        serval.expect_log("SERVAL_PROGRAM=it")
        self.assertNotIn("NOTIFY_SOCKET=@outer", serval.log())
        for name in ("LISTEN_FDS", "LISTEN_PID", "WATCHDOG_USEC", "FDSTORE"):
            self.assertNotRegex(serval.log(), rf"it\[0\] .*: {name}=.")

    def test_recycling_changes_every_pid_and_no_number(self):
        self.start_programs({"it": {"command": self.puppet(), "count": 4}})
        before = self.pids("it")
        self.order("recycle", "it")
        after = self.pids("it")
        self.assertEqual(sorted(after), [0, 1, 2, 3])
        self.assertFalse(set(before.values()) & set(after.values()))
        self.order("scale", "it=4")
        self.assertEqual(self.pids("it"), after, "as many as there are: nothing to do")

    def test_one_that_was_stopped_stays_so(self):
        programs = {"it": {"command": self.puppet("say=one")}, "other": {"command": self.puppet()}}
        self.start_programs(programs)
        self.order("stop", "it")
        self.rewrite({**programs, "it": {"command": self.puppet("say=two")}})
        self.order("reload")
        self.order("upgrade")
        self.assertEqual((self.pids("it"), self.program("it")["on"]), ({}, False))
        self.order("start", "it")
        self.assertEqual(sorted(self.pids("it")), [0])

    def test_a_name_that_is_not_there_is_refused(self):
        self.start_programs({"mailer": {"command": self.puppet()}})
        for words in (("stop", "mialer"), ("start", "mialer"), ("reload", "mialer"), ("recycle", "mialer"), ("scale", "mialer=2")):
            self.assertIn("there is no program \"mialer\", did you mean mailer?", self.order(*words, code=1))
        self.assertIn("there is no app", self.order("scale", "2", code=1))
        self.assertIn("\"2nd\" is no slot", self.order("recycle", "2nd", code=64))

    def test_status_shows_each_instance(self):
        self.start_programs({"mailer": {"command": self.puppet("notify=STATUS=3 jobs"), "count": 2}})
        wait_until(lambda: "3 jobs" in self.order("status"), "the program's own status")
        text = self.order("status")
        self.assertRegex(text, r"mailer +0 +\d+ ready")
        self.assertRegex(text, r"mailer +1 +\d+ ready")
        self.assertIn("mailer up, 2 wanted", text)
        self.assertIn("programs only", text)
        self.assertGreater(self.program("mailer")["instances"][0]["memory_bytes"], 1 << 20)

    def test_signals_reach_the_program_that_is_told_to_end(self):
        serval = self.start_programs({"mailer": {"command": self.puppet("default=INT"), "stop_signal": "INT"}})
        self.order("stop", "mailer")
        serval.expect_log(r"program ended program=mailer instance=0 .*how=SIGINT")

    def test_a_stopped_process_ends_all_the_same(self):
        self.start_programs({"mailer": {"command": self.puppet(), "grace": "30s"}})
        pid = self.pids("mailer")[0]
        os.kill(pid, signal.SIGSTOP)
        self.order("stop", "mailer")
        self.gone(pid)

    def test_grace_is_the_programs_own(self):
        serval = self.start_programs(
            {"deaf": {"command": self.puppet("ignore=TERM"), "grace": "300ms"}, "slow": {"command": self.puppet(), "grace": "20s"}},
            config={"shutdown": {"grace": "100ms"}})
        serval.stop()
        self.assertRegex(serval.log(), r"program does not end in time program=deaf .*grace_ms=300")
        self.assertRegex(serval.log(), r"program ended program=slow .*how=\"exit code 0\"")

    def test_no_descriptor_is_left_after_many_of_them(self):
        serval = self.start_programs({"mailer": {"command": self.puppet()}})
        self.order("recycle", "mailer")
        before = process_tree.fd_count(serval.pid)
        for _ in range(5):
            self.order("recycle", "mailer")
            self.order("stop", "mailer")
            self.order("start", "mailer")
        wait_until(lambda: process_tree.fd_count(serval.pid) <= before, "as many open files as before")

    def test_check_names_what_could_not_be_started(self):
        file = self.write("bad.toml", self.tables({"mailer": {"command": ["./not-there"]}, "other": {"command": ["sleep", "1"], "user": "nobody-at-all"}}))
        code, _, err = self.run_command("check", "-c", file)
        self.assertEqual(code, 78)
        self.assertIn("programs.mailer.command: cannot start", err)
        self.assertIn("programs.other: there is no user \"nobody-at-all\"", err)
        good = self.write("good.toml", self.tables({"mailer": {"command": ["sleep", "1"]}}))
        code, out, _ = self.run_command("check", "-c", good)
        self.assertEqual((code, out), (0, "the configuration is right: 1 programs, and no app"))


if __name__ == "__main__":
    unittest.main()
