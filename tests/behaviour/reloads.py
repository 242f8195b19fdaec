"""What tests of reloads share: an app and a configuration that can be replaced, and phases of a reload that last as long as a test wants."""

import os
import re
import shutil

import process_tree
from http_client import wait_until
from serval_process import ServalTest, library


class ReloadTest(ServalTest):
    def start_replaceable(self, name="faulty", **config):
        """An app whose library the test can replace."""
        shutil.copy(library(name), self.path("app.so"))
        return self.start(app=self.path("app.so"), config=config)

    def replace_library(self, app):
        shutil.copy(library(app), self.path("new.so"))
        os.rename(self.path("new.so"), self.path("app.so"))

    def change_config(self, old, new):
        path = self.path("serval0.toml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(old, text)
        self.write("serval0.toml", text.replace(old, new))

    def command(self, *words):
        return self.run_command(*words, "-c", self.path("serval0.toml"))

    # The next generation's probe waits at gates, so each phase of a reload is held while the test looks, and kills

    def start_gated(self, **config):
        """A probe; the next generation of it stands at gates while it preloads and in each worker's start, see open_gate and let_one_in."""
        os.mkdir(self.path("gates"))
        config.setdefault("app", {})["args"] = ["gates=" + self.path("gates")]
        serval = self.start(app="probe", config=config)
        gates = [f"{kind}_gate={self.path('gates/' + kind)}" for kind in ("preload", "start")]
        self.change_config('args = ["', "args = [" + "".join(f'"{gate}", ' for gate in gates) + '"')
        return serval

    def let_one_in(self, name):
        self.write(f"gates/{name}.once", "")

    def entered(self, name):
        """The pids that have come to a gate, in their order."""
        try:
            with open(self.path(f"gates/{name}.entered"), encoding="ascii") as file:
                return [int(line) for line in file.read().split()]
        except FileNotFoundError:
            return []

    def reload_until(self, phase):
        """Begins a reload and holds it: while it is `loading`, its `canary` starts, or it is `rolling` and the second new worker starts. Returns the
        command."""
        command = self.launch("reload", "-c", self.path("serval0.toml"))
        wait_until(lambda: self.entered("preload"), "the preload of the next generation")
        if phase in ("canary", "rolling"):
            self.open_gate("preload")
            wait_until(lambda: self.entered("start"), "the canary")
        if phase == "rolling":
            self.let_one_in("start")
            wait_until(lambda: len(self.entered("start")) >= 2, "the second worker of the next generation")
        return command

    def generations(self, serval, requests=8):
        """That answer on new connections."""
        return {int(serval.get("/generation").text) for _ in range(requests)}

    def processes(self, serval, title):
        """The pids of those whose titles match, the lowest first."""
        return [pid for pid in process_tree.descendants(serval.pid) if process_tree.alive(pid) and re.match(title, process_tree.title(pid))]
