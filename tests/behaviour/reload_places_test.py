"""A reload opens the addresses and log files that are new, keeps those that stay, and leaves the others without losing what came through them."""

import os
import re
import socket
import threading
import unittest

from http_client import request_bytes, wait_until
from load import Load
from serval_process import ServalTest


class Places(ServalTest):
    def change_config(self, old, new):
        path = self.path("serval0.toml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(old, text)
        self.write("serval0.toml", text.replace(old, new))

    def reload(self):
        return self.run_command("reload", "-c", self.path("serval0.toml"))

    def ask(self, path):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(path)
            client.sendall(request_bytes("GET", "/", [("Connection", "close")]))
            answer = b""
            while part := client.recv(4096):
                answer += part
        return answer

    def read(self, name):
        try:
            with open(self.path(name), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def test_addresses_come_stay_and_go(self):
        one, two = self.path("one.sock"), self.path("two.sock")
        serval = self.start(config={"server": {"bind": ["127.0.0.1:0", f"unix:{one}"]}})
        with Load(serval, clients=2) as load:
            load.wait_for(20)
            self.change_config(f"unix:{one}", f"unix:{two}")
            self.assertEqual(self.reload()[0], 0)
            load.wait_for(20)
        self.assertEqual(load.failures, [])
        self.assertIn(b" 200 ", self.ask(two))
        self.assertFalse(os.path.exists(one))
        serval.expect_log(r"listening address=unix:\S*two\.sock")
        serval.expect_log(r"no longer listening address=unix:\S*one\.sock")
        self.change_config(f", \"unix:{two}\"", "")
        self.assertEqual(self.reload()[0], 0)
        self.assertFalse(os.path.exists(two))
        self.assertEqual(serval.get("/").status, 200)
        self.assertEqual(len(re.findall("listening address=127", serval.log())), 1)

    def test_an_address_that_went_can_come_back(self):
        one = self.path("one.sock")
        serval = self.start(config={"server": {"bind": ["127.0.0.1:0", f"unix:{one}"]}})
        for _ in range(3):
            self.change_config(f", \"unix:{one}\"", "")
            self.assertEqual(self.reload()[0], 0)
            self.assertFalse(os.path.exists(one))
            self.change_config("\"127.0.0.1:0\"", f"\"127.0.0.1:0\", \"unix:{one}\"")
            code, _, err = self.reload()
            self.assertEqual(code, 0, err)
            self.assertIn(b" 200 ", self.ask(one))
        self.assertEqual(serval.get("/").status, 200)

    def test_who_came_through_an_address_that_goes_is_answered(self):
        """Until connecting is refused, each connection gets its answer."""
        one = self.path("one.sock")
        self.start(config={"server": {"bind": ["127.0.0.1:0", f"unix:{one}"]}, "workers": {"count": 3}})
        answers, failures = [], []

        def hammer():
            while True:
                try:
                    answers.append(self.ask(one))
                except (FileNotFoundError, ConnectionRefusedError):
                    return
                except OSError as error:
                    failures.append(repr(error))

        threads = [threading.Thread(target=hammer, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(answers) > 50, "answers")
        self.change_config(f", \"unix:{one}\"", "")
        self.assertEqual(self.reload()[0], 0)
        for thread in threads:
            thread.join(20)
            self.assertFalse(thread.is_alive())
        self.assertEqual(failures, [])
        self.assertEqual([answer for answer in answers if b" 200 " not in answer], [])

    def test_an_address_that_cannot_be_had_changes_nothing(self):
        serval = self.start()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.change_config("\"127.0.0.1:0\"", f"\"127.0.0.1:0\", \"127.0.0.1:{taken.getsockname()[1]}\"")
            before = serval.workers()
            code, _, err = self.reload()
        self.assertEqual(code, 1)
        self.assertIn("Address already in use", err)
        self.assertEqual(serval.workers(), before)
        self.assertEqual(serval.get("/").status, 200)

    def test_log_files_change(self):
        serval = self.launch_config(config={"log": {"file": self.path("old.log"), "access": self.path("old-access.log")}})
        wait_until(lambda: "serving workers" in self.read("old.log"), "the server")
        address = re.search(r"listening address=127\.0\.0\.1:(\d+)", self.read("old.log"))[1]

        def get(target):
            with socket.create_connection(("127.0.0.1", int(address)), timeout=20) as client:
                client.sendall(request_bytes("GET", target, [("Connection", "close")]))
                return client.recv(4096)

        self.assertIn(b" 200 ", get("/first"))
        self.change_config("old.log", "new.log")
        self.change_config("old-access.log", "new-access.log")
        code, _, err = self.reload()
        self.assertEqual(code, 0, err)
        self.assertIn(b" 200 ", get("/second"))
        wait_until(lambda: "/second" in self.read("new-access.log"), "the access line in the new file")
        self.assertIn("/first", self.read("old-access.log"))
        self.assertNotIn("/second", self.read("old-access.log"))
        self.assertIn("reloaded gen=2", self.read("old.log") + self.read("new.log"))
        os.rename(self.path("new.log"), self.path("new.log.1"))
        self.assertEqual(self.run_command("reopen", "-c", self.path("serval0.toml"))[0], 0)
        self.assertIn("logs reopened", self.read("new.log"))
        self.assertEqual(self.run_command("stop", "-c", self.path("serval0.toml"))[0], 0)
        self.assertIn("stopped exit_code=0", self.read("new.log"))
        self.assertEqual(serval.wait(), 0)

    def test_a_log_file_that_cannot_be_opened_changes_nothing(self):
        serval = self.start()
        self.change_config("[server]", f"[log]\nfile = \"{self.path('missing/serval.log')}\"\n[server]")
        code, _, err = self.reload()
        self.assertEqual(code, 1)
        self.assertIn("missing/serval.log", err)
        self.assertEqual(serval.get("/").status, 200)


if __name__ == "__main__":
    unittest.main()
