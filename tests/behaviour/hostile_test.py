"""The app lies to the master, floods it and passes it what it should not have: the master answers, signals nobody but its own, and says what it got.

As root the app runs as nobody, who has no right to harm a stranger, and a master that does. The app is tests/behaviour/apps/hostile.cpp."""

import os
import re
import signal
import subprocess
import sys
import unittest

import process_tree
from http_client import Client, wait_until
from serval_process import ServalTest

AS_NOBODY = {"server": {"user": "nobody"}} if os.geteuid() == 0 else {}


class HostileTest(ServalTest):
    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o755)
        self.lies = self.write("lies", "")

    def start_hostile(self, config=None, app_args=(), **options):
        tables = {"workers": {"count": 2, "boot_timeout": "3s"}, "shutdown": {"grace": "2s"}, **AS_NOBODY}
        for table, keys in (config or {}).items():
            tables[table] = {**tables.get(table, {}), **keys}
        return self.start(app="hostile", config=tables, app_args=list(app_args), **options)

    def stranger(self):
        """A process of ours that is none of serval's business."""
        process = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def status(self, serval):
        code, out, error = self.run_command("status", "--socket", self.path("control0.sock"))
        self.assertEqual(code, 0, error)
        return out

    def serves_as_ever(self, serval, workers=2):
        self.status(serval)
        wait_until(lambda: len(serval.workers()) == workers, "all workers")
        self.assertEqual(serval.get("/").status, 200)


class Mold(HostileTest):
    def start_liar(self):
        os.chmod(self.folder, 0o777)  # the app tells here that it is ready to lie
        serval = self.start_hostile(app_args=["lies=" + self.lies])
        self.wait_for_file("lies.on")
        return serval

    def asks_for_one_more(self, serval, lie):
        self.write("lies", lie)
        serval.signal(signal.SIGTTIN)

    def test_a_strangers_pid_is_not_taken_for_a_worker(self):
        serval = self.start_liar()
        stranger = self.stranger()
        for pid, why in (
            (stranger.pid, "no child of this server's master"),
            (1, "no child of this server's master"),
            (serval.pid, "no child of this server's master"),
            (-1, "no child of this server's master"),
            (serval.mold(), "serval has started that process itself"),
            (serval.workers()[0], "that process is another worker"),
        ):
            with self.subTest(pid=pid):
                before = len(re.findall("cause=boot_failed", serval.log()))
                self.asks_for_one_more(serval, f"pid {pid}")
                serval.expect_log(rf'the mold says that the worker has pid {pid}, but [^"]*{re.escape(why)}')
                serval.expect_log("cause=boot_failed", count=before + 1)
                self.write("lies", "")
                serval.expect_log("worker ready slot=", count=serval.log().count("worker ready slot="))
                serval.signal(signal.SIGTTOU)
                self.serves_as_ever(serval)
        self.assertIsNone(stranger.poll(), "it has been left alone")
        self.assertNotIn("second signal", serval.log())

    def is_told_and_passed_over(self, lie, line):
        """Once for each server: after a lie about a worker its mold lives for as long as the grace."""
        serval = self.start_liar()
        self.asks_for_one_more(serval, lie)
        serval.expect_log(line)
        self.status(serval)
        self.write("lies", "")
        serval.signal(signal.SIGTTOU)
        self.serves_as_ever(serval)

    def test_another_slot(self):
        self.is_told_and_passed_over(
            "slot 1", r'message dropped from="the mold" why="it answers no fork that it was asked for"')

    def test_a_slot_that_there_cannot_be(self):
        self.is_told_and_passed_over("slot -7", r"it answers no fork that it was asked for.* claimed_slot=-7")

    def test_another_generation(self):
        self.is_told_and_passed_over("generation 9", r'why="it names another generation".* claimed_gen=9')

    def test_an_answer_that_comes_twice(self):
        self.is_told_and_passed_over("twice", r"it answers no fork that it was asked for")

    def test_a_flood(self):
        self.is_told_and_passed_over("flood", r'why="a mold says no such thing".* folded=\d{3,}')

    def test_one_that_never_answers_is_replaced(self):
        serval = self.start_liar()
        mold = serval.mold()
        self.asks_for_one_more(serval, "silent")
        serval.expect_log("the mold does not say which process a worker is, killing the mold")
        self.write("lies", "")
        wait_until(lambda: serval.mold() not in (None, mold), "another mold")
        self.serves_as_ever(serval, workers=3)


