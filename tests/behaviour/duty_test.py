"""Connections go to the first worker while that one is at ease; the others take over what it cannot."""

import concurrent.futures
import os
import signal
import threading
import unittest

from http_client import DEADLINE
from serval_process import ServalTest

CPUS = len(os.sched_getaffinity(0))


class Duty(ServalTest):
    def start_three(self, **workers):
        """The server, and the pids of its workers in the order of their slots."""
        serval = self.start_probe({"workers": {"count": 3, "threads": 4, **workers}})
        return serval, [pid for _, pid in sorted(serval.workers().items())]

    def connect(self, serval, count):
        """So many connections, each with the pid of the worker that has answered on it."""
        found = []
        for _ in range(count):
            client = serval.client()
            self.addCleanup(client.close)
            found.append((int(client.get("/pid").text), client))
        return found

    def test_the_first_worker_takes_connections_as_long_as_it_is_at_ease(self):
        serval, workers = self.start_three()
        pids = [pid for pid, _ in self.connect(serval, 50)]
        # A busy machine may keep a worker from running for so long that another one helps out.
        self.assertGreater(pids.count(workers[0]), 25, pids)

    def test_others_take_them_while_it_does_not_run(self):
        serval, workers = self.start_three()
        serval.signal(signal.SIGSTOP, workers[0])
        self.addCleanup(serval.signal, signal.SIGCONT, workers[0])
        self.assertNotIn(workers[0], [pid for pid, _ in self.connect(serval, 20)])

    @unittest.skipIf(CPUS < 2, "another loop would have no CPU")
    def test_a_worker_whose_loop_hardly_keeps_up_gives_connections_away(self):
        serval, workers = self.start_three()
        clients = [client for pid, client in self.connect(serval, 20) if pid == workers[0]]
        elsewhere, over = threading.Event(), threading.Event()

        def ask(client):
            while not over.is_set():
                if int(client.get("/pid?spin_us=700").text) != workers[0]:
                    elsewhere.set()

        with concurrent.futures.ThreadPoolExecutor(len(clients)) as threads:
            asking = [threads.submit(ask, client) for client in clients]
            try:
                self.assertTrue(elsewhere.wait(DEADLINE), "none was given away")
            finally:
                over.set()
        for each in asking:
            each.result()  # raises if one was lost


if __name__ == "__main__":
    unittest.main()
