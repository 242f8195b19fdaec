"""What [app] env says is in the environment of the app from the exec on, where the dynamic linker and the C library look for it."""

import os
import shutil
import unittest

import process_tree
from reloads import ReloadTest
from serval_process import library


class AppEnvironment(ReloadTest):
    def environment(self, pid):
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read().decode().split("\0")

    def maps(self, pid):
        with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
            return file.read()

    @unittest.skipIf("SERVAL_SANITIZED" in os.environ, "a sanitizer's library has to be loaded first")
    def test_the_dynamic_linker_sees_it(self):
        shutil.copy(library("hello"), self.path("libpreloaded.so"))
        serval = self.start(app="probe", config={"app": {"env": {"LD_PRELOAD": self.path("libpreloaded.so"), "GLIBC_TUNABLES": "glibc.malloc.arena_max=1"}}})
        for pid in (serval.mold(), *serval.workers().values()):
            self.assertIn("libpreloaded.so", self.maps(pid), process_tree.title(pid))
        self.assertNotIn("libpreloaded.so", self.maps(serval.pid))
        self.assertEqual(serval.get("/env?name=GLIBC_TUNABLES").text, "glibc.malloc.arena_max=1")
        with open(f"/proc/{serval.mold()}/cmdline", "rb") as file:
            self.assertNotIn(b"arena_max", file.read())

    def test_a_removed_one_is_gone_after_a_reload(self):
        serval = self.start(app="probe", config={"app": {"env": {"STAYS": "1", "GOES": "2"}}}, env={"OURS": "3"})
        self.change_config(', GOES = "2"', "")
        self.assertEqual(self.command("reload")[0], 0)
        for name, value in (("STAYS", "1"), ("GOES", ""), ("OURS", "3")):
            self.assertEqual(serval.get(f"/env?name={name}").text.strip(), value, name)

    def test_check_loads_the_app_with_it(self):
        shutil.copy(library("hello"), self.path("libapp.so"))
        file = self.write("x.toml", f'[app]\nlibrary = "{self.path("libapp.so")}"\nenv = {{ LD_PRELOAD = "{self.path("libnone.so")}" }}\n')
        code, out, err = self.run_command("check", "-c", file)
        self.assertEqual(code, 0, err)
        self.assertRegex(out + err, r"libnone\.so.*cannot be preloaded")


if __name__ == "__main__":
    unittest.main()
