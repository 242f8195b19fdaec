"""`serval profile`: where the app's time goes, by samples of its threads; what is written, what it leaves, and what it refuses."""

import glob
import gzip
import json
import os
import signal
import subprocess
import unittest
import xml.etree.ElementTree

from http_client import wait_until
from serval_process import SERVAL, ServalTest


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def fields(data):
    """(number, value) of a protobuf message; a value is a number, or bytes."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == 2:
            yield key >> 3, data[at : at + value]
            at += value
        else:
            yield key >> 3, value


class Profile(ServalTest):
    def start(self, **workers):
        return super().start("faulty", {"workers": {"count": 1, "threads": 3, **workers}, "request": {"timeout": "0"}, "shutdown": {"grace": "100ms"}})

    def arguments(self, *words):
        return ["profile", "--socket", self.path("control0.sock"), *words]

    def profile(self, *words, code=0):
        got, out, err = self.run_command(*self.arguments(*words))
        self.assertEqual(got, code, (out, err))
        return out, err

    def ask(self, serval, target):
        client = serval.client()
        self.addCleanup(client.close)
        client.send(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return client

    def busy(self, serval, *targets):
        clients = [self.ask(serval, target) for target in targets]
        wait_until(lambda: self.running() == len(targets), "the requests are in progress")
        return clients

    def running(self):
        _, out, _ = self.run_command("status", "--json", "--socket", self.path("control0.sock"))
        return sum(worker["running"] for worker in json.loads(out)["workers"])

    def turns_of_sampler(self, worker):
        """How often the thread that takes samples has slept until its next turn."""
        for task in glob.glob(f"/proc/{worker}/task/*/status"):
            with open(task, encoding="utf-8") as file:
                lines = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
            if lines["Name"] == "profiler":
                return int(lines["voluntary_ctxt_switches"])
        return 0

    def folded(self, *words):
        """{stack: samples}"""
        file = self.path("out.folded")
        self.profile("--seconds", "1", "-o", file, *words)
        with open(file, encoding="utf-8") as lines:
            return {stack: int(count) for stack, count in (line.rstrip("\n").rsplit(" ", 1) for line in lines)}

    def share(self, stacks, function):
        return sum(count for stack, count in stacks.items() if function in stack) / sum(stacks.values())

    def test_wall_time_counts_handlers_that_wait_and_cpu_time_does_not(self):
        serval = self.start()
        self.busy(serval, "/spin?ms=60000", "/sleep?ms=60000")
        wall = self.folded()
        self.assertGreater(self.share(wall, "::spin("), 0.2, wall)
        self.assertGreater(self.share(wall, "::sleep("), 0.2, wall)
        self.assertFalse([stack for stack in wall if "serval::worker" in stack], "serval's own frames are cut off")
        cpu = self.folded("--cpu")
        self.assertGreater(self.share(cpu, "::spin("), 0.8, cpu)
        self.assertLess(self.share(cpu, "::sleep("), 0.1, cpu)
        self.assertTrue([stack for stack in self.folded("--all") if "serval::worker" in stack])

    def test_the_files_are_what_their_endings_say(self):
        serval = self.start()
        self.busy(serval, "/spin?ms=60000")
        svg, html, pprof = self.path("a.svg"), self.path("a.html"), self.path("a.pb.gz")
        _, err = self.profile("--seconds", "1", "-o", svg)
        self.assertRegex(err, r"\d+ samples of wall time of 1 worker at 100 Hz.*it cost the workers .* of CPU time")
        root = xml.etree.ElementTree.parse(svg).getroot()
        self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
        titles = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")]
        self.assertTrue([title for title in titles if "spin(" in title], titles)

        self.profile("--seconds", "1", "-o", html)
        with open(html, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("spin(", text)
        self.assertNotRegex(text, r"(src|href|url)\s*[=(]")

        self.profile("--seconds", "1", "--cpu", "--hz", "200", "-o", pprof)
        with gzip.open(pprof) as file:
            message = list(fields(file.read()))
        strings = [value.decode() for number, value in message if number == 6]
        self.assertTrue([text for text in strings if "spin(" in text], strings)
        self.assertIn(5_000_000, [value for number, value in message if number == 12])
        self.assertTrue([value for number, value in message if number == 2])

        out, _ = self.profile("--seconds", "1")
        self.assertRegex(out, r"(?m)^ *\d+\.\d %  +\d+\.\d %  .*spin\(")

    def test_what_cannot_be_is_refused(self):
        serval = self.start()
        self.assertIn("no request was in progress", self.profile("--seconds", "1", "-o", self.path("a.svg"), code=1)[1])
        self.assertFalse(os.path.exists(self.path("a.svg")))
        self.assertIn("no worker in slot 7", self.profile("7", code=1)[1])
        self.assertIn("says no format", self.profile("-o", self.path("a.png"), code=64)[1])
        self.assertIn("is not a number from 1 to 1000", self.profile("--hz", "5000", code=64)[1])
        self.assertIn("for example --seconds 30", self.profile("--seconds", "0", code=64)[1])
        self.assertIn("cannot write", self.profile("-o", self.path("nowhere/a.svg"), code=73)[1])
        serval.stop()
        self.assertIn("no server", self.profile(code=69)[1])

    def test_one_at_a_time_and_a_client_that_goes_ends_it(self):
        serval = self.start()
        self.busy(serval, "/spin?ms=60000")
        worker = serval.workers()[0]

        def threads():
            return set(os.listdir(f"/proc/{worker}/task"))

        def files():
            return sorted(os.listdir(f"/proc/{worker}/fd"))

        before = (threads(), files())
        with subprocess.Popen([SERVAL, *self.arguments("--seconds", "600")], stderr=subprocess.DEVNULL) as first:
            wait_until(lambda: threads() > before[0], "the worker has a thread more")
            self.assertIn("worker 0 is being profiled already", self.profile("--seconds", "1", code=1)[1])
            first.send_signal(signal.SIGTERM)
        wait_until(lambda: (threads(), files()) == before, "the worker has what it had before")
        with open(f"/proc/{worker}/maps", encoding="utf-8") as maps:
            self.assertNotIn("serval-profile", maps.read())
        self.profile("--seconds", "1")

    def test_a_worker_that_dies_leaves_what_it_has(self):
        serval = self.start()
        self.busy(serval, "/spin?ms=60000")
        worker = serval.workers()[0]
        file = self.path("out.folded")
        with subprocess.Popen([SERVAL, *self.arguments("--seconds", "600", "-o", file)], stderr=subprocess.DEVNULL) as client:
            wait_until(lambda: self.turns_of_sampler(worker) > 30, "the worker has taken samples")
            os.kill(worker, signal.SIGKILL)
            self.assertEqual(client.wait(60), 0)
        with open(file, encoding="utf-8") as lines:
            self.assertIn("spin(", lines.read())


if __name__ == "__main__":
    unittest.main()
