"""A reload changes of the programs what has changed in the file; instances on an inherited socket are replaced without a refused connection."""

import os
import shutil
import signal
import sys
import threading
import unittest

from http_client import Client, wait_until
from programs import ProgramsTest

NODE_SERVER = """
const http = require('http');
const server = http.createServer((request, response) => {
  response.setHeader('Connection', 'close');
  response.end(`node ${process.env.SERVAL_INSTANCE} ${process.pid}`);
});
server.listen({fd: 3}, () => require('fs').writeSync(Number(process.env.SERVAL_READY_FD), '\\n'));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
"""

PYTHON_SERVER = """
import http.server, os, signal, socket, threading
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = f"python {os.environ['SERVAL_INSTANCE']} {os.getpid()}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
server.socket.close()
server.socket = socket.socket(fileno=3)
server.socket.setblocking(False)  # several instances wait for the same connections
server.daemon_threads = False
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
os.write(int(os.environ["SERVAL_READY_FD"]), b"\\n")
server.serve_forever(poll_interval=0.05)
server.server_close()
"""


class Hammer:
    """Clients that ask again and again, each time on a new connection, until the end of the block."""

    def __init__(self, address, clients=4):
        self.address, self.failures, self.answers = address, [], []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(clients)]

    def run(self):
        while not self.over.is_set():
            try:
                with Client(self.address) as client:
                    response = client.get("/")
                    self.answers.append(response.text)
                    if response.status != 200:
                        self.failures.append(response.status)
            except Exception as error:  # whatever it is, a client has seen it
                self.failures.append(repr(error))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


