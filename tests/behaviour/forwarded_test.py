"""Whom X-Forwarded-*, Forwarded and the PROXY protocol are believed from: trusted proxies, and nobody else."""

import json
import socket
import struct
import unittest

from http_client import request_bytes
from serval_process import ServalTest


class Forwarded(ServalTest):
    def serve(self, trusted):
        return self.start("echo", {"request": {"trusted_proxies": trusted}})

    def seen(self, serval, *headers):
        echoed = json.loads(serval.get("/", headers).body)
        return echoed["peer"], echoed["scheme"]

    def test_from_a_trusted_proxy(self):
        serval = self.serve(["127.0.0.0/8"])
        for headers, expected in (
                ([], ("127.0.0.1", "http")),
                ([("X-Forwarded-For", "203.0.113.9")], ("203.0.113.9", "http")),
                ([("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", "https")], ("203.0.113.9", "https")),
                ([("X-Forwarded-For", "6.6.6.6, 203.0.113.9, 127.0.0.2")], ("203.0.113.9", "http")),
                ([("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-For", "203.0.113.9")], ("203.0.113.9", "http")),
                ([("Forwarded", 'for=203.0.113.9;proto=https')], ("203.0.113.9", "https")),
                ([("Forwarded", 'for="[2001:db8::1]:4711"')], ("2001:db8::1", "http")),
                ([("X-Forwarded-For", "not an address")], ("127.0.0.1", "http"))):
            with self.subTest(headers):
                self.assertEqual(self.seen(serval, *headers), expected)

    def test_from_anybody_else(self):
        serval = self.serve(["192.0.2.1"])
        self.assertEqual(self.seen(serval, ("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", "https"), ("Forwarded", "for=203.0.113.9")),
                         ("127.0.0.1", "http"))

    def test_a_proxy_that_is_not_believed_is_said_once(self):
        serval = self.serve(["192.0.2.1"])
        self.seen(serval)
        self.assertNotIn("trusted_proxies", serval.log())
        for _ in range(10):
            self.seen(serval, ("X-Forwarded-Proto", "https"))
        said = r"warning worker\[\d\] .*not believed: request\.trusted_proxies does not name the proxy.* peer=127\.0\.0\.1"
        serval.expect_log(said)
        self.assertLessEqual(serval.log().count("does not name the proxy"), len(serval.workers()))

    def test_over_a_unix_socket(self):
        for trusted, expected in ((["unix"], "203.0.113.9"), (["127.0.0.1"], "unix")):
            path = self.path(f"{expected}.sock")
            serval = self.start("echo", {"server": {"bind": ["unix:" + path]}, "request": {"trusted_proxies": trusted}})
            self.assertEqual(self.seen(serval, ("X-Forwarded-For", "203.0.113.9"))[0], expected)

    def test_the_access_log_names_the_client(self):
        serval = self.serve(["127.0.0.1"])
        serval.get("/", [("X-Forwarded-For", "203.0.113.9")])
        serval.expect_access(r"^203\.0\.113\.9 ")


def proxy_v2(command=1, family=0x11, addresses=None):
    if addresses is None:
        addresses = socket.inet_aton("203.0.113.9") + socket.inet_aton("192.0.2.1") + struct.pack("!HH", 4711, 80)
    return b"\r\n\r\n\0\r\nQUIT\n" + bytes([0x20 | command, family]) + struct.pack("!H", len(addresses)) + addresses


class ProxyProtocol(ServalTest):
    def serve(self, trusted=("127.0.0.1",)):
        return self.start("echo", {"request": {"proxy_protocol": True, "trusted_proxies": list(trusted)}})

    def peer(self, serval, data, pieces=False):
        with serval.client() as client:
            client.send_pieces([data[i:i + 1] for i in range(len(data))] if pieces else [data])
            response = client.read_response()
            return json.loads(response.body)["peer"] if response.status == 200 else response.status

    def test_version_1(self):
        serval = self.serve()
        for line, expected in ((b"PROXY TCP4 203.0.113.9 192.0.2.1 4711 80\r\n", "203.0.113.9"),
                               (b"PROXY TCP6 2001:db8::9 2001:db8::1 4711 80\r\n", "2001:db8::9"),
                               (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
                               (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "127.0.0.1")):
            with self.subTest(line):
                self.assertEqual(self.peer(serval, line + request_bytes()), expected)
                self.assertEqual(self.peer(serval, line + request_bytes(), pieces=True), expected)

    def test_version_2(self):
        serval = self.serve()
        six = socket.inet_pton(socket.AF_INET6, "2001:db8::9") + socket.inet_pton(socket.AF_INET6, "2001:db8::1") + struct.pack("!HH", 4711, 80)
        tlv = socket.inet_aton("203.0.113.9") + socket.inet_aton("192.0.2.1") + struct.pack("!HH", 4711, 80) + b"\x04\0\x03abc"
        for header, expected in ((proxy_v2(), "203.0.113.9"), (proxy_v2(family=0x21, addresses=six), "2001:db8::9"),
                                 (proxy_v2(command=0, family=0, addresses=b""), "127.0.0.1"), (proxy_v2(addresses=tlv), "203.0.113.9")):
            with self.subTest(header):
                self.assertEqual(self.peer(serval, header + request_bytes()), expected)
                self.assertEqual(self.peer(serval, header + request_bytes(), pieces=True), expected)

    def test_it_holds_for_the_connection_and_is_read_once(self):
        with self.serve().client() as client:
            client.send(b"PROXY TCP4 203.0.113.9 192.0.2.1 4711 80\r\n")
            for _ in range(3):
                self.assertEqual(json.loads(client.get().body)["peer"], "203.0.113.9")
            client.send(b"PROXY TCP4 203.0.113.10 192.0.2.1 4711 80\r\n" + request_bytes())
            self.assertEqual(client.read_response().status, 400)

    def test_malformed_ones(self):
        serval = self.serve()
        for start in (b"PROXY TCP4 203.0.113.9 192.0.2.1 4711\r\n", b"PROXY TCP4 203.0.113.999 192.0.2.1 4711 80\r\n", b"PROXY TCP4 " + b"1" * 200,
                      b"PROXY TCP4 203.0.113.9 192.0.2.1 4711 80\n", b"PROXY TCP4 203.0.113.9 192.0.2.1 99999 80\r\n",
                      proxy_v2(addresses=b"abc"), b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0"):
            with self.subTest(start), serval.client() as client:
                client.send_pieces([start + request_bytes()])
                answer = client.read_to_end()
                self.assertTrue(answer == b"" or answer.startswith(b"HTTP/1.1 400 "), answer)

    def test_a_line_from_an_untrusted_peer_is_no_proxy_line(self):
        serval = self.serve(trusted=["192.0.2.1"])
        self.assertEqual(self.peer(serval, b"PROXY TCP4 203.0.113.9 192.0.2.1 4711 80\r\n" + request_bytes()), 400)
        self.assertEqual(self.peer(serval, request_bytes()), "127.0.0.1")

    def test_without_the_option_it_is_a_bad_request(self):
        serval = self.start("echo")
        self.assertEqual(self.peer(serval, b"PROXY TCP4 203.0.113.9 192.0.2.1 4711 80\r\n" + request_bytes()), 400)


if __name__ == "__main__":
    unittest.main()
