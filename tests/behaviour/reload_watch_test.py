"""A reload that watches itself (reload.watch): new code that answers worse goes back by itself, and says why with the figures; good code does not."""

import json
import os
import re
import threading
import time
import unittest

from load import Load
from reloads import ReloadTest


class Watch(ReloadTest):
    def start_watched(self, quality, watch="1s", count=2, timeout="30s", **reload):
        return self.start(app="probe", config={"app": {"args": [quality, "x=y"]}, "workers": {"count": count, "threads": 8},
                                               "request": {"timeout": timeout}, "reload": {"watch": watch, **reload}})

    def deploy(self, before, after):
        self.change_config(f'"{before}"', f'"{after}"')
        return self.command("reload")

    def generations_shown(self):
        code, out, err = self.run_command("status", "--json", "-c", self.path("serval0.toml"))
        self.assertEqual(code, 0, err)
        return {generation["number"]: generation for generation in json.loads(out)["generations"]}

    def load(self, serval, look=lambda asked, response: None):
        return Load(serval, clients=6, target="/quality", fresh=True, look=look)

    def test_a_tenth_of_errors_goes_back_with_the_figures(self):
        serval = self.start_watched("sleep_ms=2", watch="30s")
        with self.load(serval) as load:
            load.wait_for(100)
            begun = time.monotonic()
            code, out, err = self.deploy("sleep_ms=2", "fail_every=10")
            took = time.monotonic() - begun
            self.assertEqual((code, out), (1, ""), err)
            self.assertRegex(err, r"its requests fail more often than reload\.max_error_ratio = 2 allows \(new: \d+ of \d+ requests failed \([\d.]+%\)")
            self.assertIn("generation 1 goes on", err)
            self.assertLess(took, 25)  # it does not wait for the end of the watch
            load.failures.clear()
            load.wait_for(100)
        self.assertEqual([failure for failure in load.failures if not failure.startswith("status 500")], [])
        serval.expect_log(r"watching the new generation beside the old one gen=2 workers=1 watch_ms=30000")
        serval.expect_log(r"reload failed, the old generation goes on gen=1 why=.*max_error_ratio")
        self.assertEqual(self.generations(serval), {1})

    def test_a_rollback_calls_it_off(self):
        serval = self.start_watched("sleep_ms=2", watch="10m")
        told = []
        waiting = threading.Thread(target=lambda: told.append(self.deploy("sleep_ms=2", "sleep_ms=3")))
        waiting.start()
        serval.expect_log(r"watching the new generation beside the old one")
        with self.load(serval) as load:
            load.wait_for(50)
            code, out, err = self.command("rollback")
            self.assertEqual((code, out), (0, "generation 1 serves\nthe reload was called off"), err)
            load.wait_for(50)
        waiting.join()
        code, out, err = told[0]
        self.assertEqual((code, out), (1, ""), err)
        self.assertIn("called off by serval rollback; generation 1 goes on", err)
        self.assertEqual(load.failures, [])
        self.assertEqual(self.generations(serval), {1})

    def test_slow_code_goes_back_and_loses_no_request(self):
        serval = self.start_watched("sleep_ms=20", watch="5s")
        with self.load(serval) as load:
            load.wait_for(50)
            code, out, err = self.deploy("sleep_ms=20", "sleep_ms=95")
            self.assertEqual((code, out), (1, ""), err)
            self.assertRegex(err, r"its requests take longer than reload\.max_latency_ratio = 2 allows \(new: 0 of \d+ requests failed \(0%\), 95th percentile")
            load.wait_for(50)
        self.assertEqual(load.failures, [])
        self.assertEqual(self.generations(serval), {1})

    def test_clients_that_keep_their_connections_meet_the_new_generation_too(self):
        serval = self.start_watched("sleep_ms=2", watch="30s", count=4)
        with Load(serval, clients=4, target="/quality") as load:
            load.wait_for(100)
            code, out, err = self.deploy("sleep_ms=2", "fail_every=10")
            self.assertEqual((code, out), (1, ""), err)
            self.assertRegex(err, r"its requests fail more often than reload\.max_error_ratio")
            load.failures.clear()
            load.wait_for(100)
        self.assertEqual([failure for failure in load.failures if not failure.startswith("status 500")], [])
        self.assertEqual(self.generations(serval), {1})

    def test_with_kept_connections_each_generation_gets_its_part(self):
        serval = self.start_watched("sleep_ms=2", watch="5s", count=3)
        with Load(serval, clients=4, target="/quality") as load:
            load.wait_for(100)
            code, out, err = self.command("reload")
            self.assertEqual(code, 0, err)
        self.assertEqual(load.failures, [])
        line = serval.expect_log(r"the new generation answers no worse than the old one gen=2 figures=.*")
        fresh, old = (int(number) for number in re.findall(r"of (\d+) requests failed", line.group()))
        self.assertGreater(fresh, 0.08 * (fresh + old), line.group())  # a fourth of the workers has a fourth of the connections, roughly
        self.assertLess(fresh, 0.5 * (fresh + old), line.group())

    def test_code_that_hangs_goes_back_though_it_answers_nothing(self):
        serval = self.start_watched("sleep_ms=2", watch="4s", timeout="6s")
        with self.load(serval) as load:
            load.wait_for(100)
            code, out, err = self.deploy("sleep_ms=2", "sleep_ms=60000")
            self.assertEqual((code, out), (1, ""), err)
            self.assertIn("its requests take longer than reload.max_latency_ratio", err)
            load.wait_for_answers(50)
        self.assertEqual(self.generations(serval), {1})

    def test_good_code_goes_on_every_time(self):
        serval = self.start_watched("sleep_ms=5")
        with self.load(serval) as load:
            for generation in range(2, 5):
                load.wait_for(50)
                code, out, err = self.command("reload")
                self.assertEqual((code, out.splitlines()[:1]), (0, [f"generation {generation} serves"]), err)
        self.assertEqual(load.failures, [])
        serval.expect_log(r"the new generation answers no worse than the old one gen=4 figures=")

    def test_without_requests_it_goes_on_and_says_so(self):
        serval = self.start_watched("sleep_ms=5")
        code, out, err = self.command("reload")
        self.assertEqual(code, 0, err)
        self.assertRegex(out, r"it was not compared with generation 1 \(reload\.watch\): too few requests, it takes 50 of each \(new: 0 of 0 requests failed")
        serval.expect_log(r"too few requests to compare the generations, the reload goes on gen=2")

    def test_both_serve_while_it_is_watched_and_status_shows_them(self):
        serval = self.start_watched("sleep_ms=2", watch="5s", count=4, canary="50%")
        command = self.launch("reload", "-c", self.path("serval0.toml"))
        serval.expect_log(r"watching the new generation beside the old one gen=2 workers=2")
        shown = self.generations_shown()
        self.assertEqual({number: generation["state"] for number, generation in shown.items()}, {1: "serving", 2: "watched"})
        self.assertTrue(shown[1]["library"].endswith("probe.so"), shown)
        _, out, _ = self.run_command("status", "--json", "-c", self.path("serval0.toml"))
        self.assertEqual(sorted(worker["generation"] for worker in json.loads(out)["workers"]), [1, 1, 1, 1, 2, 2])
        self.assertEqual(command.wait(), 0)

    def test_the_ratios_and_the_canary_are_checked(self):
        for key, value, pattern in (("max_error_ratio", "0.5", r"a ratio from 1 to 1000"), ("max_latency_ratio", '"much"', r"a ratio from 1 to 1000"),
                                    ("canary", '"0%"', r"a share from \"1%\" to \"100%\""), ("canary", "0", r"a whole number from 1 to 1024"),
                                    ("watch", '"1h"', r"from 1s to 10m")):
            with self.subTest(key=key, value=value):
                self.write("bad.toml", f"[reload]\n{key} = {value}\n")
                code, out, err = self.run_command("config", "-c", self.path("bad.toml"))
                self.assertEqual(code, 78, err)
                self.assertRegex(err, pattern)


if __name__ == "__main__":
    unittest.main()
