"""Nothing that a program has started outlives it: children of children, deaf ones, daemons."""

import os
import signal
import unittest

import process_tree
from http_client import wait_until
from programs import ProgramsTest


class ProgramsTree(ProgramsTest):
    def start_tree(self, **program):
        """A program with three generations below it that ignore TERM and INT; the pids of all."""
        serval = self.start_programs({"tree": {"command": self.puppet("tree=3"), "grace": "500ms", **program}})
        leader = self.pids("tree")[0]
        wait_until(lambda: len(process_tree.descendants(leader)) == 3, "the tree")
        return serval, [leader, *process_tree.descendants(leader)]

    def test_a_stop_ends_the_whole_tree_within_the_grace(self):
        _, pids = self.start_tree()
        self.order("stop", "tree")
        self.assertFalse(any(process_tree.alive(pid) for pid in pids))

    def test_a_crash_ends_the_whole_tree_before_the_next_start(self):
        serval, pids = self.start_tree()
        os.kill(pids[0], signal.SIGKILL)
        serval.expect_log(r"program ended program=tree .*left_behind=1")
        serval.expect_log("program started", count=2)
        self.assertFalse(any(process_tree.alive(pid) for pid in pids))

    def test_a_deaf_leader_is_killed_with_its_tree(self):
        serval = self.start_programs({"tree": {"command": self.puppet("ignore=TERM", "tree=2"), "grace": "300ms"}})
        leader = self.pids("tree")[0]
        wait_until(lambda: len(process_tree.descendants(leader)) == 2, "the tree")
        pids = [leader, *process_tree.descendants(leader)]
        self.assertEqual(serval.stop(), 0)
        self.assertFalse(any(process_tree.alive(pid) for pid in pids))

    def test_a_daemon_with_a_session_of_its_own_is_found(self):
        serval = self.start_programs({"starter": {"command": self.puppet("daemon"), "grace": "500ms"}})
        daemon = int(serval.expect_log(r"daemon (\d+)")[1])
        self.assertTrue(process_tree.alive(daemon))
        self.order("stop", "starter")
        self.assertFalse(process_tree.alive(daemon))

    def test_the_end_of_the_server_at_once(self):
        serval, pids = self.start_tree(grace="60s")
        code, out, err = self.run_command("stop", "--now", "--socket", self.path("control0.sock"))
        self.assertEqual(code, 0, (out, err))
        serval.wait()
        self.assertFalse(any(process_tree.alive(pid) for pid in pids))

    def test_zombies_of_programs_are_reaped(self):
        serval = self.start_programs({"mother": {"command": ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do (sleep 0.01 &) ; done; exec sleep 1000"]}})
        titles = lambda: [process_tree.title(pid) for pid in process_tree.descendants(serval.pid) if "guard" not in process_tree.title(pid)]
        wait_until(lambda: titles() == ["sleep 1000"], lambda: f"the program alone: {titles()}")


if __name__ == "__main__":
    unittest.main()
