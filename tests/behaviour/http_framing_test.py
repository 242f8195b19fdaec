"""How messages are framed: what has a body and what has none, interim answers, old clients, order."""

import datetime
import email.utils
import json
import unittest

from http_client import chunked, request_bytes
from serval_process import ServalTest


class Framing(ServalTest):
    def test_head_has_the_headers_of_get_and_no_body(self):
        with self.start(app="faulty").client() as client:
            get = client.get("/body?bytes=1000")
            head = client.request("HEAD", "/body?bytes=1000")
            self.assertEqual((head.status, head.get("Content-Length"), head.body), (200, "1000", b""))
            self.assertEqual({name for name, _ in head.headers}, {name for name, _ in get.headers})
            self.assertEqual(client.get("/pid").status, 200, "a byte of a body would have been read as this answer")

    def test_204_and_304_have_no_body(self):
        serval = self.start_probe()
        with serval.client() as client:
            for status in (204, 304):
                response = client.get(f"/status?code={status}")
                self.assertEqual(response.status, status)
                self.assertEqual(response.all("Transfer-Encoding"), [])
                if status == 204:
                    self.assertEqual(response.all("Content-Length"), [])
            self.assertEqual(client.get("/status?code=200").status, 200)

    def test_an_empty_body_has_a_length(self):
        with self.start(app="faulty").client() as client:
            response = client.get("/body?bytes=0")
            self.assertEqual((response.get("Content-Length"), response.body), ("0", b""))

    def test_date_is_an_imf_fixdate_of_now(self):
        date = self.start().get().get("Date")
        self.assertRegex(date, r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$")
        age = datetime.datetime.now(datetime.timezone.utc) - email.utils.parsedate_to_datetime(date)
        self.assertLess(abs(age.total_seconds()), 60)

    def test_framing_headers_come_once(self):
        response = self.start().get()
        for name in ("Date", "Content-Length", "Connection"):
            self.assertEqual(len(response.all(name)), 1, name)

    def test_http_1_0_gets_no_chunks(self):
        with self.start(app="faulty").client() as client:
            response = client.request("GET", "/body?bytes=100000", version="1.0")
            self.assertEqual(response.all("Transfer-Encoding"), [])
            self.assertEqual(len(response.body), 100000)

    def test_http_1_0_needs_no_host(self):
        with self.start().client() as client:
            client.send(b"GET / HTTP/1.0\r\n\r\n")
            self.assertEqual(client.read_response().status, 200)

    def test_expect_100_continue(self):
        with self.start(app="echo").client() as client:
            client.send(request_bytes("POST", headers=[("Expect", "100-continue"), ("Content-Length", "5")]))
            self.assertEqual(client.read_response().status, 100)
            client.send(b"hello")
            self.assertEqual(json.loads(client.read_response().body)["body"], "hello")

    def test_expect_100_continue_with_chunks(self):
        with self.start(app="echo").client() as client:
            client.send(request_bytes("POST", headers=[("Expect", "100-continue"), ("Transfer-Encoding", "chunked")]))
            self.assertEqual(client.read_response().status, 100)
            client.send(chunked(b"hello"))
            self.assertEqual(json.loads(client.read_response().body)["body"], "hello")

    def test_expect_is_ignored_for_http_1_0(self):
        with self.start(app="echo").client() as client:
            client.send(request_bytes("POST", headers=[("Expect", "100-continue")], body=b"hello", version="1.0"))
            self.assertEqual(client.read_response().status, 200)

    def test_no_100_for_what_is_refused_anyway(self):
        with self.start(config={"request": {"max_body": 1000}}).client() as client:
            client.send(request_bytes("POST", headers=[("Expect", "100-continue"), ("Content-Length", "1001")]))
            self.assertEqual(client.read_response().status, 413)
            self.assertTrue(client.ended())

    def test_other_expectations_fail(self):
        with self.start().client() as client:
            response = client.get("/", [("Expect", "the unexpected")])
            self.assertEqual(response.status, 417)
            self.assertTrue(client.ended())

    def test_error_answers(self):
        serval = self.start()
        for status, request in (
                (400, b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n"),
                (411, b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n"),
                (501, b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"),
                (505, b"GET / HTTP/2.0\r\nHost: x\r\n\r\n")):
            with self.subTest(request), serval.client() as client:
                client.send(request)
                response = client.read_response()
                self.assertIn(response.status, (status, 400) if status in (411, 501) else (status,))
                self.assertTrue(response.closes)
                self.assertTrue(client.ended())

    def test_pipelined_answers_keep_their_order(self):
        serval = self.start(app="faulty", config={"workers": {"count": 1, "threads": 4}})
        sizes = [50000, 0, 3, 200000, 1, 77] * 5
        with serval.client() as client:
            client.send(b"".join(request_bytes(target=f"/body?bytes={size}") for size in sizes))
            self.assertEqual([len(client.read_response().body) for _ in sizes], sizes)

    def test_chunked_request_bodies_arrive_decoded(self):
        with self.start(app="echo").client() as client:
            client.send(request_bytes("PUT", headers=[("Transfer-Encoding", "chunked")]) + chunked(b"a", b"bc" * 5000, b"!"))
            self.assertEqual(json.loads(client.read_response().body)["body"], "a" + "bc" * 5000 + "!")

    def test_repeated_headers_and_their_order_are_kept(self):
        with self.start(app="echo").client() as client:
            headers = [("Host", "x"), ("X-One", "1"), ("Cookie", "a=1"), ("x-one", "2"), ("Cookie", "b=2")]
            echoed = json.loads(client.get("/", headers).body)
            self.assertEqual([tuple(pair) for pair in echoed["headers"]], headers)

    def test_target_path_and_query(self):
        with self.start(app="echo").client() as client:
            echoed = json.loads(client.get("/a%20b/c?x=1&y=%26").body)
            self.assertEqual((echoed["target"], echoed["query"]), ("/a%20b/c?x=1&y=%26", "x=1&y=%26"))
            self.assertIn(echoed["path"], ("/a b/c", "/a%20b/c"))


if __name__ == "__main__":
    unittest.main()
