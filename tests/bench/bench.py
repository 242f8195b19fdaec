"""One run of the suite: where the programs are, how long to measure, and everything that has to end with it."""

import contextlib
import glob
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CPUS = len(os.sched_getaffinity(0))


class Missing(Exception):
    """Something that a scenario cannot do without is not there; it is left out, and the report says why."""


class Bench(contextlib.ExitStack):
    def __init__(self, options):
        super().__init__()
        self.program = os.path.abspath(options.serval)
        self.examples = os.path.abspath(options.examples)
        self.seconds = options.seconds
        self.rounds = options.rounds
        self.record = options.record
        self.version = subprocess.run([self.program, "version"], capture_output=True, text=True, check=True).stdout.split()[-1]
        self.folder = tempfile.mkdtemp(prefix="serval-bench-")
        self.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self._made = 0

    def path(self, name):
        """Of a new file or folder that ends with the suite."""
        self._made += 1
        return os.path.join(self.folder, f"{self._made}-{name}")

    def library(self, name):
        found = glob.glob(f"{self.examples}/**/lib{name}.so", recursive=True)
        if not found:
            raise Missing(f"there is no lib{name}.so below {self.examples}")
        return found[0]

    def part(self, name):
        """A program of serval's own parts, built with it (CMakeLists.txt beside this file)."""
        program = os.path.join(os.path.dirname(os.path.dirname(self.program)), "tests", "bench", name)
        if not os.access(program, os.X_OK):
            raise Missing(f"there is no {program}")
        return program

    def tool(self, name):
        found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if not found:
            raise Missing(f"{name} is not installed")
        return found

    def has(self, name):
        try:
            return bool(self.tool(name))
        except Missing:
            return False

    def compiled(self, name, flags=()):
        """The program (or with such flags, library) made of the one file name.c beside this one."""
        program = os.path.join(self.folder, name)
        if not os.path.exists(program):
            subprocess.run([self.tool("cc"), "-O2", *flags, "-o", program, os.path.join(HERE, name + ".c")], check=True)
        return program

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    def interleaved(self, measures, rounds=None):
        """Calls the functions of a dict one after the other, again and again: what disturbs the machine for a while disturbs all of them."""
        results = {name: [] for name in measures}
        for turn in range(rounds or self.rounds):
            for name, measure in measures.items():
                self.say(f"  round {turn + 1}: {name}")
                results[name].append(measure())
        return results
