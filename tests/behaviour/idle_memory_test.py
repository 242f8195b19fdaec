"""A worker that was flooded gives its memory back once it is idle."""

import os
import unittest

from http_client import request_bytes, wait_until
from serval_process import ServalTest

MIB = 1 << 20


def memory(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon:"))


@unittest.skipIf("SERVAL_SANITIZED" in os.environ, "sanitizers keep what is freed")
class IdleMemory(ServalTest):
    def test_bodies_of_a_flood(self):
        serval = self.start_probe({"workers": {"count": 1, "threads": 2, "queue": 400, "heartbeat_timeout": "1s"},
                                   "request": {"spill_body": "64MiB"}})
        worker = serval.workers()[0]
        before = memory(worker)
        clients = [serval.client() for _ in range(200)]
        for client in clients:
            client.send(request_bytes("POST", "/gate?name=flood", body=b"x" * MIB))
        wait_until(lambda: memory(worker) > before + 150 * MIB, "the bodies in the worker's memory")
        self.open_gate("flood")
        for client in clients:
            self.assertEqual(client.read_response().status, 200)
        wait_until(lambda: memory(worker) < before + 32 * MIB, lambda: f"memory given back: {before >> 20} MiB before, {memory(worker) >> 20} now")
        for client in clients:
            client.close()
        self.assertEqual(serval.get().status, 200)
