"""What clients see of generations: nothing is lost, and once the reload has returned, whoever asks is answered by the new one."""

import threading
import time
import unittest

from load import Load
from reloads import ReloadTest


class Generations(ReloadTest):
    """On connections over TCP, and over a unix socket."""

    def start_both(self, **config):
        return self.start_replaceable(server={"bind": ["127.0.0.1:0", "unix:" + self.path("app.sock")]}, **config)

    def hammer(self, which, reloads=8):
        """Clients that never pause. Nothing is lost; and who asks when the command has returned is answered by the new generation."""
        serval = self.start_both(workers={"count": 3})
        returned = [(0.0, 1)]  # since when, and the least generation that may answer from then on
        lock = threading.Lock()

        def look(asked, response):
            generation = int(response.text)
            with lock:
                least = max(least for at, least in returned if at <= asked)
            return None if generation >= least else f"generation {generation} answered after the command had returned for {least}"

        with Load(serval, 6, "/generation", which=which, look=look) as load:
            for generation in range(2, 2 + reloads):
                self.assertEqual(self.command("reload")[:2], (0, f"generation {generation} serves"))
                with lock:
                    returned.append((time.monotonic(), generation))
                load.wait_for(20)
        self.assertEqual(load.failures, [])

    def test_what_is_different_since_is_said(self):
        self.start_replaceable()
        self.assertEqual(self.command("reload")[:2], (0, "generation 2 serves"))
        self.replace_library("probe")
        self.change_config("threads = 2", "threads = 3")
        code, out, err = self.command("reload")
        self.assertEqual(code, 0, err)
        lines = out.splitlines()
        self.assertEqual((lines[0], lines[2]), ("generation 3 serves", "workers.threads: 3 instead of 2"))
        self.assertRegex(lines[1], r"^app\.library: build ([0-9a-f]{12}) instead of (?!\1)[0-9a-f]{12}$")

    def test_hammering_over_tcp(self):
        self.hammer(which=0)

    def test_hammering_over_a_unix_socket(self):
        self.hammer(which=1)


if __name__ == "__main__":
    unittest.main()
