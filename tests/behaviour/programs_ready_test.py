"""When a program counts as ready: a descriptor, sd_notify, a connection, an answer, its age; and what waits for it."""

import os
import shutil
import socket
import subprocess
import sys
import unittest

import process_tree
from http_client import wait_until
from programs import ProgramsTest


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class ProgramsReady(ProgramsTest):
    def wait_state(self, name, state, number=0):
        wait_until(lambda: self.run_command("status", "--socket", self.path("control0.sock"))[0] == 0 and
                   [one["state"] for one in self.program(name)["instances"] if one["instance"] == number] == [state],
                   f"{name}[{number}] to be {state}")

    def by(self, ready, *words, **program):
        """A program that waits for the file `go` before it does what makes it ready; checks that nothing happens before."""
        serval = self.launch_programs({
            "it": {"command": self.puppet("touch=" + self.path("begun"), "wait-for=" + self.path("go"), *words), "ready": ready, **program},
            "next": {"command": self.puppet(), "after": ["it"]},
        })
        self.wait_for_file("begun")
        self.wait_state("it", "starting")
        self.assertEqual(self.program("next")["instances"][0]["state"], "waiting")
        self.write("go", "")
        self.wait_up("it", "next")
        return serval

    def test_by_a_line_in_a_descriptor(self):
        self.by("fd")

    def test_by_sd_notify(self):
        self.by("notify", "notify=STATUS=loading", "notify=STATUS=here\\nREADY=1")
        self.assertEqual(self.program("it")["instances"][0]["status"], "here")

    def test_by_a_connection(self):
        port = free_port()
        server = "import socket,time; s = socket.create_server(('127.0.0.1', %d)); time.sleep(1000)" % port
        script = f"while ! [ -e {self.path('go')} ]; do sleep 0.05; done; exec {sys.executable} -c \"{server}\""
        serval = self.launch_programs({"it": {"command": ["sh", "-c", script], "ready": f"tcp:127.0.0.1:{port}"}})
        self.wait_state("it", "starting")
        self.write("go", "")
        self.wait_up("it")
        wait_until(lambda: not [pid for pid in process_tree.descendants(serval.pid) if " probe " in process_tree.title(pid)], "the probe's end")

    def test_by_an_answer_that_is_no_error(self):
        port = free_port()
        server = self.write("server.py", f"""
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204 if os.path.exists({self.path("go")!r}) and self.path == "/health?x=1" else 503)
        self.end_headers()
    def log_message(self, *args):
        print("asked", flush=True)
http.server.HTTPServer(("127.0.0.1", {port}), Handler).serve_forever()
""")
        serval = self.launch_programs({"it": {"command": [sys.executable, server], "ready": f"http://127.0.0.1:{port}/health?x=1"}})
        serval.expect_log(r"it\[0\] .*: asked", count=2)
        self.wait_state("it", "starting")
        self.write("go", "")
        self.wait_up("it")

    def test_one_that_never_says_so_is_killed_and_started_again(self):
        serval = self.launch_programs({"it": {"command": self.puppet("wait-for=never"), "ready": "fd", "ready_timeout": "300ms"},
                                       "next": {"command": self.puppet(), "after": ["it"]}})
        serval.expect_log(r"program is not ready in time program=it instance=0 .*after_ms=3\d\d")
        serval.expect_log(r"program ended program=it .*how=SIGKILL cause=boot_failed")
        serval.expect_log(r"program started program=it", count=2)
        self.assertNotIn("program started program=next", serval.log())

    def test_a_notification_of_another_process_counts_for_nothing(self):
        self.launch_programs({"it": {"command": self.puppet("touch=" + self.path("begun")), "ready": "notify"}})
        self.wait_for_file("begun")
        pid = self.program("it")["instances"][0]["pid"]
        with open(f"/proc/{pid}/environ", "rb") as file:
            address = next(one for one in file.read().split(b"\0") if one.startswith(b"NOTIFY_SOCKET=")).split(b"=", 1)[1]
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"READY=1", address.replace(b"@", b"\0", 1))
            sender.sendto(b"\xff" * 4000, address.replace(b"@", b"\0", 1))
        self.order("status")
        self.assertEqual(self.program("it")["instances"][0]["state"], "starting")

    @unittest.skipUnless(shutil.which("systemd-notify"), "systemd-notify is not installed")
    def test_systemds_own_tool_is_understood(self):
        self.start_programs({"it": {"command": ["sh", "-c", "systemd-notify --ready --status=waiting; exec sleep 1000"], "ready": "notify"}})
        self.assertEqual(self.program("it")["instances"][0]["status"], "waiting")

    def test_the_service_manager_hears_when_all_are_ready(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(self.path("notify"))
            manager.settimeout(10)
            serval = self.launch_programs({"it": {"command": self.puppet("wait-for=" + self.path("go")), "ready": "fd"}},
                                          env={"NOTIFY_SOCKET": self.path("notify")})
            serval.expect_log("program started")
            self.write("go", "")
            said = ""
            while "READY=1" not in said:
                said = manager.recv(4096).decode()
        serval.expect_log("program ready")
        self.assertIn("1 of 1 programs run", said)


if __name__ == "__main__":
    unittest.main()
