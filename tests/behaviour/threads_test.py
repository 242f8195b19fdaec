"""Ready means that all threads of a worker run: one that cannot have them fails to start, and says for what limit."""

import os
import resource
import unittest

from serval_process import ServalTest

MIB = 1 << 20


@unittest.skipIf("SERVAL_SANITIZED" in os.environ, "no limit of memory leaves room for a sanitizer's shadow memory")
class Threads(ServalTest):
    def limited(self):
        """Room for some stacks of threads, of 8 MiB each. RLIMIT_NPROC would not bind root."""
        resource.setrlimit(resource.RLIMIT_STACK, (8 * MIB, 8 * MIB))
        resource.setrlimit(resource.RLIMIT_AS, (500 * MIB, 500 * MIB))

    def test_a_worker_that_cannot_have_its_threads_does_not_become_ready(self):
        serval = self.launch_config("hello", {"workers": {"count": 1, "threads": 200}}, popen={"preexec_fn": self.limited})
        serval.expect_log(r"cannot start thread \d+ of 200: Resource temporarily unavailable: .*there is no memory for it")
        self.assertEqual(serval.wait(), 1)
        self.assertNotIn("worker ready", serval.log())
        self.assertNotIn("crash", serval.log())

    def test_a_reload_with_too_many_threads_is_refused_and_the_old_workers_serve(self):
        serval = self.start("hello", {"workers": {"count": 1, "threads": 2}}, popen={"preexec_fn": self.limited})
        worker = serval.workers()
        file = self.path("serval0.toml")
        with open(file, encoding="utf-8") as config:
            changed = config.read().replace("threads = 2", "threads = 200")
        self.write("serval0.toml", changed)
        code, _, error = self.run_command("reload", "-c", file)
        self.assertEqual(code, 1)
        self.assertIn("cannot start thread", error)
        self.assertEqual(serval.workers(), worker)
        self.assertEqual(serval.get().status, 200)
