"""serval replaces itself in place: process id, workers, sockets, files and counters stay, and whatever goes wrong changes nothing."""

import json
import os
import re
import shutil
import signal
import socket
import threading
import unittest

import process_tree
from http_client import request_bytes, wait_until
from load import Load
from serval_process import SERVAL, ServalTest, at_once


def program(name):
    with open(shutil.which(name), "rb") as file:
        return file.read()


class Upgrade(ServalTest):
    def start_replaceable(self, **options):
        """A server whose program the test can replace."""
        shutil.copy(shutil.which(SERVAL), self.path("serval"))
        return self.start(program=self.path("serval"), **options)

    def replace_program(self, content=None, mode=0o755):
        """By a copy of serval, or by a script."""
        if content is None:
            shutil.copy(shutil.which(SERVAL), self.path("serval.new"))
        else:
            self.write("serval.new", content)
            os.chmod(self.path("serval.new"), mode)
        os.rename(self.path("serval.new"), self.path("serval"))

    def command(self, *words):
        return self.run_command(*words, "-c", self.path("serval0.toml"))

    def status(self):
        code, out, err = self.command("status", "--json")
        self.assertEqual(code, 0, err)
        return json.loads(out)

    def upgrade(self):
        code, out, err = self.command("upgrade")
        self.assertEqual(code, 0, err)
        self.assertRegex(out, rf"^pid \d+ is serval \S+ now, run from {re.escape(self.path('serval'))}$")

    def assert_refused(self, serval, pattern):
        """And nothing has changed; the answer names the program."""
        before, program = serval.workers(), os.readlink(f"/proc/{serval.pid}/exe")
        code, _, err = self.command("upgrade")
        self.assertEqual(code, 1, err)
        self.assertRegex(err, pattern)
        self.assertIn(self.path("serval"), err)
        self.assertEqual(serval.workers(), before)
        self.assertEqual(os.readlink(f"/proc/{serval.pid}/exe"), program)
        self.assertEqual(serval.get("/").status, 200)

    # What stays

    def test_workers_counters_and_sockets_stay(self):
        serval = self.start_replaceable(config={"server": {"pidfile": self.path("pid")}})
        for _ in range(7):
            serval.get("/")
        os.kill(serval.workers()[0], signal.SIGKILL)
        serval.expect_log("worker ready slot=0", count=2)
        self.replace_program()
        workers, before = serval.workers(), self.status()
        inode = os.stat(self.path("serval")).st_ino
        self.upgrade()
        self.assertEqual(os.stat(f"/proc/{serval.pid}/exe").st_ino, inode)
        serval.expect_log(rf"upgrading program={re.escape(self.path('serval'))} from=\S+ to=\S+")
        serval.expect_log(r"upgraded from=\S+ to=\S+")
        after = self.status()
        self.assertEqual(serval.workers(), workers)
        for key in ("pid", "generation", "ended", "workers_wanted", "state", "ready"):
            self.assertEqual(after[key], before[key], key)
        self.assertEqual(after["totals"]["requests"], before["totals"]["requests"])
        self.assertGreaterEqual(after["uptime_s"], before["uptime_s"])
        self.assertEqual(process_tree.title(serval.pid), "serval: master hello")
        self.assertEqual(serval.get("/").status, 200)
        serval.signal(signal.SIGTERM)
        self.assertEqual(serval.wait(), 0)
        self.assertFalse(os.path.exists(self.path("pid")))

    def test_usr2_is_the_same(self):
        serval = self.start_replaceable()
        self.replace_program()
        serval.signal(signal.SIGUSR2)
        serval.expect_log("upgraded from")
        self.assertEqual(serval.get("/").status, 200)

    def test_everything_works_afterwards(self):
        serval = self.start_replaceable(config={"log": {"access": self.path("access.log")}})
        self.upgrade()
        self.assertEqual(self.command("scale", "+1")[0], 0)
        self.upgrade()
        self.assertEqual(len(serval.workers()), 3)
        self.assertEqual(self.command("recycle", "all")[0], 0)
        self.assertEqual(self.command("reload")[:2], (0, "generation 2 serves"))
        self.upgrade()
        self.assertEqual(self.status()["generation"], 2)
        os.rename(self.path("access.log"), self.path("access.log.1"))
        self.assertEqual(self.command("reopen")[0], 0)
        serval.get("/after")

        def logged():
            with open(self.path("access.log"), encoding="utf-8") as file:
                return "/after" in file.read()

        wait_until(logged, "the access line in the new file")
        os.kill(serval.mold(), signal.SIGKILL)
        serval.expect_log("mold died")
        os.kill(next(iter(serval.workers().values())), signal.SIGKILL)
        wait_until(lambda: len(serval.workers()) == 3, "three workers")
        self.assertEqual(self.command("stop")[0], 0)
        self.assertEqual(serval.wait(), 0)

    def test_what_the_app_prints_is_still_logged(self):
        serval = self.start_replaceable(app="faulty")
        self.upgrade()
        serval.get("/print?lines=1")
        serval.expect_log(r"worker\[\d\].*stdout line 1")

    def test_a_request_in_flight_is_answered(self):
        shutil.copy(shutil.which(SERVAL), self.path("serval"))
        serval = self.start_probe(program=self.path("serval"))
        with serval.client() as client:
            client.send(request_bytes("GET", "/gate?name=one"))
            self.wait_entered("one")
            self.upgrade()
            self.open_gate("one")
            self.assertEqual(client.read_response().status, 200)

    def test_who_speaks_to_the_control_socket_meanwhile_is_heard_out(self):
        serval = self.start_replaceable()
        with socket.socket(socket.AF_UNIX) as client, client.makefile("rb") as replies:
            client.connect(self.path("control0.sock"))
            client.sendall(b'{"command":')
            self.upgrade()
            client.sendall(b'"status"}\n')
            self.assertEqual(json.loads(replies.read())["result"]["state"], "serving")

    def test_a_command_that_waits_is_answered_before(self):
        shutil.copy(shutil.which(SERVAL), self.path("serval"))
        serval = self.start_probe(program=self.path("serval"))
        with serval.client() as client:
            client.send(request_bytes("GET", "/gate?name=one"))
            self.wait_entered("one")
            commands = [self.launch("pause", "-c", self.path("serval0.toml"))]
            serval.expect_log("pausing")
            commands.append(self.launch("upgrade", "-c", self.path("serval0.toml")))
            serval.expect_log("upgrade asked for")
            self.open_gate("one")
            self.assertEqual(client.read_response().status, 200)
        self.assertEqual([command.wait() for command in commands], [0, 0])
        self.assertEqual(self.status()["unready"], "paused (serval pause)")

    def test_workers_still_notice_the_masters_death(self):
        serval = self.start_replaceable()
        self.upgrade()
        workers = serval.workers().values()
        os.kill(serval.pid, signal.SIGKILL)
        serval.wait()
        wait_until(lambda: not any(process_tree.alive(pid) for pid in workers), "the workers to leave")

    def test_the_pid_file_is_still_held(self):
        config = {"server": {"pidfile": self.path("pid")}}
        serval = self.start_replaceable(config=config)
        self.upgrade()
        second = self.launch_config(config={**config, "control": {"socket": self.path("other.sock")}})
        self.assertEqual(second.wait(), 73)
        self.assertRegex(second.log(), rf"another serval \(pid {serval.pid}\) holds the pid file")

    # Under load

    def test_nobody_notices(self):
        serval = self.start_replaceable(config={"workers": {"count": 3}})
        self.upgrade()
        fds = process_tree.fd_count(serval.pid)
        with Load(serval, clients=4) as load:
            for _ in range(10):
                self.replace_program()
                self.upgrade()
            self.assertEqual(self.command("reload")[0], 0)
        self.assertEqual(load.failures, [])
        wait_until(lambda: process_tree.fd_count(serval.pid) <= fds, lambda: f"{fds} descriptors; there are {process_tree.fd_targets(serval.pid)}")

    def test_a_worker_that_dies_meanwhile_is_replaced(self):
        serval = self.start_replaceable(config={"restart": {"backoff_first": "10ms"}})
        for round_ in range(1, 11):
            victim = next(iter(serval.workers().values()))
            at_once([self.upgrade, lambda: os.kill(victim, signal.SIGKILL)])
            wait_until(lambda: len(serval.workers()) == 2 and victim not in serval.workers().values(), "two workers")
            wait_until(lambda: self.status()["ended"].get("crash") == round_, "the crash to be counted")

    def test_a_signal_in_the_middle_is_not_lost(self):
        for _ in range(5):
            with self.subTest():
                serval = self.start_replaceable()
                serval.signal(signal.SIGUSR2)
                serval.expect_log("upgrading program")
                serval.signal(signal.SIGTERM)
                self.assertEqual(serval.wait(), 0)
                os.remove(self.path("serval"))

    def test_many_at_once_and_together_with_a_reload(self):
        serval = self.start_replaceable()
        with Load(serval, clients=2) as load:
            results = at_once([lambda: self.run_command("upgrade", "-c", self.path("serval0.toml")) for _ in range(4)]
                              + [lambda: self.run_command("reload", "-c", self.path("serval0.toml"))])
        self.assertEqual(load.failures, [])
        self.assertEqual([code for code, _, _ in results[:4]], [0] * 4, results)
        wait_until(lambda: self.status()["state"] == "serving" and len(serval.workers()) == 2, "two workers")

    # What is refused

    def test_programs_that_cannot_take_over(self):
        serval = self.start_replaceable()
        with Load(serval, clients=2) as load:
            for content, mode, pattern in (
                    (b"\x7fELF nonsense", 0o755, r"[Ee]xec format error"),
                    (b"#!/bin/sh\nexit 0\n", 0o755, r"it is a script"),
                    (b"just text\n", 0o755, r"it is no machine code"),
                    (program("false"), 0o755, r"exit code 1"),
                    (program("cat"), 0o755, r'exit code 1\); its standard error: "\S+: adopt: No such file'),
                    (program("true"), 0o755, r"does not say that it can take over: it is no serval"),
                    (program("echo"), 0o755, r"does not say that it can take over, but .adopt \d+ check"),
                    (program("true"), 0o644, r"may not be executed"),
            ):
                with self.subTest(pattern):
                    self.replace_program(content, mode)
                    self.assert_refused(serval, pattern)
            os.remove(self.path("serval"))
            self.assert_refused(serval, r"No such file")
            os.mkdir(self.path("serval"))
            self.assert_refused(serval, r"it is a folder")
            os.rmdir(self.path("serval"))
            self.replace_program()
            self.upgrade()
        self.assertEqual(load.failures, [])

    def test_one_that_does_not_answer_is_given_up(self):
        serval = self.start_replaceable()
        self.replace_program(program("yes"))
        self.assert_refused(serval, r"the new program did not answer within 20s whether it can take over, and was killed")

    def test_a_server_whose_program_was_replaced_still_forks_and_reloads(self):
        """With its own program: a mold of another version could not talk to it."""
        serval = self.start_replaceable()
        self.replace_program(b"#!/bin/sh\nexit 9\n")
        self.assertEqual(self.command("reload")[0], 0)
        os.remove(self.path("serval"))
        self.assertEqual(self.command("reload")[0], 0)
        self.assertEqual(serval.get("/").status, 200)

    def test_before_it_serves_and_while_it_stops(self):
        shutil.copy(shutil.which(SERVAL), self.path("serval"))
        serval = self.start_probe(program=self.path("serval"))
        with serval.client() as client:
            client.send(request_bytes("GET", "/gate?name=one"))
            self.wait_entered("one")
            stopper = threading.Thread(target=lambda: self.run_command("stop", "-c", self.path("serval0.toml")))
            stopper.start()
            serval.expect_log("stopping signal")
            code, _, err = self.command("upgrade")
            self.assertEqual(code, 1)
            self.assertIn("the server is stopping", err)
            self.open_gate("one")
            self.assertEqual(client.read_response().status, 200)
        stopper.join()
        self.assertEqual(serval.wait(), 0)

    def test_the_hidden_command_by_hand(self):
        self.start()
        self.assertEqual(self.run_command("adopt", "none")[0], 64)
        code, _, err = self.run_command("adopt", "0", "check")
        self.assertEqual(code, 70)
        self.assertIn("the state of the running server", err)


if __name__ == "__main__":
    unittest.main()
