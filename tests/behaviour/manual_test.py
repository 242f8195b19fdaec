"""The manual pages are right by the checkers of manual pages: no macro is taken for a word, nor a word for a macro."""

import os
import shutil
import subprocess
import unittest

from serval_process import SERVAL, ServalTest

MAN = os.path.join(os.environ.get("SERVAL_SOURCE", ""), "man")


@unittest.skipUnless("SERVAL_SOURCE" in os.environ, "SERVAL_SOURCE does not say where man/ is")
class Manual(ServalTest):
    def pages(self):
        for name in ("serval.1", "serval.toml.5"):
            done = subprocess.run([SERVAL, "document", "man", os.path.join(MAN, name + ".in")], capture_output=True, check=True)
            yield self.write(name, done.stdout)

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_mandoc_finds_nothing(self):
        for page in self.pages():
            self.assertEqual(subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True).stdout, "")

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_groff_warns_of_nothing(self):
        for page in self.pages():
            done = subprocess.run(["groff", "-mandoc", "-Tutf8", "-ww", page], capture_output=True, text=True)
            self.assertEqual(done.stderr, "")
            self.assertIn("serval", done.stdout)


if __name__ == "__main__":
    unittest.main()