class ProgramsReload(ProgramsTest):
    def test_only_what_has_changed_in_the_file(self):
        same, more = {"command": self.puppet("say=same")}, {"command": self.puppet("say=more")}
        serval = self.start_programs({"same": same, "gone": {"command": self.puppet()}, "more": more,
                                      "changed": {"command": self.puppet("say=old"), "env": {"A": "1"}}})
        before = {name: self.pids(name) for name in ("same", "gone", "more", "changed")}
        self.rewrite({"same": same, "more": {**more, "count": 2, "grace": "3s"}, "added": {"command": self.puppet("say=new")},
                      "changed": {"command": self.puppet("env=A", "env=B"), "env": {"B": "2"}}})
        answer = self.order("reload")
        for text in ("programs.gone: removed", "programs.added: added", "programs.more.count: 2 instead of 1", "programs.changed.env"):
            self.assertIn(text, answer)
        self.assertEqual(self.pids("same"), before["same"])
        self.assertEqual(self.pids("more")[0], before["more"][0], "a count or a grace is no reason to start it anew")
        self.assertEqual(sorted(self.pids("more")), [0, 1])
        self.assertNotEqual(self.pids("changed"), before["changed"])
        serval.expect_log(r"changed\[0\] .*: A=None")
        serval.expect_log(r"changed\[0\] .*: B=2")
        serval.expect_log(r"added\[0\] .*: new")
        self.gone(before["gone"][0])
        self.assertEqual([program["name"] for program in self.status()["programs"]], ["added", "changed", "more", "same"])

    def test_a_broken_file_changes_nothing(self):
        serval = self.start_programs({"mailer": {"command": self.puppet()}})
        before = self.pids("mailer")
        self.write("serval0.toml", self.tables({"mailer": {"command": self.puppet(), "cuont": 2, "ready": "soon"}}))
        answer = self.order("reload", code=1)
        self.assertIn("unknown key programs.mailer.cuont", answer)
        self.assertIn("did you mean count?", answer)
        self.assertIn("programs.mailer.ready = \"soon\": expected fd, notify, tcp:HOST:PORT", answer)
        serval.signal(signal.SIGHUP)
        serval.expect_log("reload refused, nothing has changed", count=2)
        self.assertEqual(self.pids("mailer"), before)

    def test_with_an_app_both_follow_one_reload(self):
        mailer = {"command": self.puppet("env=A"), "env": {"A": "1"}}
        serval = self.start_programs({"mailer": mailer, "same": {"command": self.puppet()}}, app="hello")
        same, worker = self.pids("same"), serval.workers()[0]
        self.rewrite({"mailer": {**mailer, "env": {"A": "2"}}, "same": {"command": self.puppet()}}, app="hello")
        self.order("reload")
        serval.expect_log(r"mailer\[0\] .*: A=2")
        self.assertNotEqual(serval.workers()[0], worker)
        self.assertEqual(self.pids("same"), same)

    def test_a_new_one_that_fails_leaves_the_old_one_and_the_command_says_so(self):
        rolling = {"replace": "rolling", "ready": "fd", "count": 2}
        self.start_programs({"it": {"command": self.puppet(), **rolling}})
        before = self.pids("it")
        self.rewrite({"it": {"command": self.puppet("exit=3"), **rolling}})
        answer = self.order("reload", code=1)
        self.assertIn("of the program it instance 0 did not become ready: exit code 3", answer)
        self.assertEqual(self.pids("it"), before)
        self.rewrite({"it": {"command": self.puppet("say=good"), **rolling}})
        self.order("reload")
        self.assertFalse(set(self.pids("it").values()) & set(before.values()))

    def test_a_rolling_replacement_waits_until_the_new_one_is_ready(self):
        self.write("go", "")
        self.start_programs({"it": {"command": self.puppet("wait-for=" + self.path("go")), "replace": "rolling", "ready": "fd"}})
        before = self.pids("it")[0]
        os.unlink(self.path("go"))
        recycle = self.launch("recycle", "it", "--socket", self.path("control0.sock"))
        wait_until(lambda: len(self.program("it")["instances"]) == 2, "old and new side by side")
        self.assertEqual(self.pids("it"), {0: before})
        self.write("go", "")
        self.assertEqual(recycle.wait(), 0)
        self.assertNotEqual(self.pids("it")[0], before)

    def test_restarted_ones_never_overlap(self):
        serval = self.start_programs({"it": {"command": self.puppet("say=begins"), "count": 2}})
        self.order("recycle", "it")
        events = [line for line in serval.log().splitlines() if "instance=0 " in line and ("program started" in line or "program ended" in line)]
        self.assertEqual([("started" in event) for event in events], [True, False, True])

    def reload_and_scale_under_load(self, command, word):
        web = {"command": command, "count": 3, "listen": ["127.0.0.1:0"], "ready": "fd", "grace": "10s"}
        serval = self.start_programs({"web": web})
        before = set(self.pids("web").values())
        address = serval.addresses[0]
        with Hammer(address) as hammer:
            self.order("reload", "web")
            self.assertFalse(set(self.pids("web").values()) & before)
            self.rewrite({"web": {**web, "env": {"NEW": "1"}}})
            self.order("reload")
            for count in (1, 4, 2):
                self.order("scale", f"web={count}")
                self.assertEqual(sorted(self.pids("web")), list(range(count)))
        self.assertEqual(hammer.failures, [])
        self.assertGreater(len(hammer.answers), 50)
        self.assertTrue(all(answer.startswith(word) for answer in hammer.answers), hammer.answers[:3])
        self.assertGreater(len({answer.split()[2] for answer in hammer.answers}), 3, "only a few of the instances answered")
        self.assertEqual(serval.addresses, [address], "it was bound once")

    def test_a_python_server_on_an_inherited_socket(self):
        self.reload_and_scale_under_load([sys.executable, self.write("server.py", PYTHON_SERVER)], "python")

    @unittest.skipUnless(shutil.which("node"), "node is not installed")
    def test_a_node_server_on_an_inherited_socket(self):
        self.reload_and_scale_under_load(["node", self.write("server.js", NODE_SERVER)], "node")

    def test_second_reload_during_the_first_follows_it(self):
        self.write("go", "")
        it = {"command": self.puppet("wait-for=" + self.path("go")), "replace": "rolling", "ready": "fd"}
        self.start_programs({"it": it})
        os.unlink(self.path("go"))
        self.rewrite({"it": {**it, "env": {"A": "1"}}})
        first = self.launch("reload", "--socket", self.path("control0.sock"))
        wait_until(lambda: len(self.program("it")["instances"]) == 2, "the first reload's instance")
        self.rewrite({"it": {**it, "env": {"A": "2"}}})
        second = self.launch("reload", "--socket", self.path("control0.sock"))
        wait_until(lambda: self.status()["generation"] == 3, "the second reload")
        self.write("go", "")
        self.assertEqual((first.wait(), second.wait()), (0, 0))
        pid = self.pids("it")[0]
        with open(f"/proc/{pid}/environ", "rb") as file:
            self.assertIn(b"A=2", file.read().split(b"\0"))


if __name__ == "__main__":
    unittest.main()
