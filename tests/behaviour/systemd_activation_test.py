"""Sockets handed over by systemd, and what systemd is told, with the test in systemd's place (sd_listen_fds(3), sd_notify(3))."""

import os
import select
import signal
import socket
import sys
import unittest

import process_tree
from http_client import DEADLINE, Client, wait_until
from serval_process import ServalTest

# Puts descriptors in place and becomes serval: LISTEN_PID must be the pid of the process that is served.
PUT_IN_PLACE = """
import os, sys
fds = [int(fd) for fd in sys.argv[1].split(",")]
copies = [os.dup2(fd, 100 + i) for i, fd in enumerate(fds)]
for i, fd in enumerate(copies):
    os.dup2(fd, 3 + i, inheritable=True)
    os.close(fd)
os.environ.update(LISTEN_PID=str(os.getpid() + int(sys.argv[3])), LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=sys.argv[2])
os.execvp(sys.argv[4], sys.argv[4:])
"""


class Activation(ServalTest):
    def listening(self, family=socket.AF_INET, address=("127.0.0.1", 0)):
        listener = socket.socket(family)
        self.addCleanup(listener.close)
        listener.bind(address)
        listener.listen(100)
        return listener

    def start_with(self, sockets, names, bind, wrong_pid=0, launch=False, **config):
        fds = [listener.fileno() for listener in sockets]
        prefix = (sys.executable, "-c", PUT_IN_PLACE, ",".join(map(str, fds)), ":".join(names), str(wrong_pid))
        return (self.launch_config if launch else self.start)(
            app="probe", config={"server": {"bind": bind}, **config}, prefix=prefix, popen={"pass_fds": fds})

    def test_two_sockets_by_name(self):
        tcp, unix = self.listening(), self.listening(socket.AF_UNIX, self.path("app.sock"))
        serval = self.start_with([unix, tcp], ["local", "http"], ["fd:http", "fd:local"])
        for address in (tcp.getsockname(), self.path("app.sock")):
            with Client(address) as client:
                self.assertEqual(client.get().status, 200)
        self.assertEqual(serval.stop(), 0)
        self.assertTrue(os.path.exists(self.path("app.sock")), "systemd's socket file is systemd's")

    def test_connections_made_before_the_start_are_answered(self):
        tcp = self.listening()
        with Client(tcp.getsockname()) as client:
            self.start_with([tcp], ["http"], ["fd:http"])
            self.assertEqual(client.get().status, 200)

    def test_a_stopped_server_leaves_the_sockets_as_they_were_for_the_next_start(self):
        tcp, unix = self.listening(), self.listening(socket.AF_UNIX, self.path("app.sock"))
        for _ in range(2):
            with Client(tcp.getsockname()) as queued_tcp, Client(self.path("app.sock")) as queued_unix:
                serval = self.start_with([tcp, unix], ["http", "local"], ["fd:http", "fd:local"])
                self.assertEqual(queued_tcp.get().status, 200)
                self.assertEqual(queued_unix.get().status, 200)
            self.assertEqual(serval.stop(), 0)

    def test_the_app_does_not_see_the_variables(self):
        serval = self.start_with([self.listening()], ["http"], ["fd:http", "127.0.0.1:0"])
        which = [address for address in serval.addresses if isinstance(address, tuple)][-1]
        for name in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET"):
            with Client(which) as client:
                self.assertEqual(client.get(f"/env?name={name}").text, "", name)

    def test_an_unknown_name(self):
        serval = self.start_with([self.listening()], ["http"], ["fd:https"], launch=True)
        self.assertEqual(serval.wait(), 73)
        self.assertRegex(serval.log(), r"https")

    def test_variables_for_another_process_are_ignored(self):
        serval = self.start_with([self.listening()], ["http"], ["fd:http"], wrong_pid=1, launch=True)
        self.assertEqual(serval.wait(), 73)


