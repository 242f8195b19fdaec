"""A library that is overwritten in place: the crash that follows says what was done, and what does not load is not loaded again and again."""

import os
import re
import unittest

from http_client import Closed, wait_until
from reloads import ReloadTest
from serval_process import library


class OverwrittenLibrary(ReloadTest):
    def overwrite(self, content):
        """As cp(1) does it: the same file, another content."""
        with open(self.path("app.so"), "r+b") as file:
            file.write(content)

    def crash(self, serval):
        try:
            serval.get("/crash")
        except (Closed, ConnectionResetError, ConnectionRefusedError):
            pass

    def test_the_crash_names_it(self):
        serval = self.start_replaceable()
        self.crash(serval)
        serval.expect_log("worker crashed")
        self.assertNotIn("overwritten", serval.log())
        with open(library("faulty"), "rb") as file:
            self.overwrite(file.read(4096))  # with what is there already: nobody crashes of that
        wait_until(lambda: len(serval.workers()) == 2, "two workers")
        self.crash(serval)
        serval.expect_log(r'worker crashed .*overwritten="\S*app\.so was written into after it had been loaded; deploy by mv or install')

    def test_a_replaced_one_is_another_matter(self):
        serval = self.start_replaceable()
        self.replace_library("faulty")
        self.crash(serval)
        serval.expect_log("worker crashed")
        self.assertNotIn("overwritten", serval.log())

    def test_one_that_does_not_load_is_tried_once(self):
        serval = self.start_replaceable(restart={"backoff_first": "1ms", "backoff_max": "1ms"})
        self.write("new.so", b"no library at all")
        self.rename("new.so", "app.so")
        for _ in range(30):
            self.crash(serval)
        serval.expect_log("loading it anew")
        serval.expect_log("reload failed")
        for _ in range(30):
            self.crash(serval)
        wait_until(lambda: self.says_hello(serval), "a worker of the old library")
        self.assertEqual(len(re.findall("loading it anew", serval.log())), 1)
        self.write("new.so", b"nor this one")
        self.rename("new.so", "app.so")
        wait_until(lambda: self.crash(serval) or serval.log().count("loading it anew") == 2, "another try with another file")

    def rename(self, old, new):
        os.rename(self.path(old), self.path(new))

    def says_hello(self, serval):
        try:
            return serval.get("/").status == 200
        except (Closed, ConnectionResetError, ConnectionRefusedError):
            return False


if __name__ == "__main__":
    unittest.main()
