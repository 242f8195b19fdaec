"""The scripts in packaging/ refuse what they do not know, and say how far a long step has come."""

import os
import subprocess
import unittest

from http_client import wait_until
from serval_process import ServalTest

PACKAGING = os.path.join(os.environ.get("SERVAL_SOURCE", ""), "packaging")


@unittest.skipUnless("SERVAL_SOURCE" in os.environ, "SERVAL_SOURCE does not say where packaging/ is")
class Packaging(ServalTest):
    def test_what_is_not_known_is_refused(self):
        for script, *words in (("setup", "bogus"), ("setup", "build", "test"), ("check", "--bogus"), ("try", "--bogus"), ("bundle",), ("bundle", "folder")):
            with self.subTest(script=script, words=words):
                done = subprocess.run([os.path.join(PACKAGING, script), *words], capture_output=True, text=True)
                self.assertEqual(done.returncode, 64, done)
                self.assertIn(f"usage: packaging/{script}", done.stdout + done.stderr)

    def step(self, script):
        """Starts a step of this shell script; what the step prints comes into a file."""
        out = self.path("out")
        with open(out, "wb") as file:
            process = subprocess.Popen(["sh", "-euc", f'. "{PACKAGING}/steps.sh"; step building sh -c \'{script}\''], stdout=file, stderr=subprocess.STDOUT,
                                       cwd=self.folder, env={**os.environ, "progress_every": "0.05"})
        self.addCleanup(process.wait)

        def printed():
            with open(out, encoding="utf-8") as file:
                return file.read()

        return process, printed

    def test_a_long_step_shows_its_progress(self):
        go_on = "while ! [ -e two ]; do sleep 0.02; done; echo \"[ 30/40] Linking\"; while ! [ -e three ]; do sleep 0.02; done"
        process, printed = self.step("echo [0/40] Scanning; while ! [ -e one ]; do sleep 0.02; done; echo \"[10/40] Compiling 7/8\"; " + go_on)
        for mark, expected in (("one", " 0%"), ("two", " 25%"), ("three", " 75%")):
            wait_until(lambda: expected in printed(), f"progress of {expected}")
            self.write(mark, "")
        self.assertEqual(process.wait(), 0)
        self.assertRegex(printed(), r"^building \.\.\.( \d+%)+ done\n$")

    def test_a_step_that_counts_nothing_prints_dots(self):
        process, printed = self.step("echo thinking; while ! [ -e end ]; do sleep 0.02; done")
        wait_until(lambda: " . ." in printed(), "two dots")
        self.write("end", "")
        self.assertEqual(process.wait(), 0)
        self.assertRegex(printed(), r"^building \.\.\.( \.)+ done\n$")

    def test_a_step_that_fails_shows_everything_it_said(self):
        process, printed = self.step("echo no such thing; exit 3")
        self.assertEqual(process.wait(), 3)
        self.assertRegex(printed(), r"^building \.\.\.( \.)* FAILED \(exit 3\): .*\nno such thing\n$")


if __name__ == "__main__":
    unittest.main()
