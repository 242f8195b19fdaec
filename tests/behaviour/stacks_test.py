"""`serval stacks`: where the threads of the workers are, with the request that each serves; also of a worker that does not answer."""

import json
import signal
import unittest

from http_client import request_bytes, wait_until
from load import Load
from serval_process import ServalTest


class Stacks(ServalTest):
    def command(self, *words, code=0):
        got, out, err = self.run_command("stacks", "--socket", self.path("control0.sock"), *words)
        self.assertEqual(got, code, (out, err))
        return out + err

    def stacks(self, *words):
        """{slot: worker} of the answer."""
        return {worker["slot"]: worker for worker in json.loads(self.command("--json", *words))["workers"]}

    def ask(self, serval, target):
        client = serval.client()
        self.addCleanup(client.close)
        client.send(request_bytes(target=target))
        return client

    def wait_for_threads(self, count):
        """The stacks, as soon as each worker has begun so many threads: those for the app, and one more for the loop."""
        def look():
            workers = self.stacks()
            return workers if all(len(worker["threads"]) == count for worker in workers.values()) else None

        return wait_until(look, f"{count} threads in each worker")

    def test_each_request_has_its_stack_and_each_thread_is_there(self):
        serval = self.start_probe({"workers": {"count": 2, "threads": 2}})
        clients = [self.ask(serval, f"/gate?name={name}") for name in "abc"]
        self.wait_entered(*"abc")
        workers = self.wait_for_threads(3)
        self.assertEqual({slot: worker["pid"] for slot, worker in workers.items()}, serval.workers())
        requests = {}
        for worker in workers.values():
            self.assertIsNone(worker["silent"])
            self.assertEqual(len({thread["thread"] for thread in worker["threads"]}), 3)
            self.assertEqual(sum(thread["loop"] for thread in worker["threads"]), 1)
            for thread in worker["threads"]:
                self.assertGreater(len(thread["frames"]), 0)
                if thread["request"]:
                    requests[thread["request"]["target"]] = thread
        self.assertEqual(set(requests), {f"/gate?name={name}" for name in "abc"})
        for thread in requests.values():
            self.assertEqual(thread["request"]["method"], "GET")
            self.assertRegex("\n".join(thread["frames"]), r"wait_at_gate|pass_gate")
            self.assertRegex("\n".join(thread["frames"]), r"probe\.cpp:\d+")

        text = self.command()
        self.assertRegex(text, rf"(?m)^worker 0, pid {serval.workers()[0]}, generation 1$")
        self.assertRegex(text, r"(?m)^  thread \d+, (sleeps|runs): GET /gate\?name=a  for \S+, id \S+$")
        self.assertRegex(text, r"(?m)^    .*pass_gate.* at .*probe\.cpp:\d+")
        self.assertNotIn("serval::worker::Exchange", text, "only the app's part of a request's stack is for people")
        self.assertRegex(text, r"(?m)^  threads? [\d ]+, \w+: (has the I/O loop|no request)$")
        self.open_gate(*"abc")
        for client in clients:
            self.assertEqual(client.read_response().status, 200)

    def test_of_one_worker(self):
        serval = self.start_probe()
        self.assertEqual({slot: worker["pid"] for slot, worker in self.stacks("1").items()}, {1: serval.workers()[1]})
        self.assertIn("no worker in slot 7", self.command("7", code=1))
        for word in ("all", "-1", "1x", "99999999999"):
            self.assertIn(f'"{word}" is no slot', self.command(word, code=64))

    def test_a_worker_that_does_not_answer_is_seen_from_outside(self):
        serval = self.start_probe({"workers": {"count": 2, "threads": 2, "heartbeat_timeout": "10m"}})
        client = self.ask(serval, "/gate?name=a")
        self.wait_entered("a")
        with open(self.path("gates/a.entered"), encoding="utf-8") as file:
            pid = int(file.read())
        [slot] = [slot for slot, other in serval.workers().items() if other == pid]
        serval.signal(signal.SIGSTOP, pid)
        try:
            workers = self.stacks()
            text = self.command()
            for _ in range(6):  # its channel does not fill up with questions
                self.stacks(str(slot))
        finally:
            serval.signal(signal.SIGCONT, pid)
        silent = workers.pop(slot)
        self.assertIn("does not answer", silent["silent"])
        self.assertIn("is stopped by a signal", silent["silent"])
        self.assertEqual([thread["state"] for thread in silent["threads"]], ["T"] * len(silent["threads"]))
        self.assertIn("/gate?name=a", [thread["request"] and thread["request"]["target"] for thread in silent["threads"]])
        [other] = workers.values()
        self.assertIsNone(other["silent"])
        self.assertGreater(len(other["threads"]), 0)
        self.assertRegex(text, rf"(?m)^worker {slot}, pid {pid}, generation 1: it does not answer; .* is stopped by a signal$")
        self.assertRegex(text, r"(?m), stopped: GET /gate\?name=a  for ")
        wait_until(lambda: self.stacks(str(slot))[slot]["silent"] is None, "an answer of the worker that goes on")
        self.open_gate("a")
        self.assertEqual(client.read_response().status, 200)

    def test_a_worker_that_dies_meanwhile(self):
        serval = self.start_probe({"workers": {"count": 2, "threads": 2, "heartbeat_timeout": "10m"}})
        pid = serval.workers()[0]
        serval.signal(signal.SIGSTOP, pid)
        stacks = self.launch("stacks", "--socket", self.path("control0.sock"))
        serval.signal(signal.SIGKILL, pid)
        self.assertEqual(stacks.wait(), 0)
        serval.expect_log("worker ready slot=0", count=2)
        self.assertEqual(self.stacks()[0]["pid"], serval.workers()[0])

    def test_many_threads(self):
        """More than are named at once, and than the channel to the master has room for."""
        serval = self.start_probe({"workers": {"count": 2, "threads": 120}})
        client = self.ask(serval, "/gate?name=a")
        self.wait_entered("a")
        for worker in self.wait_for_threads(121).values():
            self.assertIsNone(worker["silent"])
            self.assertTrue(all(thread["frames"] for thread in worker["threads"]))
        self.open_gate("a")
        self.assertEqual(client.read_response().status, 200)

    def test_a_server_that_stops_shows_why_it_has_not(self):
        serval = self.start_probe()
        client = self.ask(serval, "/gate?name=a")
        self.wait_entered("a")
        serval.signal(signal.SIGTERM)
        serval.expect_log("draining")
        wait_until(lambda: len(serval.workers()) == 1, "the end of the idle worker")
        self.assertIn("pass_gate", self.command())
        self.open_gate("a")
        self.assertEqual(client.read_response().status, 200)

    def test_asking_all_the_time_harms_nobody(self):
        serval = self.start(config={"workers": {"count": 2, "threads": 2}})
        with Load(serval, 4) as load:
            for _ in range(5):
                load.wait_for(50)
                self.assertEqual(set(self.stacks()), {0, 1})
        self.assertEqual(load.failures, [])
        self.assertNotRegex(serval.log(), r" (warning|error) ")


if __name__ == "__main__":
    unittest.main()
