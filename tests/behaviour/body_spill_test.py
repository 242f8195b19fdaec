"""Large bodies: a request's goes to a temporary file, an answer's waits for a slow reader without a thread, and what nobody reads
never costs a client its answer."""

import hashlib
import json
import unittest

import process_tree
from http_client import request_bytes, wait_until
from serval_process import ServalTest

MIB = 1 << 20


class Bodies(ServalTest):
    def spilled(self, serval):
        """The deleted regular files that workers hold: where spilled bodies live."""
        return [target for pid in serval.workers().values() for target in process_tree.fd_targets(pid)
                if target.endswith(" (deleted)") and not target.startswith("/memfd:")]

    def test_a_large_body_goes_through_a_temporary_file(self):
        serval = self.start(app="echo", config={"request": {"spill_body": "64KiB", "max_body": "16MiB"}})
        body = b"".join(b"%07d\n" % number for number in range(MIB // 2))  # 4 MiB
        with serval.client() as client:
            client.send(request_bytes("POST", headers=[("Content-Length", str(len(body)))]) + body[:MIB])
            wait_until(lambda: self.spilled(serval), "a temporary file in a worker")
            client.send(body[MIB:])
            echoed = json.loads(client.read_response().body)["body"].encode()
            self.assertEqual(hashlib.sha256(echoed).digest(), hashlib.sha256(body).digest())
            self.assertEqual(client.get().status, 200)
        wait_until(lambda: not self.spilled(serval), "the end of the temporary file")

    def test_the_temporary_file_of_a_vanished_client_goes_too(self):
        serval = self.start(app="echo", config={"request": {"spill_body": "64KiB"}})
        with serval.client() as client:
            client.send(request_bytes("POST", headers=[("Content-Length", str(8 * MIB))]) + b"x" * MIB)
            wait_until(lambda: self.spilled(serval), "a temporary file in a worker")
        wait_until(lambda: not self.spilled(serval), "the end of the temporary file")
        serval.expect_access(r" 499 ")

    def test_a_binary_body_arrives_unchanged(self):
        body = bytes(range(256)) * 4096
        with self.start(app="probe", config={"request": {"spill_body": "64KiB"}}).client() as client:
            response = client.request("POST", "/mirror", body=body)
            self.assertEqual(hashlib.sha256(response.body).digest(), hashlib.sha256(body).digest())

    def test_a_slow_reader_holds_no_thread(self):
        serval = self.start(app="faulty", config={"workers": {"count": 1, "threads": 1}})
        size = 20 * MIB
        with serval.client(receive_buffer=4096) as slow:
            slow.send(request_bytes(target=f"/body?bytes={size}"))
            for _ in range(5):
                self.assertEqual(serval.get().status, 200)
            self.assertEqual(len(slow.read_response().body), size)
            self.assertEqual(slow.get().status, 200)

    def test_an_early_refusal_survives_the_unread_body(self):
        serval = self.start(config={"request": {"max_body": "1MiB"}})
        for _ in range(10):
            with serval.client() as client:
                client.send_pieces([request_bytes("POST", headers=[("Content-Length", str(8 * MIB))]), *[b"x" * 65536] * 128])
                self.assertEqual(client.read_response().status, 413)
                self.assertEqual(client.read_to_end(), b"")

    def test_a_last_answer_survives_what_is_sent_after_it(self):
        serval = self.start(app="faulty")
        for _ in range(10):
            with serval.client(receive_buffer=65536) as client:
                client.send(request_bytes(target=f"/body?bytes={MIB}", headers=[("Connection", "close")]))
                client.send_pieces([b"never read " * 6000] * 10)
                self.assertEqual(len(client.read_response().body), MIB)
                self.assertEqual(client.read_to_end(), b"")


if __name__ == "__main__":
    unittest.main()
