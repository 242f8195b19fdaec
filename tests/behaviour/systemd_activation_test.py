"""Sockets handed over by systemd, and what systemd is told, with the test in systemd's place (sd_listen_fds(3), sd_notify(3))."""

import os
import select
import socket
import sys
import unittest

from http_client import DEADLINE, Client
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
        return set(self.socket.recv(4096).decode().split("\n"))

    def test_ready_and_stopping(self):
        self.socket.bind(self.path("notify"))
        serval = self.start(env={"NOTIFY_SOCKET": self.path("notify")})
        self.assertIn("READY=1", self.states())
        self.assertEqual(serval.stop(), 0)
        self.assertIn("STOPPING=1", self.states())

    def test_what_is_meant_for_the_master_is_hidden_from_the_app(self):
        self.socket.bind(self.path("notify"))
        serval = self.start(app="probe", env={"NOTIFY_SOCKET": self.path("notify"), "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1", "FDSTORE": "4"})
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "FDSTORE"):
            self.assertEqual(serval.get(f"/env?name={name}").text, "", name)

    def test_an_abstract_socket(self):
        name = os.path.basename(self.folder)
        self.socket.bind("\0" + name)
        self.start(env={"NOTIFY_SOCKET": "@" + name})
        self.assertIn("READY=1", self.states())

    def test_not_ready_before_it_serves(self):
        self.socket.bind(self.path("notify"))
        os.mkdir(self.path("gates"))
        serval = self.launch_config("probe", app_args=["start_gate=" + self.path("gates/start")], env={"NOTIFY_SOCKET": self.path("notify")})
        self.wait_for_file("gates/start.entered")
        self.assertEqual(select.select([self.socket], [], [], 0)[0], [], "told before a worker is ready")
        self.open_gate("start")
        self.assertIn("READY=1", self.states())
        serval.wait_serving()

    def test_a_broken_app_is_never_ready(self):
        self.socket.bind(self.path("notify"))
        serval = self.launch_config("no_symbol", env={"NOTIFY_SOCKET": self.path("notify")})
        self.assertEqual(serval.wait(), 1)
        while select.select([self.socket], [], [], 0)[0]:
            self.assertNotIn("READY=1", self.states())


if __name__ == "__main__":
    unittest.main()
