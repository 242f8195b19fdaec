"""serval top: live in a terminal of any size, with and without colours; its keys do what they say, and the terminal is as it was afterwards."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import unittest

from http_client import request_bytes, wait_until
from orders import Orders
from serval_process import SERVAL, toml


class Screen:
    """A `serval top` on a terminal of its own, and all that it has written to it."""

    def __init__(self, test, *args, columns=80, rows=24, term="xterm-256color", env=None):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SERVAL") and k not in ("COLUMNS", "LINES", "NO_COLOR")}
        environment.update({"TERM": term, "LC_ALL": "C.UTF-8", **(env or {})})
        self.process = subprocess.Popen([SERVAL, "top", *args], stdin=slave, stdout=slave, stderr=slave, env=environment,
                                        cwd=test.folder, start_new_session=True)
        self.slave = slave
        self.before = termios.tcgetattr(slave)
        self.seen = b""
        test.addCleanup(self.close)

    def read(self):
        while select.select([self.master], [], [], 0.05)[0]:
            self.seen += os.read(self.master, 65536)
        return self.text()

    def text(self):
        """Without the sequences that move the cursor and colour."""
        return re.sub(rb"\x1b[\[\(][0-9;?]*[A-Za-z]|\x1b[=>]|\x0f|\x1b\([B0]", b" ", self.seen).decode(errors="replace")

    def expect(self, pattern):
        wait_until(lambda: re.search(pattern, self.read()), lambda: f"{pattern!r} on the screen; there is {self.text()[-2000:]!r}")

    def press(self, keys):
        self.seen = b""
        os.write(self.master, keys.encode())

    def resize(self, columns, rows):
        self.seen = b""
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.kill(self.process.pid, signal.SIGWINCH)

    def wait(self):
        def ended():
            self.read()
            return self.process.poll() is not None

        wait_until(ended, "the end of serval top")
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


class Top(Orders):
    def screen(self, *args, **options):
        return Screen(self, "--socket", self.path("control0.sock"), *args, **options)

    def test_it_shows_the_server_and_its_requests(self):
        serval = self.start_probe()
        client = serval.client()
        self.addCleanup(client.close)
        client.send(request_bytes(target="/gate?name=held"))
        self.wait_entered("held")
        top = self.screen()
        top.expect(r"probe *, serval .*pid " + str(serval.pid))
        top.expect(r"SLOT")
        top.expect(r"GET /gate\?name=held")
        top.expect(r"requests/s")
        top.press("q")
        self.assertEqual(top.wait(), 0)
        self.assertEqual(termios.tcgetattr(top.slave), top.before)
        self.open_gate("held")

    def test_keys_recycle_drain_and_show_stacks(self):
        serval = self.start_probe(config={"workers": {"count": 1}})
        before = serval.workers()[0]
        top = self.screen()
        top.expect(r"SLOT")
        top.press("r")
        top.expect(r"worker 0 is replaced")
        wait_until(lambda: serval.workers().get(0) not in (None, before), "a successor")
        top.press("d")
        top.expect(r"the server is drained")
        self.assertFalse(self.status()["ready"])
        top.press("d")
        top.expect(r"not drained any more")
        self.assertTrue(self.status()["ready"])
        top.press("x")
        top.expect(r"any key goes back|any other key goes back")
        top.press("\n")
        top.expect(r"SLOT")
        top.press("?")
        top.expect(r"select a worker")
        top.press("\n")
        top.press("q")
        self.assertEqual(top.wait(), 0)

    def test_any_terminal(self):
        self.start_probe()
        for columns, rows, term, env in ((80, 24, "xterm-256color", {}), (200, 50, "screen", {}), (40, 8, "vt100", {}), (80, 24, "xterm", {"NO_COLOR": "1"})):
            with self.subTest(f"{columns}x{rows} {term} {env}"):
                top = self.screen(columns=columns, rows=rows, term=term, env=env)
                top.expect(r"STATE")
                if env or term == "vt100":
                    self.assertNotRegex(top.seen, rb"\x1b\[[0-9;]*3[0-7]m")
                top.resize(100, 30)
                top.expect(r"BEAT")
                top.press("q")
                self.assertEqual(top.wait(), 0)

    def test_programs_stand_below_the_workers_and_alone_without_an_app(self):
        tables = {"control": {"socket": self.path("control0.sock")}, "programs.sleeper": {"command": ["sleep", "1000"], "ready": "alive:10ms"},
                  "programs.nightly": {"command": ["true"], "cron": "30 3 * * *"}}
        serval = self.launch_config(config=toml(tables))
        serval.expect_log("program ready")
        top = self.screen(columns=120)
        top.expect(r"PROGRAM +NO +PID")
        top.expect(r"sleeper +0 +\d+ +ready")
        top.expect(r"nightly +- +- +scheduled .*next \d{4}-\d\d-\d\d 03:30")
        self.assertNotIn("SLOT", top.text())
        pid = next(one for one in self.status()["programs"] if one["name"] == "sleeper")["instances"][0]["pid"]
        top.press(" ")
        os.kill(pid, signal.SIGSTOP)
        top.expect(r"stopped")
        os.kill(pid, signal.SIGCONT)
        top.press("q")
        self.assertEqual(top.wait(), 0)
        self.assertEqual(serval.stop(), 0)
        self.start_probe(config={**tables, "workers": {"count": 1}})
        top = self.screen(columns=120)
        top.expect(r"SLOT[^$]*PROGRAM +NO +PID")
        top.press("q")
        self.assertEqual(top.wait(), 0)

    def test_a_stopped_worker_does_not_look_well_and_escape_does_not_quit(self):
        serval = self.start_probe(config={"workers": {"count": 2}})
        worker = serval.workers()[1]
        top = self.screen()
        top.expect(r"2/2 +workers serve")
        os.kill(worker, signal.SIGSTOP)
        try:
            top.expect(r"stopped")
        finally:
            os.kill(worker, signal.SIGCONT)
        top.press("\x1b")
        top.press("?")
        top.expect(r"select a worker")
        top.press("\n")
        top.press("q")
        self.assertEqual(top.wait(), 0)

    def test_a_server_that_goes_away_and_comes_back(self):
        serval = self.start_probe()
        top = self.screen()
        top.expect(r"SLOT")
        self.assertEqual(serval.stop(), 0)
        top.expect(r"no answer: ")
        self.launch_config(app="probe", config={"control": {"socket": self.path("control0.sock")}}, app_args=["gates=" + self.path("gates")]).wait_serving()
        top.expect(r"SLOT")
        top.press("q")
        self.assertEqual(top.wait(), 0)

    def test_without_a_server_or_a_terminal(self):
        top = self.screen()
        self.assertEqual(top.wait(), 69)
        self.start_probe()
        code, _, err = self.run_command("top", "--socket", self.path("control0.sock"))
        self.assertEqual(code, 64)
        self.assertIn("it needs a terminal", err)
        top = self.screen(term="nonesuch")
        code = top.wait()
        if "SERVAL_SANITIZED" not in os.environ:  # ncurses keeps memory of a terminal that it does not know
            self.assertEqual(code, 64)
        self.assertIn("this terminal is not known", top.text())


if __name__ == "__main__":
    unittest.main()
