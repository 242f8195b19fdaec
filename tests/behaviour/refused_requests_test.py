"""What the server's side says of requests that serval itself answers: which, why, and how much was sent; and of bytes that no log may show raw."""

import json
import os
import re
import unittest

from http_client import Client, request_bytes, wait_until
from serval_process import ServalTest

RAW = b'/"\x80caf\xc3\xa9\xff'
STRANGE = RAW + b"?q=" + bytes(range(0x80, 0x100))


class Refused(ServalTest):
    def exchange(self, serval, data):
        with serval.client() as client:
            client.send(data)
            return client.read_response()

    def line_of(self, serval, data, pattern):
        answer = self.exchange(serval, data)
        [line] = serval.expect_access(pattern)
        return answer, line

    def test_the_access_line_shows_what_came_and_why_it_was_refused(self):
        serval = self.start()
        answer, line = self.line_of(serval, b"\x16\x03\x01 no \"HTTP\"\r\nSecret: x\r\n\r\n", " 400 ")
        self.assertRegex(line, r'\] "\\x16\\x03\\x01 no \\x22HTTP\\x22" 400 %d "-" "-" .* outcome=refused reason="[^"]+"$' % len(answer.body))
        self.assertNotIn("Secret", line)
        self.assertGreater(len(answer.body), 0)

    def test_a_request_line_that_was_understood_is_shown_as_such(self):
        serval = self.start()
        answer, line = self.line_of(serval, b"GET /a HTTP/1.1\r\nHost : x\r\n\r\n", " 400 ")
        self.assertRegex(line, r'"GET /a HTTP/1\.1" 400 %d .*reason="space before the colon of a header field"' % len(answer.body))

    def test_what_came_is_cut(self):
        serval = self.start(config={"log": {"access_format": "json"}})
        self.exchange(serval, b"x" * 5000 + b"\r\n\r\n")
        [line] = serval.expect_access("refused")
        record = json.loads(line)
        self.assertEqual(record["received"], "x" * 100)
        self.assertTrue(record["reason"])

    def test_the_log_has_one_line_for_many(self):
        serval = self.start(config={"workers": {"count": 1}})
        for _ in range(200):
            self.exchange(serval, b"BAD\x01\r\n\r\n")
        serval.expect_log(r'info +worker\[0\].* request refused status=400 reason="[^"]+" received="?BAD\\x01"? peer=127\.0\.0\.1 count=1$')
        self.assertEqual(serval.stop(), 0)
        counts = [int(count) for count in re.findall(r"request refused .*count=(\d+)", serval.log())]
        self.assertEqual(sum(counts), 200)
        self.assertLessEqual(len(counts), 3)

    def test_answers_of_servals_own_have_their_bytes(self):
        serval = self.start_probe({"workers": {"count": 1, "threads": 1, "queue": 1},
                                   "request": {"max_body": 10, "header_timeout": "300ms", "timeout": "60s"}})
        cases = {
            413: request_bytes("POST", "/big", [("Content-Length", "11")]),
            408: b"GET /late HTTP/1.1\r\nHo",
            431: request_bytes(target="/many", headers=[(f"X-{i}", "y" * 1000) for i in range(70)]),
            505: b"GET / HTTP/2.0\r\n\r\n",
        }
        for status, data in cases.items():
            answer, line = self.line_of(serval, data, rf'" {status} ')
            self.assertEqual(answer.status, status)
            self.assertRegex(line, rf'" {status} {len(answer.body)} .*reason="[^"]+"')

    def test_overload_and_timeout_have_their_bytes(self):
        serval = self.start_probe({"workers": {"count": 1, "threads": 1, "queue": 1}, "request": {"timeout": "1s"}, "shutdown": {"grace": "1s"}})
        with serval.client() as first, serval.client() as second:
            first.send(request_bytes(target="/gate?name=a"))
            self.wait_entered("a")
            second.send(request_bytes(target="/gate?name=b"))
            wait_until(lambda: self.run_command("status", "--json", "--socket", self.path("control0.sock"))[1].find('"waiting":1') > 0, "one that waits")
            refused = self.exchange(serval, request_bytes(target="/third"))
            self.assertEqual(refused.status, 503)
            [line] = serval.expect_access("/third")
            self.assertRegex(line, rf'" 503 {len(refused.body)} .*outcome=overload reason="[^"]+"')
            late = first.read_response()
            self.assertEqual(late.status, 504)
            [line] = serval.expect_access(r"name=a.* 504 ")
            self.assertRegex(line, rf'" 504 {len(late.body)} .*outcome=timeout reason="the app did not answer in time"')
        self.open_gate("a", "b")

    def test_raw_bytes_of_a_target_reach_the_app_and_no_log(self):
        formats = {"combined": r'"GET (\S+) HTTP/1\.1" ', "common": r'"GET (\S+) HTTP/1\.1" ', "<$target>": r"<(\S+)>"}
        for access_format, shape in formats.items():
            with self.subTest(access_format):
                serval = self.start(app="echo", config={"log": {"access_format": access_format}, "workers": {"count": 1}})
                answer = self.exchange(serval, b"GET " + STRANGE + b" HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertEqual(answer.status, 200)
                wait_until(lambda: serval.access(), "an access line")
                with open(serval.out_path, "rb") as file:
                    line = file.read()
                self.assertTrue(all(0x20 <= byte < 0x7f or byte == 0x0a for byte in line), line)
                shown = re.search(shape, line.decode())[1]
                self.assertEqual(re.sub(rb"\\x([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]), shown.encode()), STRANGE)
                self.assertEqual(serval.stop(), 0)

    def test_raw_bytes_leave_json_valid(self):
        os.mkdir(self.path("gates"))
        serval = self.launch_config(app="probe", app_args=["gates=" + self.path("gates")],
                                    config={"log": {"access_format": "json", "format": "json"}, "workers": {"count": 1, "threads": 2},
                                            "request": {"timeout": "2s"}, "server": {"bind": ["unix:" + self.path("app.sock")]}})
        serval.expect_log('"msg":"serving')
        with Client(self.path("app.sock")) as client:
            client.send(b"GET /gate?name=a&x=" + RAW + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            self.wait_entered("a")
            code, out, _ = self.run_command("status", "--json", "--socket", self.path("control0.sock"))
            self.assertEqual(code, 0)
            [request] = json.loads(out)["workers"][0]["in_progress"]
            self.assertIn("café", request["target"])
            code, out, _ = self.run_command("status", "--socket", self.path("control0.sock"))
            self.assertEqual(code, 0)
            self.assertEqual(client.read_response().status, 504)
        self.open_gate("a")
        with Client(self.path("app.sock")) as client:
            client.send(b"GET " + RAW + b"\x01 HTTP/1.1\r\n\r\n")
            self.assertEqual(client.read_response().status, 400)
        serval.expect_log('"msg":"request timed out"')
        serval.expect_access('"outcome":"refused"')
        for path in (serval.log_path, serval.out_path):
            with open(path, "rb") as file:
                records = [json.loads(line.decode("utf-8")) for line in file.read().splitlines()]
            self.assertTrue(any("café" in str(record.get("target", "")) + str(record.get("received", "")) for record in records), records)


if __name__ == "__main__":
    unittest.main()
