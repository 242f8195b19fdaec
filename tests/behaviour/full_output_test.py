"""What a command prints is its result: one that cannot write it fails and says why."""

import os
import subprocess
import unittest

from serval_process import SERVAL, ServalTest, library, toml

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("SERVAL_")}  # those are the tests'


class FullOutput(ServalTest):
    def run_into(self, output, *args):
        with open(output, "w") as out:
            ended = subprocess.run([SERVAL, *args], cwd=self.folder, stdout=out, stderr=subprocess.PIPE, text=True, timeout=60, env=ENVIRONMENT)
        return ended.returncode, ended.stderr

    def test_every_command_that_prints_says_that_it_could_not(self):
        self.start(config={"workers": {"count": 1}})
        config = self.write("serval.toml", toml({"app": {"library": library("hello")}}))
        template = self.write("page", "a line\n" * 10_000)  # more than a stream keeps back
        socket = ("--socket", self.path("control0.sock"))
        commands = [
            ("version",), ("help",), ("help", "signals"), ("status", "--help"), ("document", "sample"), ("document", "man", template),
            ("config", "-c", config), ("check", "-c", config), ("status", *socket), ("status", "--json", *socket), ("stacks", *socket),
            ("scale", "1", *socket), ("healthcheck", *socket),
        ]
        for command in commands:
            with self.subTest(command):
                self.assertEqual(self.run_into("/dev/full", *command), (1, f"serval {command[0]}: standard output: No space left on device\n"))
                code, err = self.run_into(os.devnull, *command)
                self.assertEqual((code, err), (0, ""))

    def test_a_command_that_failed_anyway_keeps_its_code(self):
        self.assertEqual(self.run_into("/dev/full", "dance")[0], 64)


if __name__ == "__main__":
    unittest.main()
