"""The log and the access log: their shapes, one line per request, rotation without loss, and service that goes on when they cannot be
written."""

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import unittest

from http_client import Client, request_bytes, wait_until
from serval_process import ServalTest

TEXT_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info|warning|error) +\S+.*: \S.*")


def lines(path):
    with open(path, "rb") as file:
        content = file.read()
    assert content == b"" or content.endswith(b"\n"), f"{path} ends within a line"
    return content.decode().splitlines()


class Load:
    """Clients that send numbered requests over keep-alive connections until told to stop; `sent` are the targets that were answered."""

    def __init__(self, address, clients=4):
        self.address, self.sent, self.failures, self.over = address, [], [], threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(number,)) for number in range(clients)]
        for thread in self.threads:
            thread.start()

    def _run(self, number):
        count = 0
        try:
            while not self.over.is_set():
                with Client(self.address) as client:
                    for _ in range(50):
                        count += 1
                        target = f"/load/{number}/{count}"
                        client.get(target, [("User-Agent", "x" * 100)])
                        self.sent.append(target)
        except Exception as error:  # reported by stop()
            self.failures.append(error)

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()
        if self.failures:
            raise AssertionError("requests failed") from self.failures[0]
        return sorted(self.sent)


class LogTest(ServalTest):
    def start_unheard(self, config, **options):
        """For servers whose log is elsewhere: serves when it answers on app.sock."""
        serval = self.launch_config(config={**config, "server": {"bind": ["unix:" + self.path("app.sock")]}}, **options)

        def answers():
            try:
                with Client(self.path("app.sock")) as client:
                    return client.request("GET", "/", [("Connection", "close")]).status == 200
            except (FileNotFoundError, ConnectionRefusedError):
                self.assertIsNone(serval.process.poll(), "serval ended")
                return False
        wait_until(answers, "an answer on app.sock")
        return serval


class Rotation(LogTest):
    def test_a_reopening_that_fails_is_told_to_who_asked(self):
        os.mkdir(self.path("logs"))
        serval = self.start(config={"log": {"access": self.path("logs/access")}})
        shutil.rmtree(self.path("logs"))
        code, _, error = self.run_command("reopen", "--socket", self.path("control0.sock"))
        self.assertEqual(code, 1)
        self.assertRegex(error, r"access log not reopened, going on with the old file: .*No such file or directory")
        os.mkdir(self.path("logs"))
        self.assertEqual(self.run_command("reopen", "--socket", self.path("control0.sock"))[0], 0)
        self.assertEqual(serval.get().status, 200)
        wait_until(lambda: os.path.exists(self.path("logs/access")), "the new access log")

    def test_ten_rotations_under_load_lose_nothing(self):
        log, access = self.path("serval.log"), self.path("access.log")
        serval = self.start_unheard({"log": {"file": log, "access": access}, "workers": {"count": 5, "threads": 2}})
        load = Load(self.path("app.sock"))
        self.addCleanup(load.over.set)
        old = {}  # path: size when every process had confirmed
        for turn in range(1, 11):
            enough = len(load.sent) + 100
            wait_until(lambda: len(load.sent) >= enough or load.failures, "a hundred more requests")
            os.rename(log, f"{log}.{turn}")
            os.rename(access, f"{access}.{turn}")
            serval.signal(signal.SIGUSR1)
            wait_until(lambda: os.path.exists(log) and re.search(r"master .*logs reopened", open(log).read()), "the line `logs reopened` in the new file")
            for path in (f"{log}.{turn}", f"{access}.{turn}"):
                old[path] = os.path.getsize(path)
        sent = load.stop()
        self.assertEqual(serval.stop(), 0)
        for path, size in old.items():
            self.assertEqual(os.path.getsize(path), size, f"{path} was written to after the reopening was confirmed")
        logged = []
        for path in [access] + [f"{access}.{turn}" for turn in range(1, 11)]:
            for line in lines(path):
                if '"GET / HTTP/1.1"' in line:
                    continue  # the look whether it serves
                match = re.fullmatch(r'\S+ - \S+ \[[^\]]+\] "GET (/load/\d+/\d+) HTTP/1\.1" \d{3} \d+ "[^"]*" "x{100}" .*', line)
                self.assertIsNotNone(match, f"not a whole access line: {line!r}")
                logged.append(match[1])
        self.assertEqual(sorted(logged), sent)
        for path in [log] + [f"{log}.{turn}" for turn in range(1, 11)]:
            for line in lines(path):
                self.assertRegex(line, TEXT_LINE)

    def test_the_new_file_keeps_working_after_many_signals_at_once(self):
        log = self.path("serval.log")
        serval = self.start_unheard({"log": {"file": log}})
        os.rename(log, log + ".1")
        for _ in range(20):
            serval.signal(signal.SIGUSR1)
        wait_until(lambda: os.path.exists(log) and "logs reopened" in open(log).read(), "the new file")
        self.assertEqual(serval.stop(), 0)
        self.assertIn("stopping", open(log).read())