class MoldOfTasks(HostileTest):
    """What it says of the tasks that it forks is believed no more."""

    def start_liar(self, **options):
        os.chmod(self.folder, 0o777)
        serval = self.start_hostile(app_args=["lies=" + self.lies], config={
            "restart": {"backoff_max": "200ms"}, "programs.queue": {"run": "task:waits", "ready": "alive:1ms", **options}})
        self.wait_for_file("lies.on")
        return serval, self.task(serval, 1)

    def task(self, serval, nth):
        return int(serval.expect_log(r"program ready program=queue instance=0 program_pid=(\d+)", count=nth)[1])

    def recovers(self, serval):
        ready = serval.log().count("program ready program=queue")
        self.write("lies", "")
        self.task(serval, ready + 1)
        self.serves_as_ever(serval)

    def test_a_strangers_pid_is_not_taken_for_a_task(self):
        serval, task = self.start_liar()
        stranger = self.stranger()
        for pid, why in (
            (stranger.pid, "no child of this server's master"),
            (serval.mold(), "serval has started that process itself"),
            (serval.workers()[0], "that process is another worker"),
        ):
            with self.subTest(pid=pid):
                self.write("lies", f"pid {pid}")
                os.kill(task, signal.SIGKILL)
                serval.expect_log(rf'program not started program=queue .*the mold says that the task has pid {pid}, but [^"]*{re.escape(why)}')
                ready = serval.log().count("program ready program=queue")
                self.write("lies", "")
                task = self.task(serval, ready + 1)
        self.serves_as_ever(serval)
        self.assertIsNone(stranger.poll(), "it has been left alone")

    def test_an_answer_that_comes_twice(self):
        serval, task = self.start_liar()
        self.write("lies", "twice")
        os.kill(task, signal.SIGKILL)
        serval.expect_log(r'message dropped from="the mold" why="it answers no fork that it was asked for"')
        self.write("lies", "")
        self.serves_as_ever(serval)

    def test_one_that_never_answers_is_replaced(self):
        serval, task = self.start_liar(ready_timeout="500ms")
        self.write("lies", "silent")
        os.kill(task, signal.SIGKILL)
        serval.expect_log(r'mold died .*it did not fork a task: queue\[0\]')
        serval.expect_log("program not started program=queue .*the mold ended before it had forked the task")
        self.recovers(serval)


