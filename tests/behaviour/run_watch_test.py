"""serval run --watch reloads whenever what it runs is rebuilt, and a build that does not load leaves the old one serving."""

import os
import shutil
import signal

from http_client import wait_until
from programs import ProgramsTest
from reloads import ReloadTest
from serval_process import library


class RunWatch(ReloadTest, ProgramsTest):
    def start_watching(self, name="faulty", **config):
        shutil.copy(library(name), self.path("app.so"))
        serval = self.start(app=self.path("app.so"), config=config, args=["--watch"])
        serval.expect_log("reloading whenever what runs is rebuilt")
        return serval

    def answers(self, serval, text):
        wait_until(lambda: serval.get("/").text == text, f"{text!r} to be the answer")

    def test_a_library_that_is_replaced_or_written_anew(self):
        serval = self.start_watching()
        self.replace_library("hello")
        self.answers(serval, "Hello, World!\n")
        serval.expect_log(r"rebuilt file=\S+app\.so")
        serval.expect_log(r"reloaded gen=2")
        # As a linker does it: gone for a moment, and written in pieces.
        with open(library("faulty"), "rb") as file:
            content = file.read()
        os.unlink(self.path("app.so"))
        with open(self.path("app.so"), "wb", buffering=0) as file:
            for begin in range(0, len(content), 200_000):
                file.write(content[begin:begin + 200_000])
        self.answers(serval, "faulty\n")
        serval.expect_log(r"reloaded gen=3")

    def test_a_build_that_does_not_load_leaves_the_old_one_serving(self):
        serval = self.start_watching("hello")
        self.write("new", b"\x7fELF, half of it")
        os.rename(self.path("new"), self.path("app.so"))
        serval.expect_log(r"reload failed")
        self.assertEqual(serval.get("/").text, "Hello, World!\n")
        self.replace_library("faulty")
        self.answers(serval, "faulty\n")

    def test_the_configuration(self):
        serval = self.start_watching("hello", workers={"count": 1})
        self.change_config("count = 1", "count = one")
        serval.expect_log(r"reload refused, nothing has changed by=serval run --watch|reload refused.*--watch")
        self.change_config("count = one", "count = 2")
        wait_until(lambda: len(serval.workers()) == 2, "two workers")

    def test_a_program_and_no_other(self):
        self.puppet()
        shutil.copy(self.path("puppet.py"), self.path("other.py"))
        programs = {"web": {"command": self.puppet("say=web")},
                    "other": {"command": [self.puppet()[0], "other.py"], "working_directory": self.path(""), "ready": "fd"}}
        serval = self.start_programs(programs, args=["--watch"])
        web, other = self.pids("web"), self.pids("other")
        os.utime(self.path("other.py"))
        wait_until(lambda: self.pids("other") and self.pids("other") != other, "another instance")
        self.assertEqual(self.pids("web"), web)
        serval.expect_log(r"rebuilt file=\S+other\.py")

    def test_a_program_that_gave_up_is_tried_anew_and_a_stopped_one_is_not(self):
        self.write("it.py", "raise SystemExit(1)\n")
        python = self.puppet()[0]
        broken = {"command": [python, self.path("it.py")], "restart": "never", "ready": "alive:10s"}
        serval = self.start_programs({"still": {"command": self.puppet()}, "stopped": {"command": self.puppet()}},
                                     args=["--watch"])
        self.rewrite({"still": {"command": self.puppet()}, "stopped": {"command": self.puppet()}, "broken": broken})
        serval.expect_log(r"program ended.*program=broken|program=broken.*how=exit code 1")
        self.assertEqual(self.run_command("stop", "stopped", "--socket", self.path("control0.sock"))[0], 0)
        before = self.pids("still")
        self.write("new.py", "import time\ntime.sleep(1000)\n")
        os.rename(self.path("new.py"), self.path("it.py"))
        wait_until(lambda: self.program("broken")["instances"][0]["pid"], "a new attempt")
        os.utime(self.path("puppet.py"))
        wait_until(lambda: self.pids("still") and self.pids("still") != before, "another instance")
        self.assertEqual(self.pids("stopped"), {})

    def test_without_the_flag_nothing_is_watched(self):
        shutil.copy(library("hello"), self.path("app.so"))
        serval = self.start(app=self.path("app.so"))
        self.replace_library("faulty")
        serval.signal(signal.SIGHUP)  # the only reload that there is
        self.answers(serval, "faulty\n")
        serval.expect_log(r"reloaded gen=2")
        self.assertNotIn("rebuilt", serval.log())
