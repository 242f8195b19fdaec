"""A worker dies: what it served fails, everything else goes on, and the master is none the larger for it."""

import os
import re
import signal
import unittest

import process_tree
from http_client import Closed, request_bytes, wait_until
from scoreboard import Scoreboard
from serval_process import ServalTest, library

QUICK = {"restart": {"backoff_first": "1ms", "backoff_max": "1ms"}}


class WorkerDeath(ServalTest):
    def wait_replaced(self, serval, slot, dead):
        """Until another process than `dead` serves in `slot`. The log would not tell of each: what says the same is folded after a while."""
        with Scoreboard(serval.pid) as board:
            wait_until(lambda: any(it.index == slot and it.pid != dead for it in board.serving()), f"a successor in slot {slot}")

    def test_two_hundred_deaths_leave_no_trace_in_the_master(self):
        serval = self.start(config=QUICK)

        def kill_one(slot):
            dead = serval.workers()[slot]
            os.kill(dead, signal.SIGKILL)
            self.wait_replaced(serval, slot, dead)

        def footprint():
            return (process_tree.fd_count(serval.pid), process_tree.thread_count(serval.pid),
                    process_tree.fd_count(serval.mold()), len(process_tree.descendants(serval.pid)))

        for turn in range(4):
            kill_one(turn % 2)
        before = footprint()
        for turn in range(200):
            kill_one(turn % 2)
        wait_until(lambda: footprint() == before, lambda: f"(master's fds, threads, mold's fds, processes) to be {before} again, not {footprint()}")
        self.assertEqual(serval.get().status, 200)

    def test_only_what_it_served_fails(self):
        os.mkdir(self.path("gates"))
        serval = self.start("probe", QUICK, app_args=["gates=" + self.path("gates")])
        clients = {pid: serval.client_at(pid) for pid in serval.workers().values()}
        for pid, client in clients.items():
            self.addCleanup(client.close)
            client.send(request_bytes(target=f"/gate?name={pid}"))
            self.wait_entered(str(pid))
        dead, survivor = clients
        os.kill(dead, signal.SIGKILL)
        with self.assertRaises((Closed, ConnectionResetError)):
            clients[dead].read_response()
        for _ in range(10):
            self.assertEqual(serval.get("/pid").status, 200)
        self.open_gate(str(survivor))
        self.assertEqual(clients[survivor].read_response().status, 200)
        serval.expect_log(rf"error .*worker died .*worker_pid={dead}\b.*SIGKILL")
        serval.expect_log(r"worker ready", count=3)

    def test_the_log_says_who_died_of_what(self):
        serval = self.start(config=QUICK)
        dead = serval.workers()[1]
        os.kill(dead, signal.SIGKILL)
        serval.expect_log(rf"error +master .*worker died slot=1 worker_pid={dead} .*SIGKILL")

    def test_a_worker_that_gets_term_from_outside_finishes_and_is_replaced(self):
        os.mkdir(self.path("gates"))
        serval = self.start("probe", {**QUICK, "workers": {"count": 1, "threads": 2}}, app_args=["gates=" + self.path("gates")])
        old = serval.workers()[0]
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=a"))
            self.wait_entered("a")
            os.kill(old, signal.SIGTERM)
            serval.expect_log(r"worker ready", count=2)
            self.assertNotEqual(int(serval.get("/pid").text), old, "the successor serves while the old one finishes")
            self.open_gate("a")
            self.assertEqual(client.read_response().status, 200)
        wait_until(lambda: not process_tree.alive(old), "the old worker's end")
        self.assertIsNone(serval.process.poll())

    def test_a_worker_ignores_hup_and_usr2(self):
        serval = self.start(config={"workers": {"count": 1, "threads": 1}})
        worker = serval.workers()[0]
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            os.kill(worker, number)
            self.assertEqual(serval.get().status, 200)
        self.assertEqual(serval.workers(), {0: worker})

    def test_workers_come_back_after_all_died(self):
        serval = self.start(config={**QUICK, "workers": {"count": 3, "threads": 1}})
        for pid in serval.workers().values():
            os.kill(pid, signal.SIGKILL)
        serval.expect_log(r"worker ready", count=6)
        self.assertEqual(sorted(serval.workers()), [0, 1, 2])
        self.assertEqual(serval.get().status, 200)

    def test_workers_come_back_after_the_mold_died_too(self):
        serval = self.start(config=QUICK)
        mold = serval.mold()
        os.kill(mold, signal.SIGKILL)
        self.assertEqual(serval.get().status, 200)
        wait_until(lambda: serval.mold() not in (None, mold), "another mold")
        dead = serval.workers()[0]
        os.kill(dead, signal.SIGKILL)
        self.wait_replaced(serval, 0, dead)
        self.assertEqual(serval.get().status, 200)

    def test_crashes_are_slowed_down(self):
        """Each crash doubles the wait: the log names a delay, and the delays do not exceed backoff_max."""
        serval = self.start("faulty", {"restart": {"backoff_first": "10ms", "backoff_max": "80ms"}, "workers": {"count": 1, "threads": 1}})
        for crash in range(6):
            with serval.client() as client:
                client.send(request_bytes(target="/crash"))
                with self.assertRaises((Closed, ConnectionResetError)):
                    client.read_response()
            serval.expect_log(r"worker ready", count=crash + 2)
        delays = [int(delay) for delay in re.findall(r'worker died.*next="restarting in (\d+)ms"', serval.log())]
        at_once = serval.log().count('next="restarting at once"')
        self.assertEqual(len(delays) + at_once, 6, serval.log())
        self.assertLessEqual(max(delays, default=0), 80)

    # Killed in any state

    def test_killed_while_it_boots(self):
        self.write("boot.open", "")
        serval = self.start("probe", {**QUICK, "workers": {"count": 1, "threads": 1}}, app_args=["start_gate=" + self.path("boot")])
        os.remove(self.path("boot.open"))
        os.remove(self.path("boot.entered"))
        first = serval.workers()[0]
        os.kill(first, signal.SIGKILL)
        self.wait_for_file("boot.entered")
        booting = wait_until(lambda: serval.workers().get(0) not in (None, first) and serval.workers()[0], "the one that boots")
        os.kill(booting, signal.SIGKILL)
        serval.expect_log(rf"worker died slot=0 worker_pid={booting} .*signal=SIGKILL .*cause=boot_failed why=\"it ended before it was ready: SIGKILL\"")
        self.write("boot.open", "")
        self.assertEqual(serval.get("/pid").status, 200)
        self.assertNotIn(int(serval.get("/pid").text), (first, booting))

    def start_draining(self, **config):
        """One worker, told to leave while it has a request at the gate `a`; (server, client, the worker's pid)."""
        os.mkdir(self.path("gates"))
        config = {**QUICK, "workers": {"count": 1, "threads": 2}, **config}
        serval = self.start("probe", config, app_args=["gates=" + self.path("gates")])
        old = serval.workers()[0]
        client = serval.client()
        self.addCleanup(client.close)
        client.send(request_bytes(target="/gate?name=a"))
        self.wait_entered("a")
        os.kill(old, signal.SIGTERM)
        serval.expect_log(r"worker\[0\] .*: draining why=signal")
        return serval, client, old

    def test_killed_while_it_drains(self):
        serval, client, old = self.start_draining()
        serval.expect_log(r"worker ready slot=0 ", count=2)
        os.kill(old, signal.SIGKILL)
        with self.assertRaises((Closed, ConnectionResetError)):
            client.read_response()
        serval.expect_log(rf"request lost with its worker slot=0 worker_pid={old} .*target=\S*/gate\?name=a")
        serval.expect_log(rf"warning .*worker died while it drained slot=0 worker_pid={old} .*signal=SIGKILL .*requests_lost=1 .*cause=manual")
        self.assertEqual(len(serval.workers()), 1)
        self.assertEqual(serval.get().status, 200)
        self.assertEqual(serval.log().count("worker ready"), 2, "its successor was there already")

    def test_crashing_while_it_drains(self):
        serval, client, old = self.start_draining()
        os.kill(old, signal.SIGSEGV)
        with self.assertRaises((Closed, ConnectionResetError)):
            client.read_response()
        serval.expect_log(rf"warning .*worker died while it drained slot=0 worker_pid={old} .*signal=SIGSEGV .*cause=manual")
        self.assertEqual(serval.get().status, 200)

    def test_a_handler_that_never_returns_cannot_hold_up_the_order_to_leave(self):
        serval, client, old = self.start_draining(shutdown={"grace": "500ms"}, request={"timeout": "0"})
        serval.expect_log(r"worker ready slot=0 ", count=2)
        with self.assertRaises((Closed, ConnectionResetError)):
            client.read_response()
        wait_until(lambda: not process_tree.alive(old), "the end of the worker")
        serval.expect_log(rf"worker stopped slot=0 worker_pid={old} .*cause=manual")
        self.assertEqual(serval.get().status, 200)

    def test_stopped_by_a_signal_while_it_drains(self):
        """It cannot leave by itself then, nor hear that its grace is over."""
        serval, client, old = self.start_draining(shutdown={"grace": "500ms"})
        os.kill(old, signal.SIGSTOP)
        serval.expect_log(r"warning .*worker did not drain within the grace, killing it slot=0 ")
        wait_until(lambda: not process_tree.alive(old), "the end of the worker")
        self.assertTrue(client.ended())
        self.assertEqual(serval.get().status, 200)

    def test_giving_up(self):
        serval = self.start("faulty", {"restart": {"backoff_first": "1ms", "backoff_max": "1ms", "give_up_after": 3}, "workers": {"count": 1, "threads": 1}})
        for crash in range(3):
            with serval.client() as client:
                client.send(request_bytes(target="/crash"))
                with self.assertRaises((Closed, ConnectionResetError)):
                    client.read_response()
            if crash < 2:
                serval.expect_log(r"worker ready", count=crash + 2)
        self.assertEqual(serval.wait(), 75)
        self.assertRegex(serval.log(), r"giving up")


