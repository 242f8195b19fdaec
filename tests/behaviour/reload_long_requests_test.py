"""Requests that last longer than a reload are answered by their old worker, within the grace; a worker that does not drain holds up nobody."""

import signal
import unittest

from http_client import Closed, request_bytes, wait_until
from load import Load
from reloads import ReloadTest


class LongRequests(ReloadTest):
    def start_with_gates(self, **config):
        """Without gates for the next generation: only requests wait."""
        serval = self.start_gated(**config)
        self.open_gate("preload", "start")
        return serval

    def ask(self, serval, name):
        """Sends a request that waits at its gate."""
        client = serval.client()
        self.addCleanup(client.close)
        client.send(request_bytes(target=f"/gate?name={name}"))
        self.wait_entered(name)
        return client

    def test_one_in_flight_is_answered_after_several_reloads(self):
        serval = self.start_with_gates()
        client = self.ask(serval, "long")
        for generation in (2, 3, 4):
            self.assertEqual(self.command("reload")[1].splitlines()[:1], [f"generation {generation} serves"])
        self.open_gate("long")
        response = client.read_response()
        self.assertEqual((response.status, response.closes), (200, False))
        self.assertEqual(client.get("/generation").text, "4\n")

    def test_one_that_sleeps_for_three_seconds_is_answered(self):
        serval = self.start_replaceable()
        with serval.client() as client:
            client.send(request_bytes(target="/sleep?ms=3000"))
            wait_until(lambda: "BUSY" in (table := self.command("status")[1]) and "/sleep?ms=3000" in table, "the request to be in progress")
            self.assertEqual(self.command("reload")[0], 0)
            self.assertEqual(self.generations(serval), {2})
            self.assertEqual(client.read_response().text, "slept\n")

    def test_one_that_outlives_the_grace_ends_at_the_deadline_and_is_named(self):
        serval = self.start_with_gates(shutdown={"grace": "1s"})
        client = self.ask(serval, "endless")
        self.assertEqual(self.command("reload")[0], 0)
        with self.assertRaises((Closed, ConnectionResetError)):
            client.read_response()
        serval.expect_log(r"warning worker\[\d\] gen=1 .*grace is over: requests are cut off requests=1 handlers=1 grace=1000")
        serval.expect_access(r"\"GET /gate\?name=endless .*outcome=cut")
        wait_until(lambda: len(self.processes(serval, "serval: worker")) == 2, "the old worker to be gone")
        self.assertEqual(self.generations(serval), {2})

    def test_a_stuck_drain_blocks_neither_the_next_reloads_nor_the_load(self):
        """Nor do three of them; as many as there are workers would, since no more than twice the workers may be alive."""
        serval = self.start_with_gates(workers={"count": 4}, shutdown={"grace": "10m"})
        with Load(serval, clients=2) as load:
            for generation in (2, 3, 4):
                self.ask(serval, f"stuck{generation}")  # each generation leaves one behind
                self.assertEqual(self.command("reload")[1].splitlines()[:1], [f"generation {generation} serves"])
            load.wait_for(20)
        self.assertEqual(load.failures, [])
        self.assertEqual(self.generations(serval), {4})
        self.open_gate("stuck2", "stuck3", "stuck4")
        wait_until(lambda: len(self.processes(serval, "serval: worker")) == 4, "the old workers to be gone")

    def test_a_stuck_drain_does_not_block_a_stop(self):
        serval = self.start_with_gates(shutdown={"grace": "1s"})
        self.ask(serval, "stuck")
        self.assertEqual(self.command("reload")[0], 0)
        serval.signal(signal.SIGTERM)
        self.assertEqual(serval.wait(), 0)

    def test_a_stuck_drain_does_not_block_a_stop_at_once(self):
        serval = self.start_with_gates(shutdown={"grace": "10m"})
        self.ask(serval, "stuck")
        self.assertEqual(self.command("reload")[0], 0)
        self.assertEqual(self.command("stop", "--now")[0], 0)
        self.assertEqual(serval.wait(), 0)


if __name__ == "__main__":
    unittest.main()
