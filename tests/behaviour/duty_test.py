"""New connections go to as many workers as there are CPUs; the others take over at once what those cannot."""

import os
import signal
import unittest

from serval_process import ServalTest

CPUS = len(os.sched_getaffinity(0))


class Duty(ServalTest):
    def start_many(self):
        """Twice as many workers as may have duty. Their pids, those with duty first."""
        serval = self.start_probe({"workers": {"count": 2 * CPUS, "threads": 2}})
        return serval, [pid for _, pid in sorted(serval.workers().items())]

    def connect(self, serval, count):
        """The pids of the workers that answer so many connections, all of which stay open."""
        found = []
        for _ in range(count):
            client = serval.client()
            self.addCleanup(client.close)
            found.append(int(client.get("/pid").text))
        return found

    def test_as_many_workers_as_cpus_take_the_connections(self):
        serval, workers = self.start_many()
        found = self.connect(serval, 50)
        # A busy machine may keep a worker from running for so long that another one helps out.
        self.assertGreater(sum(pid in workers[:CPUS] for pid in found), 25, found)

    def test_others_take_them_while_those_with_duty_do_not_run(self):
        serval, workers = self.start_many()
        for pid in workers[:CPUS]:
            serval.signal(signal.SIGSTOP, pid)
            self.addCleanup(serval.signal, signal.SIGCONT, pid)
        found = self.connect(serval, 20)
        self.assertFalse(set(found) & set(workers[:CPUS]), found)


if __name__ == "__main__":
    unittest.main()