@unittest.skipIf("SERVAL_SANITIZED" in os.environ, "a sanitizer wants to be loaded before what is preloaded")
class DeathAtAccept(ServalTest):
    """Whoever is killed by the very call that has got him a connection had it counted before."""

    def start_dying_at(self, call):
        dies = {"LD_PRELOAD": library("dies_at_accept"), "DIES_AT": call, "DIES_ONCE": self.path("once")}
        return self.start(config={"app": {"env": dies}})

    def expect_lost(self, serval, client):
        with self.assertRaises((Closed, ConnectionResetError)):
            client.read_response()
        serval.expect_log(r"worker died .*signal=SIGKILL .*connections_lost=1 ")

    def test_from_a_listener(self):
        serval = self.start_dying_at("accept4")
        self.write("once", "")
        client = serval.client()
        self.addCleanup(client.close)
        self.expect_lost(serval, client)
        self.assertEqual(serval.get().status, 200)

    def test_from_the_lobby(self):
        serval = self.start_dying_at("recvmsg")
        client = serval.client()
        self.addCleanup(client.close)
        self.assertEqual(client.get("/").status, 200)
        self.write("once", "")
        self.run_command("recycle", "0", "-c", self.path("serval0.toml"))
        self.expect_lost(serval, client)


if __name__ == "__main__":
    unittest.main()
