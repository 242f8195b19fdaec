"""Apps that cannot be loaded or do not boot: one clear line, exit code 1, and nothing left behind."""

import os
import re
import unittest

from serval_process import ServalTest, library


class BrokenApps(ServalTest):
    def fails(self, app, pattern, config=None, app_args=None, code=1):
        """`serval run` ends with `code` after exactly one error line, which matches `pattern`; its socket file is gone."""
        socket = self.path(f"app{len(self.started)}.sock")
        config = {"server": {"bind": ["127.0.0.1:0", "unix:" + socket]}, **(config or {})}
        serval = self.launch_config(app, config, app_args=app_args)
        self.assertEqual(serval.wait(), code)
        errors = [line for line in serval.log().splitlines() if re.search(r"Z error |^serval: ", line)]
        self.assertEqual(len(errors), 1, serval.log())
        self.assertRegex(errors[0], pattern)
        self.assertFalse(os.path.exists(socket), "the socket file was left behind")
        return serval

    # Loading

    def test_a_missing_file(self):
        self.fails(self.path("libmissing.so"), r"libmissing\.so.*[Nn]o such file")

    def test_not_a_library(self):
        self.fails(self.write("libtext.so", "this is text\n"), r"libtext\.so.*(invalid ELF header|file too short|not a)")

    def test_without_the_symbol(self):
        self.fails("no_symbol", r"serval_app_main")

    def test_an_unresolved_symbol(self):
        self.fails("unresolved", r"function_that_nobody_defines")

    def test_another_abi(self):
        self.fails("wrong_abi", r"ABI.*\b99\b")

    def test_no_table(self):
        self.fails("no_table", r"serval_app_main")

    # Preloading, in the mold

    def test_throwing_preload(self):
        self.fails("faulty", r"preload", app_args=["preload=throw"])

    def test_crashing_preload(self):
        self.fails("faulty", r"(SIGSEGV|SIGABRT|signal)", app_args=["preload=crash"])

    def test_preload_that_starts_a_thread(self):
        self.fails("faulty", r"thread.*\(\d+\)", app_args=["preload=thread"])

    def test_hanging_preload(self):
        self.fails("faulty", r"boot_timeout|1s", {"workers": {"boot_timeout": "1s", "count": 2}}, ["preload=hang"])

    def test_slow_preload_is_waited_for(self):
        self.assertEqual(self.start("faulty", app_args=["preload=slow:1500"]).get().status, 200)

    # Starting, in each worker

    def test_throwing_start(self):
        self.fails("faulty", r"worker_start|start", {"workers": {"count": 1}}, ["start=throw"])

    def test_crashing_start(self):
        self.fails("faulty", r"(SIGSEGV|SIGABRT|signal)", {"workers": {"count": 1}}, ["start=crash"])

    def test_hanging_start(self):
        self.fails("faulty", r"boot_timeout|1s", {"workers": {"boot_timeout": "1s", "count": 1}}, ["start=hang"])

    def test_never_ready(self):
        self.fails("faulty", r"ready", {"workers": {"boot_timeout": "1s", "count": 1}}, ["ready=no"])

    def test_slow_start_and_threads_of_a_worker_are_fine(self):
        self.assertEqual(self.start("faulty", app_args=["start=slow:500"]).get().status, 200)
        self.assertEqual(self.start("faulty", app_args=["start=thread"]).get().status, 200)

    def test_ready_later(self):
        self.assertEqual(self.start("faulty", app_args=["ready=after:500"]).get().status, 200)

    # `serval check` finds the same without serving

    def test_check_loads_the_app(self):
        for app, pattern in (("hello", None), ("no_symbol", "serval_app_main"), ("wrong_abi", "ABI")):
            with self.subTest(app):
                file = self.write(f"check-{app}.toml", f'[app]\nlibrary = "{library(app)}"\n')
                code, out, err = self.run_command("check", "-c", file)
                self.assertEqual(code, 0 if pattern is None else 78, out + err)
                if pattern:
                    self.assertRegex(out + err, pattern)


if __name__ == "__main__":
    unittest.main()