class Access(LogTest):
    def test_combined(self):
        serval = self.start()
        serval.get("/a?b=1", [("Referer", "http://from/"), ("User-Agent", "an agent")])
        [line] = serval.expect_access("/a")
        self.assertRegex(line, r'^127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET /a\?b=1 HTTP/1\.1" 200 \d+ '
                               r'"http://from/" "an agent" .*\bok\b')

    def test_json(self):
        serval = self.start(config={"log": {"access_format": "json"}})
        serval.get("/a%0a", [("User-Agent", 'x"y\\')])
        [line] = serval.expect_access("GET")
        record = json.loads(line)
        self.assertEqual((record["method"], record["target"], record["status"], record["user_agent"]), ("GET", "/a%0a", 200, 'x"y\\'))
        self.assertEqual(record["outcome"], "ok")
        self.assertIn(record["worker"], (0, 1))

    def test_template(self):
        serval = self.start(config={"log": {"access_format": "$status $method $target"}})
        serval.get("/x")
        self.assertEqual(serval.expect_access("/x"), ["200 GET /x"])

    def test_off(self):
        serval = self.start(config={"log": {"access": "off"}})
        self.assertEqual(serval.get().status, 200)
        serval.stop()
        self.assertEqual(serval.access(), [])

    def test_bytes_that_could_forge_a_line_are_escaped(self):
        serval = self.start()
        with serval.client() as client:
            client.send(b'GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: a" \xc3\xa4 "b\\\r\n\r\n')
            client.read_response()
        [line] = serval.expect_access("GET / ")
        self.assertNotIn('a" ', line)

    def test_one_line_per_request_however_it_ends(self):
        serval = self.start_probe({"workers": {"count": 1, "threads": 1, "queue": 8},
                                   "request": {"header_timeout": "500ms", "body_timeout": "500ms", "timeout": "10s"}})

        def sent(data):
            with serval.client() as client:
                client.send(data)
                return client.read_response().status

        self.assertEqual(sent(request_bytes(target="/good")), 200)
        self.assertEqual(sent(b"GET /malformed HTTP/1.1\r\nBad Header: x\r\nHost: x\r\n\r\n"), 400)
        self.assertEqual(sent(b"GET /late HTTP/1.1\r\nHost:"), 408)
        self.assertEqual(sent(request_bytes("POST", "/slow-body", [("Content-Length", "9")])), 408)
        self.assertEqual(sent(request_bytes(target="/throw")), 500)
        with serval.client() as client:  # gone while the app works
            client.send(request_bytes(target="/gate?name=a"))
            self.wait_entered("a")
        self.assertEqual(sent(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"), 400)  # the loop is free: the handler runs beside it by now
        self.open_gate("a")
        with serval.client() as client:  # gone within the body
            client.send(request_bytes("POST", "/cut-body", [("Content-Length", "9")]) + b"1234")
        with serval.client() as client:  # gone within the header
            client.send(b"GET /cut-header HTT")
        expected = {"/good": 200, "/late": 408, "/slow-body": 408, "/throw": 500, "/gate": 499, "/cut-body": 499}
        for target, status in expected.items():
            # Of a head that never was whole, only the status is dependable.
            serval.expect_access(rf'"GET {target}\S* HTTP/1.1" {status} |"POST {target} HTTP/1.1" {status} ' if target != "/late" else r'" 408 ')
        serval.expect_access(r" 400 ", count=2)
        serval.expect_access(r" 499 ", count=3)
        self.assertEqual(serval.stop(), 0)
        self.assertEqual(len(serval.access()), 9, "\n".join(serval.access()))

    def test_requests_of_one_connection_have_ids_of_their_own(self):
        serval = self.start(config={"log": {"access_format": "json"}})
        with serval.client() as client:
            for _ in range(10):
                client.get()
        records = [json.loads(line) for line in serval.expect_access("GET", count=10)]
        ids = {record.get("request_id") or record.get("id") for record in records}
        self.assertEqual(len(ids - {None, ""}), 10)


class Shape(LogTest):
    def test_text(self):
        serval = self.start()
        serval.stop()
        for line in serval.log().splitlines():
            self.assertRegex(line, TEXT_LINE)

    def test_json(self):
        serval = self.start_json()
        serval.stop()
        records = [json.loads(line) for line in serval.log().splitlines()]
        self.assertTrue({"time", "level", "process", "pid", "msg"} <= set.intersection(*(set(record) for record in records)))
        self.assertIn("worker[0]", {record["process"] for record in records})

    def test_json_keys_have_the_names_of_a_collector(self):
        serval = self.start_unheard({"log": {"format": "json", "access_format": "json", "keys": "ecs"}})
        with Client(self.path("app.sock")) as client:
            self.assertEqual(client.get("/a").status, 200)
        [line] = serval.expect_access("/a")
        self.assertEqual((json.loads(line)["url.original"], json.loads(line)["ecs.version"]), ("/a", "8.11.0"))
        self.assertEqual(serval.stop(), 0)
        records = [json.loads(line) for line in serval.log().splitlines()]
        common = {"@timestamp", "log.level", "process.name", "process.pid", "message", "ecs.version"}
        self.assertTrue(common <= set.intersection(*(set(record) for record in records)))
        plain = {key for record in records for key in record if "." not in key} - {"@timestamp", "message"}
        self.assertEqual(plain, set(), "they would have to be objects of the schema")

    def start_json(self):
        serval = self.launch_config(config={"log": {"format": "json"}})
        serval.expect_log(r'"msg":"serving')
        return serval

    def test_levels(self):
        serval = self.start_unheard({"log": {"level": "error"}})
        serval.stop()
        self.assertEqual(serval.log(), "")

    def test_output_of_the_app_is_tagged_line_by_line(self):
        serval = self.start(app="faulty", config={"workers": {"count": 1}})
        self.assertEqual(serval.get("/print?lines=3").status, 200)
        serval.expect_log(r"worker\[0\] .*stream=stdout", count=3)
        serval.expect_log(r"worker\[0\] .*stream=stderr", count=3)
        for line in serval.log().splitlines():
            self.assertRegex(line, TEXT_LINE)

    def test_lines_of_the_app_name_the_request_whose_thread_wrote_them(self):
        serval = self.start_probe()
        self.assertEqual(serval.get("/log?text=hello", [("X-Request-Id", "shop-17")]).status, 200)
        serval.expect_log(r"warning worker\[\d\] .*: hello from=app request_id=shop-17$")
        serval.expect_log(r"warning worker\[\d\] .*: \"?hello elsewhere\"? from=app$")

    def test_json_of_the_app_is_kept_as_fields_in_a_json_log(self):
        serval = self.start_unheard({"log": {"format": "json"}, "workers": {"count": 1}}, app="probe")
        printed = (b'{"level":"error","message":"sold","item":{"id":7,"price":0.25}}\n'
                   b'{"msg":"no object"\n'
                   b"plain\x1b[31m\n" + b'{"a":' + b"[" * 200 + b"]" * 200 + b"}\n")
        with Client(self.path("app.sock")) as client:
            self.assertEqual(client.request("POST", "/print", body=printed).status, 200)
        serval.expect_log(r'"stream":"stdout"', count=4)
        kept, *wrapped = [json.loads(line) for line in serval.log().splitlines() if '"stream":"stdout"' in line]
        self.assertEqual((kept["process"], kept["level"], kept["app_level"], kept["msg"], kept["item"]),
                         ("worker[0]", "info", "error", "sold", {"id": 7, "price": 0.25}))
        self.assertEqual([record["msg"] + "\n" for record in wrapped],
                         [line + "\n" for line in printed.decode().splitlines()[1:]])

    def test_output_is_left_alone_without_capture(self):
        serval = self.start(app="faulty", config={"log": {"capture": False}})
        self.assertEqual(serval.get("/print?lines=2").status, 200)
        wait_until(lambda: len(serval.access()) >= 3, "two lines and the access line")
        self.assertNotIn("stream=stdout", serval.log())


class Trouble(LogTest):
    def test_a_full_device_does_not_stop_service(self):
        serval = self.start_unheard({"log": {"file": "/dev/full", "access": "/dev/full"}})
        with Client(self.path("app.sock")) as client:
            for _ in range(50):
                self.assertEqual(client.get().status, 200)
        self.assertEqual(serval.stop(), 0)

    def test_a_vanished_folder_does_not_stop_service(self):
        os.mkdir(self.path("logs"))
        log = self.path("logs/serval.log")
        serval = self.start_unheard({"log": {"file": log, "access": self.path("logs/access.log")}})
        os.rename(self.path("logs"), self.path("gone"))
        serval.signal(signal.SIGUSR1)
        wait_until(lambda: re.search(r"error .*" + re.escape(self.path("logs/")), open(self.path("gone/serval.log")).read()),
                   "the complaint, in the file that is still open")
        with Client(self.path("app.sock")) as client:
            self.assertEqual(client.get("/after").status, 200)
        os.mkdir(self.path("logs"))
        serval.signal(signal.SIGUSR1)
        wait_until(lambda: os.path.exists(log) and "logs reopened" in open(log).read(), "recovery")
        self.assertEqual(serval.stop(), 0)

    def test_lost_lines_are_counted_and_said(self):
        os.mkdir(self.path("small"))
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", self.path("small")], stderr=subprocess.PIPE, text=True)
        if mounted.returncode != 0:
            self.skipTest("may not mount a small file system here: " + mounted.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", "-l", self.path("small")])
        serval = self.start(config={"log": {"access": self.path("small/access.log")}, "workers": {"count": 1}})
        with serval.client() as client:
            for number in range(1000):
                self.assertEqual(client.get(f"/{number}", [("User-Agent", "x" * 100)]).status, 200)
        os.truncate(self.path("small/access.log"), 0)
        with serval.client() as client:
            self.assertEqual(client.get("/again").status, 200)
        serval.expect_log(r"warning .*access lines dropped count=[1-9]")
        wait_until(lambda: "GET /again " in open(self.path("small/access.log"), errors="replace").read(), "lines once there is room again")
        # The end of a line that the full disk may have cut comes first.
        for line in open(self.path("small/access.log"), errors="replace").read().strip("\0\n").splitlines():
            self.assertRegex(line, r'^127\.0\.0\.1 .*"GET /')


if __name__ == "__main__":
    unittest.main()
