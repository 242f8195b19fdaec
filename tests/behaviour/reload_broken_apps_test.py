"""A broken app, deployed ten times in a row, is refused ten times with the reason; nobody notices, and the master does not grow."""

import unittest

import process_tree
from http_client import wait_until
from load import Load
from reloads import ReloadTest

TIMES = 10


class BrokenReloads(ReloadTest):
    def reading(self, serval):
        """What must not grow."""
        targets = process_tree.fd_targets(serval.pid)
        return {"fds": len(targets), "memfds": sum("memfd:" in target for target in targets), "threads": process_tree.thread_count(serval.pid),
                "processes": len(process_tree.descendants(serval.pid))}

    def settled(self, serval, most=None):
        """The reading once all that a reload has left is gone, and nothing is more than in `most`. A descriptor or two may be on their way out,
        at the first reading too; what leaks with each reload is more than that."""
        last = {}

        def look():
            last["now"] = self.reading(serval)
            return last["now"]["processes"] == 3 and all(last["now"][key] <= (most or last["now"])[key] for key in last["now"]) and last["now"]

        return wait_until(look, lambda: f"{most or 'a mold and two workers'}; there are {last['now']}")

    def refuse(self, pattern, app="faulty", arg=None, **config):
        serval = self.start_replaceable(**config)
        if arg:
            self.change_config("[app]\n", f'[app]\nargs = ["{arg}"]\n')
        if app != "faulty":
            self.replace_library(app)
        with Load(serval, clients=3, target="/generation") as load:
            load.wait_for(10)
            before = None
            for _ in range(TIMES):
                code, out, err = self.command("reload")
                self.assertEqual((code, out), (1, ""), err)
                self.assertRegex(err, pattern)
                self.assertRegex(err, r"generation 1 goes on")
                before = before or self.settled(serval)  # the first one may open what stays
            self.settled(serval, most=before)
            load.wait_for(10)
        self.assertEqual(load.failures, [])
        self.assertEqual(self.generations(serval), {1})

    def test_without_the_symbol(self):
        self.refuse(r"serval_app_main", app="no_symbol")

    def test_an_unresolved_symbol(self):
        self.refuse(r"function_that_nobody_defines", app="unresolved")

    def test_a_crash_in_preload(self):
        self.refuse(r"SIGSEGV", arg="preload=crash")

    def test_a_crash_in_worker_start(self):
        self.refuse(r"SIGSEGV", arg="start=crash")

    def test_a_worker_start_that_never_returns(self):
        self.refuse(r"reload\.ready_timeout", arg="start=hang", reload={"ready_timeout": "200ms"})

    def test_an_app_that_is_never_ready(self):
        self.refuse(r"reload\.ready_timeout", arg="ready=no", reload={"ready_timeout": "200ms"})


if __name__ == "__main__":
    unittest.main()
