"""A server in a terminal: the terminal closes, is stopped, or does not want output of background jobs; and nohup."""

import os
import pty
import re
import signal
import sys
import termios
import unittest

import process_tree
from http_client import Client, wait_until
from serval_process import ServalTest

# Between the test, which gives each server a session of its own, and serval: what a terminal emulator and a shell do.
# argv: the terminal, then what to run. Kind: "itself" is the leader of the session; of "foreground" and "background" jobs a shell is, which passes
# HUP on as bash does, and sends its job HUP when it gets USR1 (`kill -HUP %1`).
LEADER = r"""
import fcntl, os, signal, sys, termios
kind, terminal, command = sys.argv[1], sys.argv[2], sys.argv[3:]
tty = os.open(terminal, os.O_RDWR)
fcntl.ioctl(tty, termios.TIOCSCTTY, 0)
if kind == "nohup":
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
if kind in ("itself", "nohup"):
    os.execv(command[0], command)
job = os.fork()
if job == 0:
    os.setpgid(0, 0)
    if kind == "foreground":
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.tcsetpgrp(tty, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(command[0], command)
def pass_on(*_):
    os.killpg(job, signal.SIGHUP)
    os._exit(0)
signal.signal(signal.SIGHUP, pass_on)
signal.signal(signal.SIGUSR1, lambda *_: os.killpg(job, signal.SIGHUP))
while True:
    signal.pause()
"""


class Terminal(ServalTest):
    def setUp(self):
        super().setUp()
        self.screen, self.program_side = pty.openpty()
        os.set_blocking(self.screen, False)
        self.terminal = os.ttyname(self.program_side)
        self.shown = b""
        self.addCleanup(self.close_terminal)

    def close_terminal(self):
        for name in ("screen", "program_side"):
            if getattr(self, name) is not None:
                os.close(getattr(self, name))
                setattr(self, name, None)

    def start_in_terminal(self, kind, config=None):
        serval = self.launch_config(config=config, prefix=(sys.executable, "-c", LEADER, kind, self.terminal))
        if not config or "log" not in config:
            serval.wait_serving()
            self.master = int(serval.expect_log(r"master pid=(\d+): serving")[1])
        return serval

    def read_screen(self):
        try:
            self.shown += os.read(self.screen, 1 << 16)
        except BlockingIOError:
            pass
        return self.shown.decode(errors="replace")

    def ended(self):
        process_tree.reap_adopted(keep={serval.pid: serval for serval in self.started})
        return not process_tree.alive(self.master)

    def expect_stopped(self, serval):
        wait_until(self.ended, "the end of the master")  # whose shell may have ended before it
        self.assertRegex(serval.log(), r"stopping signal=\"HUP, the terminal has closed\"")
        self.assertRegex(serval.log(), r"stopped exit_code=0")
        self.assertNotRegex(serval.log(), "reload|stopping at once")

    def test_a_terminal_that_closes_stops_its_own_server(self):
        serval = self.start_in_terminal("itself")
        self.close_terminal()
        self.assertEqual(serval.wait(), 0)
        self.expect_stopped(serval)

    def test_a_terminal_that_closes_stops_a_foreground_job(self):
        serval = self.start_in_terminal("foreground")
        self.close_terminal()
        self.expect_stopped(serval)

    def test_a_terminal_that_closes_stops_a_background_job(self):
        serval = self.start_in_terminal("background")
        self.close_terminal()
        self.expect_stopped(serval)

    def test_a_hangup_that_is_sent_reloads(self):
        serval = self.start_in_terminal("foreground")
        os.kill(serval.pid, signal.SIGUSR1)  # the shell, whose terminal is there
        serval.expect_log(r"generation=2|gen=2.*app loaded|app loaded gen=2")
        os.kill(self.master, signal.SIGHUP)
        serval.expect_log(r"app loaded gen=3")
        os.kill(self.master, signal.SIGTERM)
        wait_until(self.ended, "the end of the master")
        os.kill(serval.pid, signal.SIGKILL)

    def test_nohup(self):
        serval = self.start_in_terminal("nohup")
        serval.expect_log(r"SIGHUP was ignored at the start")
        self.close_terminal()
        os.kill(self.master, signal.SIGHUP)
        serval.signal(signal.SIGUSR2)
        serval.expect_log(r"upgraded from=")
        os.kill(self.master, signal.SIGHUP)
        serval.signal(signal.SIGUSR1)
        serval.expect_log(r"logs reopened")  # so what came before has been looked at
        self.assertEqual(serval.get().status, 200)
        self.assertEqual(serval.stop(), 0)
        self.assertNotRegex(serval.log(), r"reloading|gen=2|terminal has closed")

    def test_a_background_job_logs_to_a_terminal_that_says_tostop(self):
        settings = termios.tcgetattr(self.program_side)
        settings[3] |= termios.TOSTOP
        termios.tcsetattr(self.program_side, termios.TCSANOW, settings)
        serval = self.start_in_terminal("background", {"log": {"file": self.terminal, "access": self.terminal},
                                                       "workers": {"count": 2}, "server": {"bind": ["unix:" + self.path("app.sock")]}})
        self.master = int(wait_until(lambda: re.search(r"master pid=(\d+): serving", self.read_screen()), "a server")[1])
        with Client(self.path("app.sock")) as client:
            for number in range(50):
                self.assertEqual(client.get(f"/{number}").status, 200)
        wait_until(lambda: '"GET /49 ' in self.read_screen(), "the access lines")
        self.assertEqual(self.count_workers(), 2)
        os.kill(self.master, signal.SIGTTOU)
        wait_until(lambda: self.count_workers() == 1, "one worker fewer")
        os.kill(self.master, signal.SIGTERM)
        wait_until(self.ended, "the end of the master")
        self.assertNotIn("dropped", self.read_screen())
        self.assertEqual(len(re.findall(r"TTOU", self.shown.decode(errors="replace"))), 1)
        os.kill(serval.pid, signal.SIGKILL)

    def count_workers(self):
        return len([pid for pid in process_tree.descendants(self.master)
                    if process_tree.title(pid).startswith("serval: worker") and process_tree.alive(pid)])

    def test_a_stopped_terminal_stops_no_server(self):
        serval = self.start_in_terminal("foreground", {"log": {"file": self.terminal, "access": self.terminal},
                                                       "server": {"bind": ["unix:" + self.path("app.sock")]}})
        self.master = int(wait_until(lambda: re.search(r"master pid=(\d+): serving", self.read_screen()), "a server")[1])
        termios.tcflow(self.program_side, termios.TCOOFF)  # Ctrl-S
        with Client(self.path("app.sock")) as client:
            for number in range(500):
                self.assertEqual(client.get(f"/{number}", [("User-Agent", "x" * 200)]).status, 200)
        self.assertEqual(self.run_command("status", "--socket", self.path("control0.sock"))[0], 0)
        os.kill(self.master, signal.SIGTERM)
        wait_until(self.ended, "the end of the master")
        os.kill(serval.pid, signal.SIGKILL)


if __name__ == "__main__":
    unittest.main()
