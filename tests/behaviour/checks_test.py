"""`serval check` tries what a start would refuse, without a trace."""

import os
import socket
import subprocess
import sys
import unittest

from http_client import wait_until
from serval_process import SERVAL, ServalTest, library, toml

STRANGER = 65534


class Checks(ServalTest):
    def check(self, tables):
        config = {"app": {"library": library("hello")}, **tables}
        return self.run_command("check", "-c", self.write("serval.toml", toml(config)))

    def test_what_run_refuses(self):
        self.write("file", "no folder")
        os.mkfifo(self.path("pipe"))
        os.symlink(self.path("nothing"), self.path("dangling"))
        os.symlink("nowhere/x.log", self.path("astray"))
        os.symlink("circle", self.path("circle"))
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(self.path("socket"))
        nowhere, file = self.path("nowhere"), self.path("file")
        cases = [
            ({"log": {"file": f"{nowhere}/x.log"}}, r"log\.file: the folder \S+/nowhere: No such file"),
            ({"log": {"access": f"{file}/x.log"}}, r"log\.access: \S+: Not a directory"),
            ({"log": {"access": self.folder}}, r"log\.access: \S+: Is a directory"),
            ({"server": {"pidfile": f"{nowhere}/x.pid"}}, r"server\.pidfile: .*No such file"),
            ({"server": {"user": "no-such-user"}}, r'server\.user: there is no user "no-such-user"'),
            ({"server": {"group": "no-such-group"}}, r"server\.group: .*no-such-group"),
            ({"server": {"user": "no-such-user", "group": "no-such-group"}}, r"server\.group: .*no-such-group[^\n]*\n.*server\.user: .*no-such-user"),
            ({"server": {"pidfile": self.folder}}, r"server\.pidfile: \S+: Is a directory"),
            ({"server": {"pidfile": self.path("pipe")}}, r"server\.pidfile: \S+pipe is no regular file"),
            ({"server": {"pidfile": self.path("dangling")}}, r"server\.pidfile: \S+dangling is a symbolic link that leads nowhere"),
            ({"server": {"pidfile": self.path("circle")}}, r"server\.pidfile: \S+circle: Too many levels of symbolic links"),
            ({"log": {"file": self.path("astray")}}, r"log\.file: the folder \S+/nowhere: No such file"),
            ({"log": {"access": self.path("astray")}}, r"log\.access: the folder \S+/nowhere: No such file"),
            ({"log": {"file": self.path("circle")}}, r"log\.file: \S+circle: Too many levels of symbolic links"),
            ({"log": {"file": self.path("socket")}}, r"log\.file: \S+socket: No such device or address"),
            ({"control": {"socket": self.path("dangling")}}, r"control\.socket: \S+ exists and is no socket"),
            ({"server": {"bind": [f"unix:{self.path('dangling')}"]}}, r"server\.bind unix:.*dangling exists and is no socket"),
            ({"log": {"file": self.folder + "/"}}, r"log\.file: \S+: Is a directory"),
            ({"control": {"socket": self.folder}}, r"control\.socket: \S+ exists and is no socket"),
            ({"server": {"bind": [f"unix:{nowhere}/x.sock"]}}, r"server\.bind unix:\S+: the folder \S+/nowhere: No such file"),
            ({"server": {"bind": [f"unix:{file}"]}}, r"server\.bind unix:\S+ exists and is no socket|server\.bind .*exists and is no socket"),
            ({"server": {"bind": [f"unix:{self.path('x.sock')}?group=no-such-group"]}}, r"server\.bind .*no-such-group"),
            ({"server": {"bind": ["192.0.2.1:80"]}}, r"server\.bind 192\.0\.2\.1:80: .*no interface of this machine has it"),
            ({"control": {"socket": f"{nowhere}/x.sock"}}, r"control\.socket: the folder \S+/nowhere: No such file"),
        ]
        for tables, said in cases:
            with self.subTest(tables):
                before = sorted(os.listdir(self.folder))
                code, out, err = self.check(tables)
                self.assertEqual(code, 78, out + err)
                self.assertRegex(err, said)
                after = [name for name in os.listdir(self.folder) if name != "serval.toml" and not name.startswith("run")]
                self.assertEqual(sorted(after), [name for name in before if name != "serval.toml" and not name.startswith("run")])
                bound = {"server": {"bind": ["127.0.0.1:0"]}}
                for table, keys in tables.items():
                    bound.setdefault(table, {}).update(keys)
                serval = self.launch_config(config=bound)
                self.assertNotEqual(serval.wait(), 0, "run takes it")

    def test_an_admin_address_that_cannot_be_had(self):
        for bind, said in (("192.0.2.1:9464", r"admin\.bind 192\.0\.2\.1:9464: .*no interface of this machine has it"),
                           (f"unix:{self.path('nowhere/x.sock')}", r"admin\.bind unix:\S+: the folder \S+/nowhere: No such file")):
            with self.subTest(bind):
                code, out, err = self.run_command("check", "-c", self.write("serval.toml", toml({"app": {"library": library("hello")}})),
                                                  env={"SERVAL_ADMIN_BIND": bind})
                self.assertEqual(code, 78, out + err)
                self.assertRegex(err, said)

    def test_a_start_with_an_account_that_nobody_knows_is_a_wrong_configuration(self):
        for server, said in (({"user": "no-such-user"}, r'server\.user: there is no user "no-such-user"'),
                             ({"group": "no-such-group"}, r'server\.group: there is no group "no-such-group"'),
                             ({"bind": ["unix:x.sock?user=no-such-user"]}, r"server\.bind unix:\S+: there is no user")):
            with self.subTest(server):
                serval = self.launch_config(config={"server": server})
                self.assertEqual(serval.wait(), 78, serval.log())
                self.assertRegex(serval.log(), said)
                self.assertNotIn("starting", serval.log())

    def test_a_log_behind_a_link_is_made_where_the_link_leads(self):
        os.mkdir(self.path("logs"))
        os.symlink("logs/new.log", self.path("link.log"))
        config = {"log": {"file": self.path("link.log")}}
        code, _, err = self.check(config)
        self.assertEqual(code, 0, err)
        self.launch_config(config={**config, "server": {"bind": ["127.0.0.1:0"]}})
        wait_until(lambda: os.path.exists(self.path("logs/new.log")), "the file at the end of the link")

    def test_all_at_once_and_nothing_for_a_good_one(self):
        code, _, err = self.check({"log": {"file": "/nowhere/a", "access": "/nowhere/b"}, "server": {"pidfile": "/nowhere/c"}})
        self.assertEqual(code, 78)
        self.assertEqual(err.count("/nowhere"), 3, err)
        good = {"log": {"file": self.path("a.log")}, "server": {"pidfile": self.path("c.pid"), "bind": ["127.0.0.1:0", f"unix:{self.path('d.sock')}"]}}
        code, out, err = self.check(good)
        self.assertEqual(code, 0, err)
        self.assertFalse({"a.log", "c.pid", "d.sock"} & set(os.listdir(self.folder)))
        self.start(config={"server": good["server"], "control": {"socket": self.path("e.sock")}})
        code, out, err = self.check({**good, "control": {"socket": self.path("e.sock")}})
        self.assertEqual(code, 0, "a server that runs with this configuration is no obstacle: " + err)

    @unittest.skipIf(os.geteuid() != 0, "only root can be somebody else")
    def test_the_rights_are_those_of_whoever_checks(self):
        os.chmod(self.folder, 0o755)
        os.mkdir(self.path("log"), 0o755)
        file = self.write("serval.toml", toml({"app": {"library": library("hello")}, "server": {"user": "root"},
                                               "log": {"file": self.path("log/x.log")}}))
        command = [sys.executable, "-c", f"import os; os.setgid({STRANGER}); os.setuid({STRANGER}); "
                                         f"os.execv({SERVAL!r}, ['serval', 'check', '-c', {file!r}])"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=30)
        self.assertEqual(result.returncode, 78, result.stdout + result.stderr)
        self.assertRegex(result.stderr, r"log\.file: the folder \S+/log: Permission denied")
        self.assertRegex(result.stderr, r"server\.user: only root can become another user")


if __name__ == "__main__":
    unittest.main()