class Worker(HostileTest):
    def attack(self, serval, target):
        response = serval.get(target)
        self.assertEqual(response.status, 200, target)
        return response.text

    def test_floods_and_lies_harm_nobody_and_are_told_once_in_a_while(self):
        serval = self.start_hostile()
        before = set(serval.workers().values())
        self.attack(serval, "/flood?n=40000")
        self.attack(serval, "/sizes")
        self.attack(serval, "/claims")
        self.status(serval)
        serval.expect_log(r'message dropped from="?worker\[\d\]"? why="a worker says no such thing"')
        serval.expect_log(r'message dropped .*folded=\d+')
        self.assertLess(serval.log().count("message dropped"), 100, "whatever it claims to be")
        self.serves_as_ever(serval)
        self.assertTrue(before & set(serval.workers().values()), "nobody was killed for it")

    def test_a_crash_that_is_made_up_is_told_with_the_pid_of_its_worker(self):
        serval = self.start_hostile()
        self.attack(serval, "/crashes")
        serval.expect_log("worker crashed slot=")
        pids = {int(pid) for pid in re.findall(r"worker crashed slot=\d+ worker_pid=(-?\d+)", serval.log())}
        self.assertLessEqual(pids, set(serval.workers().values()))
        self.serves_as_ever(serval)

    def test_descriptors_do_not_reach_the_master(self):
        serval = self.start_hostile()
        before = process_tree.fd_count(serval.pid)
        results = self.attack(serval, "/descriptors").split("\n")
        self.assertIn("Broken pipe", results, "its own channel")
        self.assertIn("Socket operation on non-socket", results)
        self.serves_as_ever(serval)
        self.assertEqual(process_tree.fd_count(serval.pid), before)

    def test_a_littered_lobby_is_cleared_up_and_the_server_stops(self):
        """What lies in there has a close that waits for two minutes (SO_LINGER): for whoever closes it."""
        serval = self.start_hostile()
        self.attack(serval, "/lobby")
        self.status(serval)
        serval.signal(signal.SIGTERM)
        self.assertEqual(serval.wait(), 0)

    def test_garbage_in_the_scoreboard_confuses_figures_and_nothing_else(self):
        serval = self.start_hostile()
        for seed in range(1, 6):
            self.attack(serval, f"/scribble?seed={seed}")
            self.status(serval)
            code, out, error = self.run_command("healthcheck", "--socket", self.path("control0.sock"))
            self.assertEqual(code, 0, error)
        code, _, _ = self.run_command("stacks", "--socket", self.path("control0.sock"))
        self.assertEqual(code, 0)
        self.serves_as_ever(serval)
        for worker in serval.workers().values():
            serval.signal(signal.SIGKILL, worker)
        serval.expect_log("worker ready", count=4)
        self.serves_as_ever(serval)

    def test_garbage_in_the_apps_metrics_confuses_figures_and_nothing_else(self):
        serval = self.start_hostile(env={"SERVAL_ADMIN_BIND": "127.0.0.1:0"})
        host, port = re.search(r"admin endpoints at=http://(\S+):(\d+)/", serval.log()).groups()

        def metrics():
            with Client((host, int(port))) as client:
                return client.request("GET", "/metrics", [("Host", "localhost"), ("Connection", "close")])

        for seed in (1, 2, 3, 4, 5, 0):
            self.attack(serval, f"/miscount?seed={seed}")
            answer = metrics()
            self.assertEqual(answer.status, 200)
            self.assertIn("serval_requests_total", answer.text)
        self.serves_as_ever(serval)
        for command in ("reload", "upgrade"):
            code, _, error = self.run_command(command, "--socket", self.path("control0.sock"))
            self.assertEqual(code, 0, error)
            self.assertEqual(metrics().status, 200)
        self.assertNotIn("the admin process has ended", serval.log())
        self.serves_as_ever(serval)

    def test_control_bytes_in_names_are_escaped_wherever_they_are_shown(self):
        serval = self.start_hostile()
        self.attack(serval, "/names")
        serval.expect_log(r"named \\x1b\[2J")
        shown = serval.log() + self.status(serval)
        code, out, _ = self.run_command("stacks", "--socket", self.path("control0.sock"))
        self.assertEqual(code, 0)
        for byte in "\x1b\r\x07":
            self.assertNotIn(byte, shown + out)

    def test_one_that_closes_its_channel_is_still_reaped_replaced_and_stopped(self):
        serval = self.start_hostile()
        self.attack(serval, "/mute")
        self.status(serval)
        self.attack(serval, "/deaf")
        self.serves_as_ever(serval)
        for worker in serval.workers().values():
            serval.signal(signal.SIGKILL, worker)
        serval.expect_log("worker ready", count=4)
        self.serves_as_ever(serval)
        self.assertEqual(serval.stop(), 0)


if __name__ == "__main__":
    unittest.main()
