"""Limits of size answer 413, 414 and 431; deadlines answer 408, and trickling does not re-arm them. Slow clients hurt nobody else."""

import select
import unittest

from http_client import chunked, request_bytes, wait_until
from serval_process import ServalTest


class Limits(ServalTest):
    def serve(self, app="hello", **request):
        return self.start(app=app, config={"workers": {"count": 1, "threads": 1}, "request": request})

    def refused(self, serval, request, status):
        """Sends it whole; the answer has `status`, and the connection ends after it."""
        with serval.client() as client:
            client.send_pieces([request])
            response = client.read_response()
            self.assertEqual(response.status, status, response)
            self.assertTrue(response.closes)
            self.assertTrue(client.ended())

    def trickle_until_answered(self, client, pieces):
        """Sends piece after piece, slowly, until the server has something to say."""
        def turn():
            readable, _, _ = select.select([client.socket], [], [], 0.03)
            if not readable:
                client.send_pieces([next(pieces)])
            return readable
        wait_until(turn, "an answer although bytes keep trickling in")

    # Sizes: the edge itself is allowed

    def test_target(self):
        serval = self.serve(max_target=100)
        with serval.client() as client:
            self.assertEqual(client.get("/" + "a" * 99).status, 200)
        self.refused(serval, request_bytes(target="/" + "a" * 100), 414)

    def test_header_size(self):
        serval = self.serve(max_header=1000, max_target=500)
        def padded(size):
            bare = len(request_bytes(headers=[("X", "")]))
            return request_bytes(headers=[("X", "a" * (size - bare))])
        with serval.client() as client:
            client.send(padded(1000))
            self.assertEqual(client.read_response().status, 200)
        self.refused(serval, padded(1001), 431)
        self.refused(serval, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 5000, 431)

    def test_header_count(self):
        serval = self.serve(max_headers=10)
        with serval.client() as client:
            self.assertEqual(client.get("/", [(f"X-{n}", "1") for n in range(9)]).status, 200)
        self.refused(serval, request_bytes(headers=[(f"X-{n}", "1") for n in range(10)]), 431)

    def test_body_size(self):
        serval = self.serve(max_body=1000)
        with serval.client() as client:
            self.assertEqual(client.request("POST", body=b"a" * 1000).status, 200)
        self.refused(serval, request_bytes("POST", body=b"a" * 1001), 413)

    def test_chunked_body_size(self):
        serval = self.serve(max_body=1000)
        head = request_bytes("POST", headers=[("Transfer-Encoding", "chunked")])
        with serval.client() as client:
            client.send(head + chunked(b"a" * 600, b"b" * 400))
            self.assertEqual(client.read_response().status, 200)
        self.refused(serval, head + chunked(b"a" * 600, b"b" * 401), 413)

    # Deadlines

    def test_header_deadline_with_a_silent_client(self):
        serval = self.serve(header_timeout="500ms")
        self.refused(serval, b"GET / HTTP/1.1\r\nHost:", 408)
        serval.expect_access(r" 408 ")

    def test_header_deadline_is_not_re_armed_by_trickling(self):
        def endless_header():
            yield b"GET / HTTP/1.1\r\nHost: x\r\nX: "
            while True:
                yield b"a"
        with self.serve(header_timeout="1s").client() as client:
            self.trickle_until_answered(client, endless_header())
            self.assertEqual(client.read_response().status, 408)
            self.assertTrue(client.ended())

    def test_header_deadline_of_a_later_request_on_a_connection(self):
        with self.serve(header_timeout="500ms").client() as client:
            self.assertEqual(client.get().status, 200)
            client.send(b"GET / HT")
            self.assertEqual(client.read_response().status, 408)
            self.assertTrue(client.ended())

    def test_a_connection_without_a_byte_is_closed(self):
        with self.serve(header_timeout="300ms", keep_alive="300ms").client() as client:
            said = client.read_to_end()
            self.assertTrue(said == b"" or said.startswith(b"HTTP/1.1 408 "), said)

    def test_body_deadline_with_a_silent_client(self):
        serval = self.serve(body_timeout="500ms")
        self.refused(serval, request_bytes("POST", headers=[("Content-Length", "10")]) + b"12345", 408)
        self.refused(serval, request_bytes("POST", headers=[("Transfer-Encoding", "chunked")]) + b"5\r\n123", 408)

    def test_a_slow_but_steady_body_is_accepted(self):
        with self.serve(app="echo", body_timeout="5s", body_min_rate=0).client() as client:
            client.send(request_bytes("POST", headers=[("Content-Length", "20")]))
            client.send_pieces([b"x"] * 20)
            self.assertEqual(client.read_response().status, 200)

    def test_body_below_the_minimal_rate(self):
        def endless_body():
            yield request_bytes("POST", headers=[("Content-Length", "10000000")])
            while True:
                yield b"a" * 10
        with self.serve(body_min_rate=100000).client() as client:
            self.trickle_until_answered(client, endless_body())
            self.assertEqual(client.read_response().status, 408)
            self.assertTrue(client.ended())

    def test_a_client_that_does_not_read_is_cut(self):
        serval = self.serve(app="faulty", write_timeout="500ms")
        with serval.client(receive_buffer=4096) as client:
            client.send(request_bytes(target="/body?bytes=50000000"))
            serval.expect_access(r"/body\?bytes=50000000 .*\btimeout\b")
        self.assertEqual(serval.get().status, 200)

    # Others are not hurt: one worker with one thread serves on while many clients are slow in every way

    def test_slow_clients_do_not_hurt_others(self):
        serval = self.serve(app="faulty", header_timeout="60s", body_timeout="60s", write_timeout="60s")
        slow = []
        for number in range(150):
            client = serval.client(receive_buffer=4096)
            self.addCleanup(client.close)
            slow.append(client)
            client.send((b"GET /slow HTTP/1.1\r\nHos",
                         request_bytes("POST", headers=[("Content-Length", "100000")]) + b"abc",
                         request_bytes(target="/body?bytes=3000000"))[number % 3])
        for _ in range(20):
            self.assertEqual(serval.get("/pid").status, 200)
        slow[0].send(b"t: x\r\n\r\n")
        self.assertEqual(slow[0].read_response().status, serval.get("/slow").status)
        self.assertEqual(len(slow[2].read_response().body), 3000000)


if __name__ == "__main__":
    unittest.main()
