"""What becomes of a program that ends: started again, or not, as its table says."""

import os
import re
import signal
import time
import unittest

import process_tree
from http_client import wait_until
from programs import ProgramsTest


class ProgramsRestart(ProgramsTest):
    def test_a_killed_one_is_started_again(self):
        serval = self.start_programs({"mailer": {"command": self.puppet(), "count": 2}})
        pids = self.pids("mailer")
        os.kill(pids[1], signal.SIGKILL)
        wait_until(lambda: self.pids("mailer").get(1) not in (None, pids[1]), "another instance 1")
        self.assertEqual(self.pids("mailer")[0], pids[0])
        self.assertEqual(self.program("mailer")["restarts"], {"crash": 1})
        serval.expect_log(r"program ended program=mailer instance=1 .*how=SIGKILL .*next=\"restarting at once\"")

    def test_one_that_dies_at_once_waits_longer_and_longer_and_is_given_up(self):
        serval = self.launch_programs(
            {"broken": {"command": self.puppet("exit=7"), "give_up_after": 3, "ready": "alive:5s"}, "well": {"command": self.puppet()}},
            config={"restart": {"backoff_first": "50ms", "backoff_max": "100ms"}})
        serval.expect_log(r"next=\"giving up: serval start broken tries again\"")
        self.assertEqual(serval.log().count("program started program=broken"), 3)
        self.wait_up("well")
        broken = self.program("broken")
        self.assertEqual((broken["up"], broken["instances"][0]["state"]), (False, "ended"))
        self.assertIn("exit code 7", self.order("start", "broken", code=1))

    def test_without_an_app_the_server_ends_when_all_are_given_up(self):
        serval = self.launch_programs({"broken": {"command": ["false"], "give_up_after": 2, "ready": "alive:5s"}},
                                      config={"restart": {"backoff_first": "10ms", "backoff_max": "10ms"}})
        self.assertEqual(serval.wait(), 75)

    def test_restart_on_failure_and_never(self):
        serval = self.launch_programs({
            "done": {"command": self.puppet("exit=0"), "restart": "on-failure"},
            "listed": {"command": self.puppet("exit=4"), "stop_codes": [4]},
            "never": {"command": self.puppet("exit=5"), "restart": "never"},
            "server": {"command": self.puppet(), "after": ["done"]},
        })
        self.wait_up("done", "listed", "server")
        serval.expect_log(r"program ended program=never .*next=\"it failed, and restart")
        states = {name: self.program(name)["instances"][0]["state"] for name in ("done", "listed", "never")}
        self.assertEqual(set(states.values()), {"ended"})
        self.assertLess(serval.log().index("program ended program=done"), serval.log().index("program started program=server"))

    def test_jobs_that_are_all_done_end_the_server(self):
        serval = self.launch_programs({"one": {"command": ["true"], "restart": "on-failure"}, "two": {"command": ["true"], "restart": "never"}})
        self.assertEqual(serval.wait(), 0)

    def test_above_its_memory_ceiling_one_is_killed_and_its_children_count(self):
        script = " ".join(self.puppet("sleep=0.5", "eat=80")) + " & wait"
        serval = self.start_programs(
            {"fat": {"command": ["sh", "-c", script], "memory_hard": "60MiB"}, "thin": {"command": self.puppet()}},
            config={"memory": {"interval": "50ms", "measure": "rss"}})
        thin = self.pids("thin")
        serval.expect_log(r"program is above its hard memory ceiling program=fat .*ceiling=60MiB")
        serval.expect_log(r"program ended program=fat .*cause=memory_hard")
        self.assertEqual(self.pids("thin"), thin)

    def test_old_age_replaces_an_instance(self):
        self.start_programs({"mailer": {"command": self.puppet(), "max_lifetime": "1s"}})
        pid = self.pids("mailer")[0]
        wait_until(lambda: self.pids("mailer").get(0) not in (None, pid), "a successor")
        self.assertGreaterEqual(self.program("mailer")["restarts"]["max_lifetime"], 1)

    @unittest.skipIf("SERVAL_SANITIZED" in os.environ, "sanitizers take CPU time of their own at each fork")
    def test_a_storm_is_bounded(self):
        """A hundred instances that die at once: few starts a second, few lines, hardly any CPU time of the master's."""
        serval = self.launch_programs({"broken": {"command": ["false"], "count": 100, "ready": "alive:60s", "ready_timeout": "2m"}})
        serval.expect_log("program ended")
        time.sleep(3)  # the start of all is over by then
        started = lambda: len(re.findall("program started", serval.log()))
        lines, cpu = len(serval.log().splitlines()), self.cpu_of(serval.pid)
        time.sleep(5)
        self.assertLess(len(serval.log().splitlines()) - lines, 100)
        self.assertLess(self.cpu_of(serval.pid) - cpu, 0.5, "more than 10 % of a CPU")
        self.assertLess(started(), 500)
        self.assertEqual(serval.stop(), 0)

    def cpu_of(self, pid):
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    unittest.main()
