"""A child that the app forks must not come back out of the call it was forked in: it would be a second worker, or a second mold, that nobody knows."""

import os

from http_client import wait_until
from serval_process import ServalTest

CAME_BACK = "a child that the app forked came back out of "
ENDED = 70


class ForkedChild(ServalTest):
    BASE = ServalTest.BASE | {"workers": {"count": 1, "threads": 2}}

    def serve(self, where, how="return"):
        self.children = self.path(f"children-{where}-{how}")
        return self.start("forker", app_args=[f"where={where}", f"how={how}", f"log={self.children}"])

    def expect_ended(self, serval, where):
        def ended():
            if not os.path.exists(self.children):
                return False
            with open(self.children, encoding="utf-8") as file:
                return f"{where} {ENDED}\n" in file.read()

        wait_until(ended, f"the end of the child that was forked in {where}")
        serval.expect_log(rf"error .*{CAME_BACK}{where}, ended.* forked_by=\d+")

    def test_out_of_handle(self):
        for how in "return", "throw", "answer":
            with self.subTest(how=how):
                serval = self.serve("handle", how)
                worker = serval.workers()[0]
                response = serval.get()
                self.assertEqual((200, b"of the parent\n"), (response.status, response.body))
                self.expect_ended(serval, "handle")
                self.assertIn(f"forked_by={worker}", serval.log())
                self.assertNotIn("app failed", serval.log())
                self.assertEqual(0, serval.stop())
                self.assertEqual(1, len(serval.access()), serval.access())

    def test_one_that_ends_itself_in_handle(self):
        """exit(3) runs what the worker has registered for its own end, and the child has the connections, too."""
        for how in "exit", "exec":
            with self.subTest(how=how):
                serval = self.serve("handle", how)
                workers = serval.workers()
                with serval.client() as client:
                    for _ in range(3):
                        self.assertEqual(client.get("/").body, b"of the parent\n")
                with open(self.children, encoding="utf-8") as file:
                    self.assertEqual(file.read(), "handle 7\n" * 3)
                self.assertEqual(serval.workers(), workers)
                self.assertEqual(serval.get().status, 200)
                self.assertEqual(0, serval.stop())
                self.assertNotIn(CAME_BACK, serval.log())
                self.assertNotRegex(serval.log(), " (warning|error) ")
                self.assertEqual(4, len(serval.access()), serval.access())

    def test_out_of_what_runs_before_and_after_requests(self):
        for where in "preload", "worker_start", "ready":
            with self.subTest(where=where):
                serval = self.serve(where)
                self.expect_ended(serval, where)
                self.assertEqual(200, serval.get().status)
                self.assertEqual(0, serval.stop())
        for where in "worker_stop", "destroy":
            with self.subTest(where=where):
                serval = self.serve(where)
                self.assertEqual(0, serval.stop())
                self.expect_ended(serval, where)

    def test_out_of_release(self):
        serval = self.serve("release")
        self.assertEqual(200, serval.get().status)
        self.expect_ended(serval, "release")
        self.assertEqual(200, serval.get().status)
