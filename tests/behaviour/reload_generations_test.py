"""What clients see of generations: a connection of an old worker gets its last answer with `Connection: close`, and none is lost."""

import threading
import time
import unittest

from http_client import wait_until
from load import Load
from reloads import ReloadTest


class Generations(ReloadTest):
    """On connections over TCP, and over a unix socket."""

    def start_both(self, **config):
        return self.start_replaceable(server={"bind": ["127.0.0.1:0", "unix:" + self.path("app.sock")]}, **config)

    def hammer(self, which, reloads=8):
        """Clients that never pause. Nothing is lost; and who asks when the old workers are gone is answered by the new generation."""
        serval = self.start_both(workers={"count": 3})
        gone = [(0.0, 1)]  # since when, and the least generation that may answer from then on
        lock = threading.Lock()

        def look(asked, response):
            generation = int(response.text)
            with lock:
                least = max(least for at, least in gone if at <= asked)
            return None if generation >= least else f"generation {generation} answered when only {least} was left"

        with Load(serval, 6, "/generation", which=which, look=look) as load:
            for generation in range(2, 2 + reloads):
                self.assertEqual(self.command("reload")[:2], (0, f"generation {generation} serves"))
                wait_until(lambda: len(self.processes(serval, "serval: worker")) == 3, "the old workers to be gone")
                with lock:
                    gone.append((time.monotonic(), generation))
                load.wait_for(20)
        self.assertEqual(load.failures, [])

    def test_hammering_over_tcp(self):
        self.hammer(which=0)

    def test_hammering_over_a_unix_socket(self):
        self.hammer(which=1)

    def last_answer(self, which):
        """A connection that asks again and again: all its answers are good, the last one closes, and then it ends cleanly."""
        serval = self.start_both()
        with serval.client(which) as client:
            self.assertFalse(client.get("/generation").closes)
            reload = self.launch("reload", "-c", self.path("serval0.toml"))
            answer = wait_until(lambda: (response := client.get("/generation")).closes and response, "the goodbye")
            self.assertEqual((answer.status, answer.text), (200, "1\n"))
            self.assertTrue(client.ended())
        self.assertEqual(reload.wait(), 0)
        wait_until(lambda: self.generations(serval) == {2}, "answers of the new generation alone")

    def test_the_goodbye_over_tcp(self):
        self.last_answer(which=0)

    def test_the_goodbye_over_a_unix_socket(self):
        self.last_answer(which=1)

    def test_a_connection_that_says_nothing_is_closed_without_a_reset(self):
        serval = self.start_both()
        for which in (0, 1):
            with self.subTest(which), serval.client(which) as silent, serval.client(which) as idle:
                self.assertEqual(idle.get("/").status, 200)
                self.assertEqual(self.command("reload")[0], 0)
                self.assertEqual((silent.read_to_end(), idle.read_to_end()), (b"", b""))


if __name__ == "__main__":
    unittest.main()
