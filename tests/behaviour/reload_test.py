"""A reload replaces code and configuration under load without a failed request, or leaves everything as it was and says why."""

import os
import re
import signal
import time
import unittest

import process_tree
from http_client import request_bytes, wait_until
from load import Load
from reloads import ReloadTest
from serval_process import at_once


class Reload(ReloadTest):
    def assert_reload_fails(self, serval, pattern):
        """And changes nothing."""
        before = serval.workers()
        code, out, err = self.command("reload")
        self.assertEqual(code, 1, err)
        self.assertRegex(err, pattern)
        self.assertEqual(serval.workers(), before)
        self.assertEqual(serval.get("/generation").text, "1\n")

    # What a reload replaces

    def test_new_code_answers_once_the_command_has_returned(self):
        serval = self.start_replaceable()
        self.assertEqual(serval.get("/").text, "faulty\n")
        self.replace_library("hello")
        code, out, err = self.command("reload")
        self.assertEqual((code, out.splitlines()[0]), (0, "generation 2 serves"), err)
        self.assertEqual({serval.get("/").text for _ in range(20)}, {"Hello, World!\n"})

    def test_hup_is_the_same(self):
        serval = self.start_replaceable()
        serval.signal(signal.SIGHUP)
        serval.expect_log(r"reloaded gen=2")
        self.assertEqual(serval.get("/generation").text, "2\n")

    def test_every_generation_in_turn(self):
        serval = self.start_replaceable()
        for generation in range(2, 8):
            code, out, err = self.command("reload")
            self.assertEqual(code, 0, err)
            self.assertEqual({serval.get("/generation").text for _ in range(5)}, {f"{generation}\n"})
        wait_until(lambda: len(serval.workers()) == 2, "the old workers to be gone")
        molds = [pid for pid in process_tree.descendants(serval.pid) if process_tree.title(pid).startswith("serval: mold")]
        self.assertEqual(len(molds), 1)

    def test_config_and_environment_are_read_anew(self):
        serval = self.start_replaceable(app={"env": {"COLOUR": "red"}}, workers={"count": 2})
        self.change_config("count = 2", "count = 3")
        self.change_config("COLOUR = \"red\"", "SHAPE = \"round\"")
        code, out, err = self.command("reload")
        self.assertEqual(code, 0, err)
        serval.expect_log(r"configuration changes key=workers.count from=2 to=3")
        wait_until(lambda: len(serval.workers()) == 3, "three workers")
        for pid in serval.workers().values():
            with open(f"/proc/{process_tree.parent(pid)}/environ", "rb") as file:
                self.assertNotIn(b"COLOUR", file.read())

    # What fails leaves the old generation as it is

    def test_a_library_that_does_not_load(self):
        serval = self.start_replaceable()
        self.write("app.so.new", b"not a library")
        os.rename(self.path("app.so.new"), self.path("app.so"))
        self.assert_reload_fails(serval, r"not a shared library")

    def test_a_preload_that_throws_or_crashes_or_never_ends(self):
        serval = self.start_replaceable(workers={"boot_timeout": "1s"})
        args, kinds = "args = []", {"throw": "told to throw", "crash": "SIGSEGV", "hang": "boot_timeout"}
        self.change_config("[app]\n", "[app]\n" + args + "\n")
        for kind, pattern in kinds.items():
            with self.subTest(kind):
                self.change_config(args, f'args = ["preload={kind}"]')
                args = f'args = ["preload={kind}"]'
                self.assert_reload_fails(serval, pattern)

    def test_a_worker_that_does_not_boot(self):
        serval = self.start_replaceable(reload={"ready_timeout": "1s"})
        args = "args = []"
        self.change_config("[app]\n", "[app]\n" + args + "\n")
        for arg, pattern in {"start=throw": "told to throw", "start=crash": "SIGSEGV", "ready=no": "reload.ready_timeout"}.items():
            with self.subTest(arg):
                self.change_config(args, f'args = ["{arg}"]')
                args = f'args = ["{arg}"]'
                self.assert_reload_fails(serval, pattern)

    def test_a_config_with_mistakes_and_one_that_needs_a_restart(self):
        serval = self.start_replaceable()
        self.change_config("threads = 2", "threads = \"two\"")
        self.assert_reload_fails(serval, r"(?m)^serval reload: .*serval0\.toml:\d+:\d+: error: workers\.threads.*\n(  hint: .*\n)?generation 1 goes on$")
        self.change_config("threads = \"two\"", "threads = 2")
        self.change_config("[server]", "[server]\nname = \"other\"")
        self.assert_reload_fails(serval, r"server\.name cannot change without a restart")

    # Under load

    def test_nobody_notices(self):
        serval = self.start_replaceable(workers={"count": 3})
        with Load(serval, clients=4) as load:
            for _ in range(5):
                self.assertEqual(self.command("reload")[0], 0)
                self.assertEqual(self.command("recycle", "all")[0], 0)
                self.assertEqual(self.command("scale", "+1")[0], 0)
        self.assertEqual(load.failures, [])

    def test_failing_reloads_are_not_noticed_either(self):
        serval = self.start_replaceable(workers={"boot_timeout": "1s"})
        self.change_config("[app]\n", "[app]\nargs = [\"start=throw\"]\n")
        with Load(serval, clients=4) as load:
            for _ in range(10):
                self.assertEqual(self.command("reload")[0], 1)
        self.assertEqual(load.failures, [])
        self.assertEqual(len(serval.workers()), 2)

    def test_a_long_request_is_answered_by_its_old_worker(self):
        serval = self.start_probe()
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=long"))
            self.wait_entered("long")
            self.assertEqual(self.command("reload")[0], 0)
            self.open_gate("long")
            self.assertEqual(client.read_response().status, 200)

    def test_fifty_hups_end_in_one_generation(self):
        serval = self.start_replaceable()
        for _ in range(50):
            serval.signal(signal.SIGHUP)
            time.sleep(0.002)  # else they merge
        self.assertEqual(self.command("reload")[0], 0)
        wait_until(lambda: len(serval.workers()) == 2, "the old workers to be gone")
        self.assertEqual(len({serval.get("/generation").text for _ in range(10)}), 1)

    def test_commands_that_come_together_all_get_their_answer(self):
        self.start_replaceable()
        answers = at_once([lambda: self.command("reload")] * 1)  # one warms up
        self.assertEqual(answers[0][0], 0)
        runs = [self.launch("reload", "-c", self.path("serval0.toml")) for _ in range(5)]
        self.assertEqual([run.wait() for run in runs], [0] * 5)

    # Deaths meanwhile

    def test_killing_anybody_meanwhile(self):
        serval = self.start_replaceable(workers={"count": 3})
        for round_ in range(6):
            reload = self.launch("reload", "-c", self.path("serval0.toml"))
            wait_until(lambda: serval.log().count("reloading from_gen") > round_, "the reload to begin")
            pids = [pid for pid in process_tree.descendants(serval.pid) if process_tree.title(pid).startswith("serval: ")]
            process_tree.kill(pids[round_ % len(pids)])
            code = reload.wait()
            ended = [line for line in serval.log().splitlines() if re.search(r"\b(reloaded gen=|reload failed)", line)]
            self.assertEqual(len(ended), round_ + 1, serval.log())
            self.assertEqual(code, 0 if "reloaded" in ended[-1] else 1, reload.log())  # what the command says is what has happened
            wait_until(lambda: serval.get("/generation").status == 200, "an answer")
        self.assertEqual(self.command("reload")[0], 0)

    def test_stop_meanwhile(self):
        serval = self.start_replaceable()
        reload = self.launch("reload", "-c", self.path("serval0.toml"))
        wait_until(lambda: "reloading from_gen" in serval.log(), "the reload to begin")
        self.assertEqual(serval.stop(), 0)
        code = reload.wait()
        if "reloaded gen=2" in serval.log():  # it was faster than the stop
            self.assertEqual(code, 0, reload.log())
        else:
            self.assertEqual(code, 69, reload.log())
            self.assertIn("it ended before it answered", reload.log())

    # The other commands

    def test_stop_returns_when_the_server_has_ended(self):
        serval = self.start_replaceable()
        self.assertEqual(self.command("stop")[0], 0)
        self.assertEqual(serval.wait(), 0)
        self.assertEqual(self.command("stop")[0], 69)

    def test_stop_now_cuts(self):
        serval = self.start_probe()
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=cut"))
            self.wait_entered("cut")
            self.assertEqual(self.command("stop", "--now")[0], 0)
            self.assertEqual(serval.wait(), 0)
        self.open_gate("cut")

    def test_scale(self):
        serval = self.start_replaceable()
        for word, workers in (("4", 4), ("+1", 5), ("-3", 2)):
            code, out, err = self.command("scale", word)
            self.assertEqual((code, out), (0, f"{workers} workers serve"), err)
            wait_until(lambda: len(serval.workers()) == workers, f"{workers} workers")
        self.assertEqual(self.command("scale", "0")[0], 1)
        self.assertEqual(self.command("scale", "many")[0], 64)

    def test_recycle(self):
        serval = self.start_replaceable()
        before = serval.workers()
        self.assertEqual(self.command("recycle", "0")[:2], (0, "1 replaced"))
        wait_until(lambda: before[0] not in serval.workers().values(), "the old worker to be gone")
        self.assertIn(before[1], serval.workers().values())
        self.assertEqual(self.command("recycle", "77")[0], 1)

    def test_reopen_returns_when_every_process_has(self):
        serval = self.start(config={"log": {"access": self.path("access.log")}})
        serval.get("/")
        wait_until(lambda: os.path.exists(self.path("access.log")) and os.path.getsize(self.path("access.log")) > 0, "the access line")
        os.rename(self.path("access.log"), self.path("access.log.1"))
        self.assertEqual(self.command("reopen")[0], 0)
        self.assertTrue(os.path.exists(self.path("access.log")))


if __name__ == "__main__":
    unittest.main()
