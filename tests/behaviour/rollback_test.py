"""`serval rollback`: the generation before a reload serves again at once, with its code and configuration, and no request fails."""

import json
import os
import threading
import time
import unittest

import process_tree
from http_client import wait_until
from load import Load
from reloads import ReloadTest


class Rollback(ReloadTest):
    def start_kept(self, keep="10m", **config):
        config.setdefault("reload", {})["keep"] = keep
        return self.start(app="probe", config={"app": {"args": ["colour=red"]}, **config})

    def reload(self):
        code, out, err = self.command("reload")
        self.assertEqual(code, 0, err)

    def states(self):
        code, out, err = self.run_command("status", "--json", "-c", self.path("serval0.toml"))
        self.assertEqual(code, 0, err)
        return {generation["number"]: generation["state"] for generation in json.loads(out)["generations"]}

    def molds(self, serval):
        return self.processes(serval, r"serval: mold")

    def test_the_old_code_serves_again_at_once_and_nothing_fails(self):
        serval = self.start_kept(workers={"count": 4}, log={"level": "info"})
        self.reload()
        self.assertEqual(self.generations(serval), {2})
        wait_until(lambda: self.states() == {1: "kept", 2: "serving"}, "generation 1 to be kept")
        molds = self.molds(serval)
        self.assertEqual(len(molds), 2)
        with Load(serval, clients=6, target="/generation", fresh=True) as load:
            load.wait_for(50)
            code, out, err = self.command("rollback")
            self.assertEqual((code, out.splitlines()[:1]), (0, ["generation 1 serves"]), err)
            load.wait_for(50)
        self.assertEqual(load.failures, [])
        self.assertEqual(self.generations(serval), {1})
        serval.expect_log(r"rolling back from_gen=2 to_gen=1 by=\"serval rollback\"")
        serval.expect_log(r"rolled back gen=1")
        wait_until(lambda: self.states() == {1: "serving", 2: "kept"}, "generation 2 to be kept")
        self.assertEqual(self.molds(serval), molds)  # nothing was loaded anew

    def test_how_long_it_takes_until_the_old_code_answers(self):
        serval = self.start_kept()
        self.reload()
        first = []

        def look(asked, response):
            if response.body == b"1\n" and not first:
                first.append(time.monotonic())

        with Load(serval, clients=4, target="/generation", fresh=True, look=look) as load:
            load.wait_for(50)
            first.clear()
            code, out, err = self.command("rollback")
            self.assertEqual(code, 0, err)
            load.wait_for(20)
        self.assertEqual(load.failures, [])
        line = serval.expect_log(r"rolled back gen=1 took_ms=(\d+)")
        self.assertLess(int(line[1]), 1000)

    def test_forward_again_and_its_configuration_comes_back_with_it(self):
        serval = self.start_kept(workers={"count": 2, "threads": 3})
        self.change_config("threads = 3", "threads = 5")
        self.reload()
        code, out, err = self.command("rollback")
        self.assertEqual(code, 0, err)
        self.assertRegex(out, r"workers\.threads: 3 instead of 5")
        self.assertEqual(self.command("rollback")[0], 0)
        self.assertEqual(self.generations(serval), {2})

    def test_without_one_that_is_kept_it_is_refused(self):
        serval = self.start_kept(keep="1s")
        code, out, err = self.command("rollback")
        self.assertEqual((code, out), (1, ""), err)
        self.assertIn("no generation is kept: reload.keep says for how long the one before a reload is; generation 1 goes on", err)
        self.reload()
        serval.expect_log(r"the generation before is not kept any more gen=1")
        self.assertEqual(self.command("rollback")[0], 1)
        wait_until(lambda: len(self.molds(serval)) == 1, "the old mold to be gone")

    def test_an_upgrade_carries_it(self):
        serval = self.start_kept()
        self.reload()
        code, out, err = self.command("upgrade")
        self.assertEqual(code, 0, err)
        wait_until(lambda: self.states() == {1: "kept", 2: "serving"}, "generation 1 to be kept")
        code, out, err = self.command("rollback")
        self.assertEqual(code, 0, err)
        self.assertEqual(self.generations(serval), {1})

    def test_where_the_old_one_has_left_its_address_it_is_refused(self):
        serval = self.start_kept(server={"bind": ["127.0.0.1:0", "unix:" + self.path("a.sock")]})
        self.change_config(self.path("a.sock"), self.path("b.sock"))
        self.reload()
        code, out, err = self.command("rollback")
        self.assertEqual((code, out), (1, ""), err)
        self.assertRegex(err, r"generation 1 listened on unix:.*a\.sock, which has been left")


if __name__ == "__main__":
    unittest.main()
