"""serval replaces itself, or dies: programs go on over the one, and do not survive the other."""

import os
import signal
import unittest

import process_tree
from http_client import Client, wait_until
from programs import ProgramsTest


class ProgramsUpgrade(ProgramsTest):
    def test_an_upgrade_leaves_programs_alone(self):
        serval = self.start_programs({
            "web": {"command": self.puppet("serve=python"), "count": 2, "listen": ["127.0.0.1:0"], "ready": "fd"},
            "mailer": {"command": self.puppet("wait-for=" + self.path("go"), "say=after the upgrade", "notify=STATUS=busy"), "ready": "alive:10ms"},
            "stopped": {"command": self.puppet()},
        })
        self.order("scale", "mailer=2")
        self.order("stop", "stopped")
        before = {name: self.pids(name) for name in ("web", "mailer")}
        self.assertIn("is serval", self.order("upgrade"))
        self.assertEqual({name: self.pids(name) for name in ("web", "mailer")}, before)
        self.assertEqual((self.program("mailer")["wanted"], self.program("stopped")["on"]), (2, False))
        self.write("go", "")
        serval.expect_log(r"mailer\[1\] .*: after the upgrade")
        wait_until(lambda: self.program("mailer")["instances"][0]["status"] == "busy", "its notification")
        with Client(serval.addresses[0]) as client:
            self.assertEqual(client.get("/").status, 200)
        os.kill(before["mailer"][0], signal.SIGKILL)
        wait_until(lambda: self.pids("mailer").get(0) not in (None, before["mailer"][0]), "its successor")
        self.order("reload", "web")
        self.assertFalse(set(self.pids("web").values()) & set(before["web"].values()))
        self.order("start", "stopped")
        self.assertEqual(serval.stop(), 0)
        self.assertFalse(any(process_tree.alive(pid) for pid in [*before["web"].values(), *before["mailer"].values()]))

    def test_an_upgrade_beside_an_app(self):
        serval = self.start_programs({"mailer": {"command": self.puppet()}}, app="hello")
        before = self.pids("mailer")
        self.order("upgrade")
        self.assertEqual(self.pids("mailer"), before)
        self.assertEqual(serval.get("/").status, 200)

    def test_programs_do_not_outlive_a_killed_master(self):
        serval = self.start_programs({"mailer": {"command": self.puppet("ignore=TERM"), "count": 3}})
        pids = list(self.pids("mailer").values())
        serval.signal(signal.SIGKILL)
        serval.wait()
        self.gone(*pids)

    def test_nor_does_what_they_have_started(self):
        serval = self.start_programs({"tree": {"command": self.puppet("tree=3", "daemon")}})
        daemon = int(serval.expect_log(r"daemon (\d+)")[1])
        leader = self.pids("tree")[0]
        wait_until(lambda: len(process_tree.descendants(leader)) == 3, "the tree")
        pids = [leader, *process_tree.descendants(leader), daemon]
        serval.signal(signal.SIGKILL)
        serval.wait()
        self.gone(*pids)

    def guard(self, serval):
        return next((pid for pid in process_tree.descendants(serval.pid)
                     if process_tree.title(pid).startswith("serval: guard") and process_tree.alive(pid)), None)

    def test_and_that_holds_after_somebody_has_killed_the_guard(self):
        serval = self.start_programs({"tree": {"command": self.puppet("tree=2")}, "late": {"command": self.puppet()}})
        leader = self.pids("tree")[0]
        wait_until(lambda: len(process_tree.descendants(leader)) == 2, "the tree")
        pids = [leader, *process_tree.descendants(leader)]
        first = self.guard(serval)
        os.kill(first, signal.SIGKILL)
        self.gone(first)
        self.order("recycle", "late")  # at the latest now there is another
        wait_until(lambda: self.guard(serval) not in (None, first), "another guard")
        serval.signal(signal.SIGKILL)
        serval.wait()
        self.gone(*pids)

    def test_one_that_dies_around_an_upgrade_is_started_again(self):
        serval = self.start_programs({"it": {"command": self.puppet(), "count": 2}})
        before = self.pids("it")
        serval.signal(signal.SIGSTOP)  # so that it dies while no master looks
        os.kill(before[0], signal.SIGKILL)
        serval.signal(signal.SIGUSR2)
        serval.signal(signal.SIGCONT)
        serval.expect_log("upgraded from=")
        wait_until(lambda: sorted(self.pids("it")) == [0, 1] and self.pids("it")[0] != before[0], "another instance 0")
        self.assertEqual(self.pids("it")[1], before[1])

    def test_and_that_holds_after_an_upgrade(self):
        serval = self.start_programs({"tree": {"command": self.puppet("tree=2")}})
        leader = self.pids("tree")[0]
        wait_until(lambda: len(process_tree.descendants(leader)) == 2, "the tree")
        pids = [leader, *process_tree.descendants(leader)]
        self.order("upgrade")
        serval.signal(signal.SIGKILL)
        serval.wait()
        self.gone(*pids)


if __name__ == "__main__":
    unittest.main()
