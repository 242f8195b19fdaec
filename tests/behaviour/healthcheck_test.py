"""`serval healthcheck`: what kills a container by its exit code must not do so to one that only starts, stops or has a bad second."""

import os
import signal
import unittest

import process_tree
from http_client import request_bytes, wait_until
from serval_process import ServalTest


class Healthcheck(ServalTest):
    def check(self, *flags, number=0):
        """(exit code, the one line)."""
        code, out, err = self.run_command("healthcheck", "--socket", self.path(f"control{number}.sock"), *flags)
        lines = [line for line in (out + "\n" + err).splitlines() if line]
        self.assertEqual(len(lines), 1, lines)
        self.assertEqual(bool(out), code == 0, "what is well is said on standard output, what is not on standard error")
        return code, lines[0]

    def expect(self, *flags, code, pattern):
        last = {}

        def look():
            last["check"] = self.check(*flags)
            return last["check"][0] == code

        wait_until(look, lambda: f"exit code {code}; the last was {last['check']}")
        self.assertRegex(last["check"][1], pattern)

    def test_a_serving_server_is_live_and_ready(self):
        self.start()
        self.assertEqual(self.check(), (0, "live, serving"))
        self.assertEqual(self.check("--ready"), (0, "ready"))

    def test_it_is_found_as_status_finds_it(self):
        self.start()
        code, out, err = self.run_command("healthcheck", "-c", self.path("serval0.toml"), "--ready")
        self.assertEqual((code, out), (0, "ready"), err)

    def test_no_server_is_neither(self):
        for flags in ((), ("--ready",)):
            code, line = self.check(*flags)
            self.assertEqual(code, 1)
            self.assertRegex(line, r"^serval healthcheck: no server to talk to at .*control0\.sock")

    def test_a_wrong_command_line_is_told_from_an_unwell_server(self):
        self.assertEqual(self.run_command("healthcheck", "--raedy")[0], 64)
        self.assertEqual(self.run_command("healthcheck", "now")[0], 64)

    def test_a_server_that_preloads_lives_and_is_not_ready(self):
        serval = self.launch_config("faulty", app_args=["preload=slow:60000"])
        serval.expect_log(r"control socket path=")
        self.assertEqual(self.check(), (0, "live, booting"))
        self.assertEqual(self.check("--ready"), (1, "serval healthcheck: not ready: booting"))

    def test_a_server_that_stops_lives_until_it_has_ended(self):
        serval = self.start_probe()
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=last"))
            self.wait_entered("last")
            serval.signal(signal.SIGTERM)
            serval.expect_log(r"stopping signal=")
            self.assertEqual(self.check(), (0, "live, stopping"))
            self.assertEqual(self.check("--ready"), (1, "serval healthcheck: not ready: stopping"))
            self.open_gate("last")
            self.assertEqual(client.read_response().status, 200)
        self.assertEqual(serval.wait(), 0)

    def test_workers_that_only_crash_are_neither(self):
        config = {"workers": {"count": 1}, "restart": {"backoff_first": "10m", "backoff_max": "10m"}}
        serval = self.start("probe", config, app_args=["start_crash=" + self.path("crash")])
        self.write("crash", "")
        process_tree.kill(serval.workers()[0])
        self.expect(code=1, pattern=r"not live: no worker serves")
        self.expect("--ready", code=1, pattern=r"not ready: no worker serves")

    def test_a_worker_that_hangs_is_the_masters_to_replace(self):
        serval = self.start(config={"workers": {"count": 1, "heartbeat_timeout": "1s"}})
        os.kill(serval.workers()[0], signal.SIGSTOP)

        def replaced():
            self.assertEqual(self.check()[0], 0)
            return serval.log().count("worker ready") == 2

        wait_until(replaced, "its successor")

    def test_a_master_that_hangs(self):
        serval = self.start()
        serval.signal(signal.SIGSTOP)
        self.addCleanup(serval.signal, signal.SIGCONT)
        code, line = self.check()
        self.assertEqual(code, 1)
        self.assertRegex(line, rf"does not answer within 3s; its process {serval.pid} is stopped$")
        done = self.launch("status", "--socket", self.path("control0.sock"))
        self.assertEqual(done.wait(), 69)
        self.assertRegex(done.log(), rf"its process {serval.pid} is stopped\n  hint: kill -CONT {serval.pid} lets it go on\n$")

    def test_any_number_of_checks_at_once_measure_nothing(self):
        serval = self.start(config={"workers": {"count": 4}})
        runs = [self.launch("healthcheck", "--socket", self.path("control0.sock")) for _ in range(20)]
        self.assertEqual([run.wait() for run in runs], [0] * 20)
        self.assertEqual(serval.get().status, 200)


if __name__ == "__main__":
    unittest.main()
