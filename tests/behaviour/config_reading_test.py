"""A configuration is read where its death and its waiting cost nothing: a reload of whatever file leaves the server as it was."""

import os
import signal
import unittest

from http_client import wait_until
from load import Load
from reloads import ReloadTest
from serval_process import library


class ConfigReading(ReloadTest):
    HOSTILE = {
        "a key without an end": "a." * 100_000 + "a = 1\n",
        "one in a table": "x = { " + "a." * 100_000 + "a = 1 }\n",
        "levels without an end": "x = " + "[" * 100_000,
        "too large": "# " + "x" * 2_000_000 + "\n",
        "letters outside of quotes": "libr\u00e1ry = 1\n",
        "no text": "\0" * 1000,
    }

    def test_a_reload_of_a_hostile_file_is_refused(self):
        serval = self.start_replaceable()
        with open(self.path("serval0.toml"), encoding="utf-8") as file:
            good = file.read()
        with Load(serval, clients=2) as load:
            for what, text in self.HOSTILE.items():
                with self.subTest(what):
                    self.write("serval0.toml", text)
                    code, _, err = self.run_command("reload", "--socket", self.path("control0.sock"))
                    self.assertEqual(code, 1, err)
                    self.assertRegex(err, r"(?s)error: .*generation 1 goes on")
                    self.assertLess(len(err), 2000)
            self.write("serval0.toml", good)
            self.assertEqual(self.command("reload")[0], 0)
        self.assertEqual(load.failures, [])

    def test_a_start_with_one_is_refused_as_well(self):
        for what, text in self.HOSTILE.items():
            file = self.write("hostile.toml", text)
            for command in ("run", "check", "config"):
                with self.subTest(f"{command}: {what}"):
                    code, out, err = self.run_command(command, "-c", file)
                    self.assertEqual(code, 78, out + err)
                    self.assertRegex(err, r"hostile\.toml.*: error: ")

    def test_a_file_that_nobody_writes_keeps_nobody_waiting(self):
        serval = self.start_replaceable()
        path = self.path("serval0.toml")
        os.rename(path, self.path("good"))
        os.mkfifo(path)
        writer = os.open(path, os.O_RDWR)  # a writer that says nothing
        try:
            command = self.launch("reload", "--socket", self.path("control0.sock"))
            wait_until(lambda: self.processes(serval, r".*serval.*read|.*exe read"), "the process that reads")
            for _ in range(20):
                self.assertEqual(serval.get("/").status, 200)
            code, _, err = self.run_command("status", "--socket", self.path("control0.sock"))
            self.assertEqual(code, 0, err)
            later = self.launch("reload", "--socket", self.path("control0.sock"))
            self.assertEqual(command.wait(), 1)
            self.assertRegex(command.log(), r"nothing has come for 5s")
            os.remove(path)
            os.rename(self.path("good"), path)
            self.assertIn(later.wait(), (0, 1))  # it may have opened the pipe before
            self.assertEqual(self.command("reload")[0], 0)
        finally:
            os.close(writer)

    def test_a_stop_meanwhile_is_at_once(self):
        serval = self.start_replaceable()
        path = self.path("serval0.toml")
        os.remove(path)
        os.mkfifo(path)
        writer = os.open(path, os.O_RDWR)
        try:
            serval.signal(signal.SIGHUP)
            wait_until(lambda: self.processes(serval, r".*serval.*read|.*exe read"), "the process that reads")
            serval.signal(signal.SIGTERM)
            self.assertEqual(serval.wait(4), 0)
            self.assertNotIn("left behind", serval.log())
        finally:
            os.close(writer)

    def test_a_reader_that_hangs_is_given_up(self):
        """As one does that waits for a disk which is gone."""
        serval = self.start_replaceable()
        path = self.path("serval0.toml")
        os.rename(path, self.path("good"))
        os.mkfifo(path)
        writer = os.open(path, os.O_RDWR)
        try:
            command = self.launch("reload", "--socket", self.path("control0.sock"))
            reader = wait_until(lambda: self.processes(serval, r".*serval.*read|.*exe read"), "the process that reads")[0]
            os.kill(reader, signal.SIGSTOP)
            self.assertEqual(command.wait(), 1)
            self.assertRegex(command.log(), r"has not been read within 10s.*generation 1 goes on")
            wait_until(lambda: not self.processes(serval, r".*serval.*read|.*exe read"), "its end")
            os.rename(self.path("good"), path)
            self.assertEqual(self.command("reload")[0], 0)
        finally:
            os.close(writer)

    def test_a_reader_that_dies_is_a_reload_that_is_refused(self):
        serval = self.start_replaceable()
        path = self.path("serval0.toml")
        os.rename(path, self.path("good"))
        os.mkfifo(path)
        writer = os.open(path, os.O_RDWR)
        try:
            command = self.launch("reload", "--socket", self.path("control0.sock"))
            reader = wait_until(lambda: self.processes(serval, r".*serval.*read|.*exe read"), "the process that reads")[0]
            os.kill(reader, signal.SIGSEGV)
            self.assertEqual(command.wait(), 1)
            self.assertRegex(command.log(), r"the process that read the configuration ended: .*SIGSEGV.*generation 1 goes on")
            self.assertEqual(serval.get("/").status, 200)
        finally:
            os.close(writer)


