"""Sockets handed over by systemd, and what systemd is told, with the test in systemd's place (sd_listen_fds(3), sd_notify(3))."""

import os
import select
import signal
import socket
import sys
import unittest

import process_tree
from http_client import DEADLINE, Client, request_bytes, wait_until
from serval_process import ServalTest

# Puts descriptors in place and becomes serval: LISTEN_PID must be the pid of the process that is served.
PUT_IN_PLACE = """
import os, sys
fds = [int(fd) for fd in sys.argv[1].split(",")]
copies = [os.dup2(fd, 100 + i) for i, fd in enumerate(fds)]
for fd in fds:
    os.close(fd)
for i, fd in enumerate(copies):
    os.dup2(fd, 3 + i, inheritable=True)
    os.close(fd)
os.environ.update(LISTEN_PID=str(os.getpid() + int(sys.argv[3])), LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=sys.argv[2])
os.execvp(sys.argv[4], sys.argv[4:])
"""


class InTheServiceManagersPlace(ServalTest):
    def listening(self, family=socket.AF_INET, address=("127.0.0.1", 0)):
        listener = socket.socket(family)
        self.addCleanup(listener.close)
        listener.bind(address)
        listener.listen(100)
        return listener

    def start_with(self, sockets, names, bind, wrong_pid=0, launch=False, env=None, **config):
        fds = [listener.fileno() for listener in sockets]
        prefix = (sys.executable, "-c", PUT_IN_PLACE, ",".join(map(str, fds)), ":".join(names), str(wrong_pid))
        return (self.launch_config if launch else self.start)(
            app="probe", config={"server": {"bind": bind}, **config}, prefix=prefix, env=env, popen={"pass_fds": fds})


class Activation(InTheServiceManagersPlace):
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


class Store(InTheServiceManagersPlace):
    """Listeners that the service manager has a copy of (FileDescriptorStoreMax= in systemd.service(5))."""

    def setUp(self):
        super().setUp()
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.notified.close)
        self.notified.bind(self.path("notify"))
        self.notified.settimeout(DEADLINE)
        self.stored = {}
        self.env = {"NOTIFY_SOCKET": self.path("notify"), "FDSTORE": "8"}
        self.bind = ["127.0.0.1:0", "unix:" + self.path("app.sock")]

    def take_in_until(self, wanted):
        """Does with the store what it is told, until `wanted` comes."""
        while True:
            message, fds, _, _ = socket.recv_fds(self.notified, 4096, 4)
            lines = message.decode().split("\n")
            name = next((line[len("FDNAME="):] for line in lines if line.startswith("FDNAME=")), None)
            if "FDSTORE=1" in lines and name not in self.stored:
                self.stored[name] = socket.socket(fileno=fds.pop())
                self.addCleanup(self.stored[name].close)
            if "FDSTOREREMOVE=1" in lines:
                self.stored.pop(name).close()
            for fd in fds:
                os.close(fd)
            if wanted in lines:
                return

    def start_first(self):
        serval = self.start(config={"server": {"bind": self.bind}}, env=self.env)
        self.take_in_until("READY=1")
        return serval

    def start_again(self, bind=None):
        serval = self.start_with(list(self.stored.values()), list(self.stored), bind or self.bind, env=self.env)
        self.take_in_until("READY=1")
        return serval

    def end_all_of(self, serval, number):
        everybody = [serval.pid, *process_tree.descendants(serval.pid)]
        serval.signal(number)
        serval.wait()
        wait_until(lambda: not any(process_tree.alive(pid) for pid in everybody), "the end of all processes")

    def test_connections_wait_for_the_next_start_however_the_server_ended(self):
        serval = self.start_first()
        self.assertEqual(len(self.stored), 2, self.stored)
        addresses = serval.addresses
        for number in (signal.SIGKILL, signal.SIGTERM):
            self.end_all_of(serval, number)
            waiting = [Client(address) for address in addresses for _ in range(10)]
            for client in waiting:
                client.send(request_bytes())
            serval = self.start_again()
            self.assertEqual(serval.addresses, addresses, "a port that the kernel chose stays")
            for client in waiting:
                self.assertEqual(client.read_response().status, 200)
                client.close()
            self.assertEqual(len(self.stored), 2, self.stored)

    def test_what_fits_no_bind_leaves_the_store(self):
        first = self.start_first()
        self.end_all_of(first, signal.SIGKILL)
        serval = self.start_again(bind=["unix:" + self.path("app.sock")])
        self.assertEqual([name for name in self.stored if "127.0.0.1" in name], [])
        self.assertEqual(len(self.stored), 1)
        self.assertEqual(serval.get().status, 200)
        self.assertIsNone(first.try_connect())

    def test_a_socket_file_that_has_gone_is_made_anew(self):
        self.end_all_of(self.start_first(), signal.SIGKILL)
        os.unlink(self.path("app.sock"))
        self.start_again()
        with Client(self.path("app.sock")) as client:
            self.assertEqual(client.get().status, 200)
        self.assertEqual(len(self.stored), 2)

    def test_a_bind_that_a_reload_removes_leaves_the_store_and_refuses(self):
        serval = self.start_first()
        with open(self.path("serval0.toml")) as file:
            config = file.read()
        self.write("serval0.toml", config.replace(self.bind[1], "127.0.0.1:0").replace('"127.0.0.1:0", "127.0.0.1:0"', '"127.0.0.1:0"'))
        serval.signal(signal.SIGHUP)
        self.take_in_until("RELOADING=1")
        self.take_in_until("READY=1")
        self.assertEqual(len(self.stored), 1, self.stored)
        self.assertEqual(serval.get().status, 200)
        self.assertIsNone(serval.try_connect(1))

    def test_without_a_store_a_stopped_server_refuses(self):
        del self.env["FDSTORE"]
        serval = self.start_first()
        self.assertEqual(self.stored, {})
        self.assertEqual(serval.stop(), 0)
        self.assertIsNone(serval.try_connect(0))
        self.assertFalse(os.path.exists(self.path("app.sock")))


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
