"""Whoever is killed in whatever phase of a reload: the reload succeeds or is rolled back, its exit code says which, and serving goes on."""

import json
import os
import re
import unittest

import process_tree
from http_client import wait_until
from load import Load
from reloads import ReloadTest


class DeathsDuringReload(ReloadTest):
    def kill_during(self, phase, victim, code, loses=True):
        """`victim` finds a pid among the server's processes. Without `loses` nobody may notice; else no more than had connections to it."""
        serval = self.start_gated(shutdown={"grace": "5s"}, restart={"backoff_first": "1ms", "backoff_max": "1ms"})
        with Load(serval, clients=4, target="/generation") as load:
            load.wait_for(20)
            reload = self.reload_until(phase)
            load.wait_for(20)
            pid = victim(serval)
            process_tree.kill(pid)
            wait_until(lambda: not process_tree.alive(pid), "the victim's end")
            load.wait_for_answers(20)
            self.open_gate("preload", "start")
            self.assertEqual(reload.wait(), code, reload.log())
            wait_until(lambda: self.generations(serval) == {1 if code else 2}, "answers of one generation")
            load.wait_for_answers(20)
        lost = sum(int(number) for number in re.findall(r"connections_lost=(\d+)", serval.log()))
        self.assertLessEqual(len(load.failures), lost if loses else 0, load.failures)
        if code:
            self.assertRegex(reload.log(), r"generation 1 goes on")
        # And the next one finds everything in order.
        self.assertEqual(self.command("reload")[0], 0)
        wait_until(lambda: len(self.processes(serval, "serval: worker")) == 2, "two workers")
        wait_until(lambda: len(self.processes(serval, "serval: mold")) == 1, "one mold")

    def mold(self, generation):
        return lambda serval: self.processes(serval, rf"serval: mold gen={generation}\b")[0]

    def worker(self, generation, which=0):
        """The one that is `which`th to come to the start gate, or of generation 1 any."""
        if generation == 1:
            return lambda serval: self.processes(serval, r"serval: worker\[\d+\] gen=1\b")[0]
        return lambda serval: self.entered("start")[which]

    # While the next generation loads

    def test_the_old_mold_while_the_new_one_loads(self):
        self.kill_during("loading", self.mold(1), code=0, loses=False)

    def test_the_new_mold_while_it_loads(self):
        self.kill_during("loading", self.mold(2), code=1, loses=False)

    def test_an_old_worker_while_the_new_mold_loads(self):
        self.kill_during("loading", self.worker(1), code=0)

    # While its first worker starts

    def test_the_old_mold_while_the_canary_starts(self):
        self.kill_during("canary", self.mold(1), code=0, loses=False)

    def test_the_new_mold_while_the_canary_starts(self):
        self.kill_during("canary", self.mold(2), code=1, loses=False)

    def test_the_canary_while_it_starts(self):
        self.kill_during("canary", self.worker(2), code=1, loses=False)

    def test_an_old_worker_while_the_canary_starts(self):
        self.kill_during("canary", self.worker(1), code=0)

    # While the others follow

    def test_the_old_mold_while_the_others_follow(self):
        self.kill_during("rolling", self.mold(1), code=0, loses=False)

    def test_the_new_mold_while_the_others_follow(self):
        self.kill_during("rolling", self.mold(2), code=0, loses=False)

    def test_an_old_worker_while_the_others_follow(self):
        self.kill_during("rolling", self.worker(1), code=0)

    def test_a_new_worker_that_serves_while_the_others_follow(self):
        self.kill_during("rolling", self.worker(2), code=0)

    def test_a_new_worker_that_starts_while_the_others_follow(self):
        self.kill_during("rolling", self.worker(2, which=1), code=1)

    def test_one_that_is_rolled_back_takes_all_that_it_brought_with_it(self):
        path = self.path("app.sock")
        serval = self.start_gated(server={"bind": ["127.0.0.1:0", f"unix:{path}?mode=600"]}, shutdown={"grace": "20s"},
                                  workers={"count": 2})
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.change_config("?mode=600", "?mode=666")
        self.change_config('grace = "20s"', 'grace = "3s"')
        self.change_config("count = 2", "count = 3")
        reload = self.reload_until("rolling")
        process_tree.kill(self.entered("start")[-1])
        self.assertEqual(reload.wait(), 1, reload.log())
        serval.expect_log("reload failed, the old generation goes on")
        self.open_gate("start")
        wait_until(lambda: self.generations(serval) == {1}, "answers of the old generation")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        status = json.loads(self.command("status", "--json")[1])
        self.assertEqual(status["workers_wanted"], 2)
        self.assertEqual(serval.stop(), 0)
        serval.expect_log(r"stopping .*at_most=20s")


if __name__ == "__main__":
    unittest.main()
