"""Each request of tests/corpus is sent whole, byte by byte, and in random pieces: the outcome does not depend on how it was cut.

NAME.http holds the bytes; NAME.expect the number of requests in them (valid), or the status they are refused with (invalid).
"""

import glob
import os
import re
import socket
import unittest

from http_client import byte_by_byte, random_splits
from serval_process import ServalTest

CORPUS = os.environ.get("SERVAL_CORPUS") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "corpus")
BYTE_BY_BYTE_UP_TO = 20000  # bytes: a packet for each byte of more says nothing new


def samples(kind):
    found = []
    for path in sorted(glob.glob(os.path.join(CORPUS, kind, "*.http"))):
        with open(path, "rb") as data, open(path.removesuffix("http") + "expect") as expected:
            found.append((os.path.basename(path), data.read(), int(expected.read())))
    return found


def ways(data):
    yield "whole", [data]
    if len(data) <= BYTE_BY_BYTE_UP_TO:
        yield "byte by byte", byte_by_byte(data)
    for seed in range(3):
        yield f"random pieces, seed {seed}", random_splits(data, seed)


class Corpus(ServalTest):
    def exchange(self, serval, pieces, half_close):
        """All that comes back until the server ends the connection."""
        with serval.client() as client:
            client.send_pieces(pieces)
            if half_close:
                try:
                    client.socket.shutdown(socket.SHUT_WR)
                except OSError:
                    pass  # the server was quicker
            return client.read_to_end()

    @staticmethod
    def statuses(answer):
        """Of the final answers: an interim 100 may or may not come, since a body that is already there needs no invitation."""
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n", answer) if status != b"100"]

    @staticmethod
    def comparable(answer):
        """Without what differs from one time to the next."""
        answer = answer.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")
        return re.sub(rb'Date: [^\r]*|"(?:pid|worker)": ?\d+|Content-Length: \d+', b"", answer)

    def test_valid(self):
        serval = self.start("echo")
        found = samples("valid")
        self.assertTrue(found)
        for name, data, requests in found:
            outcomes = {}
            for way, pieces in ways(data):
                answer = self.exchange(serval, pieces, half_close=True)
                outcomes.setdefault(self.comparable(answer), way)
                with self.subTest(name, way=way):
                    self.assertEqual(self.statuses(answer), [200] * requests, answer[:500])
            with self.subTest(name):
                self.assertEqual(len(outcomes), 1, {way: answer[:2000] for answer, way in outcomes.items()})

    def test_invalid(self):
        serval = self.start("echo", {"request": {"header_timeout": "60s", "body_timeout": "60s"}})
        found = samples("invalid")
        self.assertTrue(found)
        for name, data, status in found:
            for way, pieces in ways(data):
                with self.subTest(name, way=way):
                    # the client does not close: it must be the server that ends the connection
                    answer = self.exchange(serval, pieces, half_close=False)
                    statuses = self.statuses(answer)
                    self.assertEqual(statuses[-1:], [status], answer[:500])
                    self.assertEqual(statuses[:-1], [200] * (len(statuses) - 1), answer[:500])
                    self.assertRegex(answer[answer.rindex(b"HTTP/1.1 %d " % status):].lower(), rb"\r\nconnection: close\r\n")

    def test_every_refusal_is_one_access_line(self):
        serval = self.start("echo")
        found = samples("invalid")
        for name, data, status in found:
            self.exchange(serval, [data], half_close=False)
        serval.expect_access(r"\brefused\b", count=len(found))
        self.assertEqual(serval.stop(), 0)
        self.assertEqual(len([line for line in serval.access() if re.search(r"\brefused\b", line)]), len(found))


if __name__ == "__main__":
    unittest.main()