class Notification(ServalTest):
    def setUp(self):
        super().setUp()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.socket.settimeout(DEADLINE)

    def states(self):
        return self.socket.recv(4096).decode().split("\n")

    def expect_state(self, wanted):
        """What was told until `wanted` was, and that with it."""
        told = []
        while wanted not in told:
            told += self.states()
        return told

    def told_so_far(self):
        told = []
        while select.select([self.socket], [], [], 0)[0]:
            told += self.states()
        return told

    def test_ready_and_stopping(self):
        self.socket.bind(self.path("notify"))
        serval = self.start(env={"NOTIFY_SOCKET": self.path("notify")})
        self.assertIn("STATUS=2 of 2 workers serve, generation 1", self.expect_state("READY=1"))
        self.assertEqual(serval.stop(), 0)
        self.expect_state("STOPPING=1")

    def test_what_is_meant_for_the_master_is_hidden_from_the_app(self):
        self.socket.bind(self.path("notify"))
        serval = self.start(app="probe", env={"NOTIFY_SOCKET": self.path("notify"), "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1", "FDSTORE": "4"})
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "FDSTORE"):
            self.assertEqual(serval.get(f"/env?name={name}").text, "", name)

    def test_an_abstract_socket(self):
        name = os.path.basename(self.folder)
        self.socket.bind("\0" + name)
        self.start(env={"NOTIFY_SOCKET": "@" + name})
        self.expect_state("READY=1")

    def test_not_ready_before_it_serves(self):
        self.socket.bind(self.path("notify"))
        os.mkdir(self.path("gates"))
        serval = self.launch_config("probe", app_args=["start_gate=" + self.path("gates/start")], env={"NOTIFY_SOCKET": self.path("notify")})
        self.wait_for_file("gates/start.entered")
        self.assertNotIn("READY=1", self.told_so_far())
        self.open_gate("start")
        self.expect_state("READY=1")
        serval.wait_serving()

    def test_a_broken_app_is_never_ready(self):
        self.socket.bind(self.path("notify"))
        serval = self.launch_config("no_symbol", env={"NOTIFY_SOCKET": self.path("notify")})
        self.assertEqual(serval.wait(), 1)
        self.assertNotIn("READY=1", self.told_so_far())

    def test_more_time_is_asked_for_while_the_app_loads(self):
        self.socket.bind(self.path("notify"))
        self.launch_config("faulty", app_args=["preload=slow:60000"], env={"NOTIFY_SOCKET": self.path("notify")})
        told = self.expect_state("STATUS=loading the app")
        self.assertTrue(any(state.startswith("EXTEND_TIMEOUT_USEC=") for state in told), told)

    def test_the_watchdog_is_told_of_life_as_long_as_the_master_runs(self):
        self.socket.bind(self.path("notify"))
        serval = self.start(env={"NOTIFY_SOCKET": self.path("notify"), "WATCHDOG_USEC": "400000"})
        self.expect_state("READY=1")
        for _ in range(5):
            self.expect_state("WATCHDOG=1")
        serval.signal(signal.SIGSTOP)
        self.addCleanup(serval.signal, signal.SIGCONT)
        wait_until(lambda: process_tree.state(serval.pid) == "T", "the stop of the master")
        self.told_so_far()
        self.assertEqual(select.select([self.socket], [], [], 1)[0], [], "a master that stands still says nothing")

    def test_a_reload_that_cannot_begin_is_told_to_whoever_waits_for_its_end(self):
        self.socket.bind(self.path("notify"))
        serval = self.start(env={"NOTIFY_SOCKET": self.path("notify")})
        self.expect_state("READY=1")
        self.write("serval0.toml", "[server]\nbind = 5\n")
        serval.signal(signal.SIGHUP)
        told = self.expect_state("READY=1")
        self.assertIn("RELOADING=1", told)
        self.assertTrue(any("the last reload failed" in state for state in told), told)
        self.assertEqual(serval.get().status, 200)


if __name__ == "__main__":
    unittest.main()