class Releases(ReloadTest):
    """A link leads to the release that is served: `ln -sfn releases/2 current; serval reload`."""

    def setUp(self):
        super().setUp()
        for number in (1, 2):
            os.makedirs(self.path(f"releases/{number}"))
            os.symlink(library("hello"), self.path(f"releases/{number}/libshop{number}.so"))
            self.write(f"releases/{number}/serval.toml", f'[app]\nlibrary = "libshop{number}.so"\n[server]\nname = "shop"\nbind = ["127.0.0.1:0"]\n'
                                                         f'[workers]\ncount = 1\n[control]\nsocket = "{self.path("control.sock")}"\n')
        self.switch(1)

    def switch(self, number):
        os.symlink(f"releases/{number}", self.path("next"))
        os.rename(self.path("next"), self.path("current"))

    def here(self, *words):
        """As a shell does it: cd current && serval ..."""
        return self.launch(*words, prefix=("sh", "-c", f'cd {self.path("current")} && exec "$@"', "sh"))

    def test_the_folder_is_looked_up_anew_and_the_file_named(self):
        serval = self.here("run").wait_serving()
        self.switch(2)
        reload = self.here("reload")
        self.assertEqual(reload.wait(), 0, reload.log())
        text = "\n".join(reload.access())
        one, two = (os.path.realpath(self.path(f"releases/{number}/serval.toml")) for number in (1, 2))
        self.assertIn(f"configuration: {two} instead of {one}", text)
        self.assertIn("libshop2.so", text)
        serval.expect_log(rf"configuration read file={two}")
        self.assertRegex(serval.log(), rf"configuration read file={one}")
        with open(two, "a", encoding="utf-8") as file:
            file.write("broken\n")
        serval.signal(signal.SIGHUP)
        serval.expect_log(rf"reload refused, nothing has changed .*file={two}")

    def test_also_after_an_upgrade(self):
        serval = self.here("run").wait_serving()
        self.switch(2)
        upgrade = self.here("upgrade")
        self.assertEqual(upgrade.wait(), 0, upgrade.log())
        reload = self.here("reload")
        self.assertEqual(reload.wait(), 0, reload.log())
        self.assertIn("libshop2.so", "\n".join(reload.access()))
        serval.expect_log(r"configuration read file=\S*releases/2/serval\.toml")

    def test_a_pwd_that_lies_is_not_believed(self):
        code, out, err = self.run_command("config", "-c", "releases/1/serval.toml", env={"PWD": "/tmp"})
        self.assertEqual(code, 78, out + err)  # relative to the folder of this command, where it is not
        serval = self.launch("config", env={"PWD": self.path("current")}, prefix=("env", "-C", self.path("releases/2")))
        self.assertEqual(serval.wait(), 0)
        self.assertIn("libshop2.so", "\n".join(serval.access()))


if __name__ == "__main__":
    unittest.main()
