"""serval list: which servers of this machine there are, also those that hang, and those that the caller may not ask."""

import json
import os
import pwd
import signal
import socket
import stat
import subprocess
import unittest

from http_client import wait_until
from programs import ProgramsTest
from serval_process import SERVAL


class List(ProgramsTest):
    def listed(self, *pids):
        """{pid: row} of these servers; of others this machine may have any number."""
        code, out, err = self.run_command("list", "--json")
        self.assertEqual((code, err), (0, ""))
        rows = {row["pid"]: row for row in json.loads(out)["servers"]}
        return {pid: rows.get(pid) for pid in pids}

    def launch_named(self, name, programs, control=None):
        """One with its socket where sockets are by default, or at `control`."""
        tables = {"server": {"name": name}}
        if control is not None:
            tables["control"] = {"socket": control}
        text = self.tables(programs, tables)
        if control is None:
            text = text.replace(f"[control]\nsocket = \"{self.path('control0.sock')}\"\n", "")
        serval = self.launch_config(config=text)
        serval.expect_log(r"master .*: serving|programs are up|program ready")
        return serval

    def test_three_servers_and_five_programs(self):
        one = self.launch_named("one", {"a": {"command": self.puppet(), "count": 2}, "b": {"command": self.puppet()}})
        two = self.launch_named("two", {"c": {"command": self.puppet()}, "d": {"command": self.puppet("exit=0"), "restart": "on-failure"}},
                                control=self.path("elsewhere.sock"))
        three = self.launch_named("three", {"e": {"command": self.puppet("exit=3"), "restart": "never"}, "f": {"command": self.puppet()}}, control="off")
        pids = (one.pid, two.pid, three.pid)

        def settled():
            rows = self.listed(*pids)
            programs = {p["name"]: p for row in rows.values() if row and row["programs"] for p in row["programs"]}
            up = all(programs.get(name, {}).get("up") for name in "abcd")
            return rows if up else None

        rows = wait_until(settled, "all programs to be up")
        self.assertEqual([rows[pid]["name"] for pid in pids], ["one", "two", "three"])
        self.assertEqual({rows[pid]["user"] for pid in pids}, {pwd.getpwuid(os.geteuid()).pw_name})
        self.assertEqual(rows[one.pid]["state"], "serving")
        self.assertEqual(rows[one.pid]["config_file"], self.path("serval0.toml"))
        self.assertEqual(rows[one.pid]["socket"], self.path("serval-one.sock"))
        self.assertEqual(rows[two.pid]["socket"], self.path("elsewhere.sock"))
        self.assertEqual([(p["name"], p["wanted"], p["ready"], p["up"]) for p in rows[one.pid]["programs"]], [("a", 2, 2, True), ("b", 1, 1, True)])
        self.assertEqual(rows[two.pid]["programs"][1]["instances"], {"ended": 1})
        self.assertEqual(rows[three.pid]["problem"], "no control socket to ask it by")
        self.assertIsNone(rows[three.pid]["state"])
        code, out, _ = self.run_command("list")
        self.assertEqual(code, 0)
        self.assertRegex(out, rf"(?m)^one +{one.pid} \S+ +serving, up for ")
        for line in ("  a: 2 of 2 ready", "  d: done", "  " + self.path("serval0.toml")):
            self.assertIn(line, out.splitlines())

    def test_one_that_hangs_is_shown_and_holds_nobody_up(self):
        hung = self.launch_named("hung", {"a": {"command": self.puppet()}})
        fine = self.launch_named("fine", {"a": {"command": self.puppet()}})
        hung.signal(signal.SIGSTOP)
        try:
            rows = self.listed(hung.pid, fine.pid)
        finally:
            hung.signal(signal.SIGCONT)
        self.assertEqual(rows[hung.pid]["problem"], "does not answer")
        self.assertEqual(rows[hung.pid]["name"], "hung")
        self.assertIsNone(rows[fine.pid]["problem"])

    def test_stale_sockets_and_others_are_passed_over(self):
        serval = self.launch_named("gone", {"a": {"command": self.puppet()}})
        serval.signal(signal.SIGKILL)
        serval.wait()
        self.assertTrue(stat.S_ISSOCK(os.stat(self.path("serval-gone.sock")).st_mode))
        self.write("serval-file.sock", "")
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(self.path("serval-other.sock"))
            other.listen()
            code, out, _ = self.run_command("list", "--json")
        self.assertEqual(code, 0)
        for row in json.loads(out)["servers"]:
            self.assertNotIn(self.folder, str(row["socket"]))
        self.assertIsNone(self.listed(serval.pid)[serval.pid])

    @unittest.skipIf(os.geteuid() != 0, "becomes another user")
    def test_another_users_server_is_shown_as_far_as_its_process_tells(self):
        serval = self.launch_named("theirs", {"a": {"command": self.puppet()}})
        os.chmod(self.folder, 0o755)
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", SERVAL, "list", "--json"], cwd="/", capture_output=True,
                              env={"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": self.folder}, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        row = next(row for row in json.loads(done.stdout)["servers"] if row["pid"] == serval.pid)
        self.assertEqual((row["name"], row["user"], row["problem"]), ("theirs", "root", "its control socket is another user's"))
        self.assertIsNone(row["programs"])

    def test_none(self):
        # In a process namespace of its own there is no other server, if the machine allows one.
        command = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount", "sh", "-c",
                   "mount -t proc none /proc && mount -t tmpfs none /run && mount -t tmpfs none /tmp && exec \"$0\" list", "/proc/self/fd/9"]
        with open(SERVAL, "rb") as binary:
            os.dup2(binary.fileno(), 9)
        try:
            done = subprocess.run(command, cwd="/", capture_output=True, pass_fds=[9], env={"PATH": os.environ["PATH"]}, check=False, text=True)
        finally:
            os.close(9)
        if "unshare" in done.stderr or "mount" in done.stderr:
            self.skipTest(done.stderr.strip())
        self.assertEqual((done.returncode, done.stdout), (0, "no server runs here that you may see\n"), done.stderr)


if __name__ == "__main__":
    unittest.main()
