"""Connections that live for many requests, and how they end."""

import json
import unittest

from http_client import chunked, request_bytes, wait_until
from serval_process import ServalTest


class KeepAlive(ServalTest):
    def serve(self, **request):
        return self.start(app="echo", config={"workers": {"count": 1, "threads": 1}, "request": request})

    def target_of(self, response):
        self.assertEqual(response.status, 200)
        return json.loads(response.body)["target"]

    def test_http_1_1_stays_open(self):
        with self.serve().client() as client:
            for number in range(5):
                response = client.get(f"/{number}")
                self.assertEqual(self.target_of(response), f"/{number}")
                self.assertFalse(response.closes)
            self.assertTrue(client.still_open())

    def test_http_1_1_close_is_obeyed(self):
        with self.serve().client() as client:
            response = client.get("/", [("Connection", "Close")])
            self.assertTrue(response.closes)
            self.assertTrue(client.ended())

    def test_http_1_0_ends_by_default(self):
        with self.serve().client() as client:
            response = client.request(version="1.0")
            self.assertEqual(response.status, 200)
            self.assertTrue(client.ended())

    def test_http_1_0_stays_open_when_asked(self):
        with self.serve().client() as client:
            for number in range(3):
                response = client.request("GET", f"/{number}", [("Connection", "keep-alive")], version="1.0")
                self.assertEqual(self.target_of(response), f"/{number}")
                self.assertEqual(response.get("Connection").lower(), "keep-alive")

    def test_two_requests_in_one_packet(self):
        with self.serve().client() as client:
            client.send(request_bytes(target="/first") + request_bytes(target="/second"))
            self.assertEqual(self.target_of(client.read_response()), "/first")
            self.assertEqual(self.target_of(client.read_response()), "/second")

    def test_http_1_1_then_1_0_in_one_packet(self):
        with self.serve().client() as client:
            client.send(request_bytes(target="/first") + request_bytes(target="/second", version="1.0"))
            self.assertEqual(self.target_of(client.read_response()), "/first")
            self.assertEqual(self.target_of(client.read_response()), "/second")
            self.assertTrue(client.ended())

    def test_a_request_behind_close_is_not_served(self):
        with self.serve().client() as client:
            client.send(request_bytes(target="/last", headers=[("Connection", "close")]) + request_bytes(target="/ignored"))
            self.assertEqual(self.target_of(client.read_response()), "/last")
            self.assertTrue(client.ended())

    def test_post_then_get(self):
        with self.serve().client() as client:
            client.send(request_bytes("POST", "/post", body=b"GET /inside HTTP/1.1\r\nHost: x\r\n\r\n") + request_bytes(target="/get"))
            posted = json.loads(client.read_response().body)
            self.assertEqual((posted["target"], posted["body"]), ("/post", "GET /inside HTTP/1.1\r\nHost: x\r\n\r\n"))
            self.assertEqual(self.target_of(client.read_response()), "/get")

    def test_twenty_chunked_requests_back_to_back(self):
        one = request_bytes("POST", "/", [("Transfer-Encoding", "chunked")])
        with self.serve().client() as client:
            client.send(b"".join(one + chunked(b"number ", b"%d" % number) for number in range(20)))
            for number in range(20):
                self.assertEqual(json.loads(client.read_response().body)["body"], f"number {number}")

    def test_keep_alive_requests_limits_a_connection(self):
        with self.serve(keep_alive_requests=3).client() as client:
            self.assertEqual([client.get().closes for _ in range(3)], [False, False, True])
            self.assertTrue(client.ended())

    def test_an_idle_connection_is_closed(self):
        with self.serve(keep_alive="300ms").client() as client:
            client.get()
            self.assertTrue(client.ended(), "closed without a word: an idle connection is owed no answer")

    def test_keep_alive_off(self):
        with self.serve(keep_alive="0").client() as client:
            self.assertTrue(client.get().closes)
            self.assertTrue(client.ended())

    def test_keep_alive_clients_do_not_starve_others(self):
        serval = self.serve()
        idle = [serval.client() for _ in range(20)]
        for client in idle:
            self.addCleanup(client.close)
            self.assertEqual(client.get().status, 200)
        for number in range(5):
            self.assertEqual(self.target_of(serval.get(f"/other/{number}")), f"/other/{number}")
        for client in idle:
            self.assertEqual(client.get("/again").status, 200)

    def test_a_client_that_leaves_between_requests_is_no_request(self):
        serval = self.serve()
        with serval.client() as client:
            client.get("/one")
        serval.get("/two")
        serval.expect_access("/two")
        self.assertEqual(len(serval.access()), 2)
        wait_until(lambda: not any(level in serval.log() for level in (" warning ", " error ")), "a quiet log")


if __name__ == "__main__":
    unittest.main()
