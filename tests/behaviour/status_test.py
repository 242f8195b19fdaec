"""`serval status` and the control socket that it asks: what it tells, who may ask, and who is cut off."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import unittest

from http_client import DEADLINE, Closed, request_bytes, wait_until
from serval_process import ServalTest, at_once, library

STRANGER = 65534  # a user that owns nothing here

# Run as somebody else: the answer to a status, or how connecting fails.
ASK_AS = """
import os, socket, sys
os.setgroups([])
os.setgid(int(sys.argv[1]))
os.setuid(int(sys.argv[1]))
client = socket.socket(socket.AF_UNIX)
client.settimeout(10)
try:
    client.connect(sys.argv[2])
    try:
        client.sendall(b'{"command":"status"}\\n')
    except BrokenPipeError:  # refused already, and told so
        pass
    sys.stdout.write(client.makefile().readline())
except OSError as error:
    sys.stdout.write(type(error).__name__)
"""


def read_all(client):
    """Until the server closes, whichever way."""
    got = b""
    try:
        while data := client.recv(65536):
            got += data
    except ConnectionResetError:
        pass  # it did not read all that we sent
    return got.decode()


class Status(ServalTest):
    def control_path(self, number=0):
        return self.path(f"control{number}.sock")

    def ask(self, *args, number=0, env=None):
        """The table, or whatever else the flags ask for, of the server started as `number`."""
        code, out, err = self.run_command("status", "--socket", self.control_path(number), *args, env=env)
        self.assertEqual(code, 0, err)
        return out

    def status(self, number=0):
        return json.loads(self.ask("--json", number=number))

    def connect(self, path=None):
        client = socket.socket(socket.AF_UNIX)
        client.connect(path or self.control_path())  # waits while the queue is full, as it would not with a timeout (unix(7))
        client.settimeout(DEADLINE)
        self.addCleanup(client.close)
        return client

    def wait_status(self, condition, what):
        """Asks until `condition` holds for the status; returns it."""
        last = {}

        def look():
            last["status"] = self.status()
            return last["status"] if condition(last["status"]) else None

        return wait_until(look, lambda: f"{what}; the last status is {last['status']}")


class WhatItTells(Status):
    def test_a_serving_server(self):
        serval = self.start(config={"server": {"name": "shop"}, "workers": {"count": 2, "threads": 3}})
        for _ in range(5):
            self.assertEqual(serval.get().status, 200)
        status = self.wait_status(lambda s: s["totals"]["requests"] == 5, "five answers")
        self.assertEqual((status["name"], status["pid"], status["generation"], status["state"], status["workers_wanted"], status["threads"]),
                         ("shop", serval.pid, 1, "serving", 2, 3))
        self.assertEqual(status["mold"], {"state": "ready", "pid": serval.mold()})
        self.assertEqual({worker["slot"]: worker["pid"] for worker in status["workers"]}, serval.workers())
        for worker in status["workers"]:
            self.assertEqual((worker["state"], worker["cause"], worker["restart_in_ms"], worker["generation"], worker["threads"], worker["in_progress"]),
                             ("serving", None, None, 1, 3, []))
            self.assertGreater(worker["memory_bytes"], 100_000)
            self.assertIn(worker["memory_measure"], ("pss", "rss"))
            self.assertTrue(0 <= worker["beat_age_ms"] < 60_000, worker)
            self.assertTrue(0 <= worker["age_s"] < 600, worker)
        self.assertEqual(sum(worker["requests"] for worker in status["workers"]), 5)
        self.assertEqual(status["totals"]["answers"], {"200": 5})
        self.assertEqual(status["totals"]["connections"], 5)
        self.assertEqual(status["ended"], {})

        lines = self.ask()
        self.assertRegex(lines, rf"^shop, serval \S+, pid {serval.pid}: serving, up for \S+, generation 1\n2 of 2 workers serve, 5 requests answered\n")
        for slot, pid in serval.workers().items():
            self.assertRegex(lines, rf"(?m)^ +{slot} +{pid} +1 serving ")

    def test_a_request_in_progress_is_named(self):
        serval = self.start_probe(config={"workers": {"count": 1, "threads": 2}, "request": {"timeout": "60s"}})
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=a&color=green", headers=[("X-Request-Id", "id-4711")]))
            self.wait_entered("a")
            worker = self.status()["workers"][0]
            self.assertEqual(worker["running"], 1)
            self.assertEqual(worker["connections"], 1)
            [request] = worker["in_progress"]
            self.assertEqual((request["method"], request["target"]), ("GET", "/gate?name=a&color=green"))
            self.assertRegex(request["peer"], r"^127\.0\.0\.1")
            self.assertTrue(request["request_id"])
            self.assertTrue(0 <= request["age_ms"] < 60_000)
            self.assertTrue(0 < request["deadline_in_ms"] <= 60_000)
            self.assertIn(str(request["thread"]), os.listdir(f"/proc/{worker['pid']}/task"))
            line = r"(?m)^ +GET /gate\?name=a&color=green for \S+, \S+( \S+)? left\n +from 127\.0\.0\.1\S*, thread \d+, id \S+$"
            self.assertRegex(self.ask(), line)
            self.open_gate("a")
            self.assertEqual(client.read_response().status, 200)
        self.wait_status(lambda s: s["workers"][0]["in_progress"] == [] and s["workers"][0]["running"] == 0, "no request in progress")

    def test_it_answers_while_the_only_worker_hangs(self):
        serval = self.start(config={"workers": {"count": 1, "threads": 1}})
        worker = serval.workers()[0]
        os.kill(worker, signal.SIGSTOP)
        try:
            self.assertEqual(self.status()["workers"][0]["pid"], worker)
        finally:
            os.kill(worker, signal.SIGCONT)

    def test_a_crash_loop_shows_the_cooling_slot_and_the_cause(self):
        serval = self.start("faulty", {"restart": {"backoff_first": "1h", "backoff_max": "1h"}, "workers": {"count": 1, "threads": 1}})

        def crash():
            with serval.client() as client:
                client.send(request_bytes(target="/crash"))
                with self.assertRaises((Closed, ConnectionResetError)):
                    client.read_response()

        crashes = 0
        while True:  # the delay is uniform in 0 .. an hour, and none at all after the first crash
            crash()
            crashes += 1
            serval.expect_log("worker died", count=crashes)
            worker = self.wait_status(lambda s: s["workers"][0]["state"] in ("cooling", "serving"), "the crash to be seen")["workers"][0]
            if worker["state"] == "cooling" and worker["restart_in_ms"] > 1000:
                break
            serval.expect_log("worker ready", count=crashes + 1)
        status = self.status()
        [worker] = status["workers"]
        self.assertEqual((worker["state"], worker["pid"], worker["crashes_in_a_row"]), ("cooling", None, crashes))
        self.assertTrue(0 < worker["restart_in_ms"] <= 3_600_000)
        self.assertEqual(status["ended"], {"crash": crashes})
        text = self.ask()
        self.assertRegex(text, rf"(?m)^ +0 +- .*cooling .*\n +starts again in \d+\w+( \d+\w)?, {crashes} crashes in a row$")
        self.assertRegex(text, rf"(?m)^ended: crash {crashes}$")
        self.assertRegex(text, r"0 of 1 workers serve")

    def test_a_draining_server_says_so(self):
        serval = self.start_probe(config={"workers": {"count": 1, "threads": 1}})
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=a"))
            self.wait_entered("a")
            serval.signal(signal.SIGTERM)
            status = self.wait_status(lambda s: s["state"] == "stopping", "stopping")
            self.assertEqual((status["workers"][0]["state"], status["workers"][0]["cause"]), ("draining", "stop"))
            self.open_gate("a")
            self.assertEqual(client.read_response().status, 200)
        self.assertEqual(serval.wait(), 0)


class WhereItIs(Status):
    def remove_if_empty(self, folder):
        """Another server of this user may have its socket there."""
        try:
            os.rmdir(folder)
        except OSError:
            pass

    def mode(self, path):
        status = os.lstat(path)
        self.assertTrue(stat.S_ISSOCK(status.st_mode))
        return stat.S_IMODE(status.st_mode)

    def test_the_log_names_it_and_it_is_gone_at_the_end(self):
        serval = self.start(config={"server": {"umask": "0000"}})
        serval.expect_log(rf"info +master .*control socket path={re.escape(self.control_path())}$")
        self.assertEqual(self.mode(self.control_path()), 0o600)
        self.assertEqual(serval.stop(), 0)
        self.assertFalse(os.path.exists(self.control_path()))

    def test_its_mode_is_configured(self):
        self.start(config={"control": {"mode": "0660"}})
        self.assertEqual(self.mode(self.control_path()), 0o660)

    def test_off(self):
        serval = self.start(config={"control": {"socket": "off"}})
        self.assertNotIn("control socket", serval.log())
        code, _, err = self.run_command("status", "-c", self.path("serval0.toml"))
        self.assertEqual(code, 69)
        self.assertRegex(err, r'control\.socket is "off"')

    def test_it_is_found_by_the_configuration_the_environment_or_alone(self):
        serval = self.start()
        file = self.path("serval0.toml")
        here = self.path("here")
        os.mkdir(here)
        os.symlink(file, os.path.join(here, "serval.toml"))
        ways = [
            (("-c", file), {}, ()),
            ((), {}, ("env", "-C", here)),
            ((), {"SERVAL_CONTROL_SOCKET": self.control_path()}, ()),
            (("--socket", "../control0.sock"), {}, ()),
        ]
        for args, env, prefix in ways:
            with self.subTest(f"{args} {env} {prefix}"):
                asked = self.launch("status", "--json", *args, env=env, prefix=prefix)
                self.assertEqual(asked.wait(), 0, asked.log())
                self.assertEqual(json.loads("".join(asked.access()))["pid"], serval.pid)

    def test_the_automatic_place_is_found_by_name_and_by_being_the_only_one(self):
        config = f'[app]\nlibrary = "{library("hello")}"\n[server]\nbind = ["127.0.0.1:0"]\n[workers]\ncount = 1\n'
        serval = self.start(config=config)
        self.assertEqual(self.mode(self.path("serval-hello.sock")), 0o600)
        for args in (("-c", self.path("serval0.toml")), ()):
            code, out, err = self.run_command("status", "--json", *args)
            self.assertEqual(code, 0, err)
            self.assertEqual(json.loads(out)["pid"], serval.pid)

        runtime = self.path("runtime")
        os.mkdir(runtime)
        env = {"RUNTIME_DIRECTORY": runtime + ":/nowhere"}
        second = self.start(config=config, env=env)
        self.assertEqual(self.mode(os.path.join(runtime, "serval.sock")), 0o600)
        for file, pid in ((second.process.args[3], second.pid), ("serval0.toml", serval.pid)):  # each by its own configuration
            code, out, err = self.run_command("status", "--json", "-c", self.path(file), env=env)
            self.assertEqual(code, 0, err)
            self.assertEqual(json.loads(out)["pid"], pid)

    def test_what_does_more_than_look_wants_to_know_which_server(self):
        """`serval stop` typed in the wrong folder must not stop the one server that happens to run."""
        config = f'[app]\nlibrary = "{library("hello")}"\n[server]\nbind = ["127.0.0.1:0"]\n[workers]\ncount = 1\n'
        serval = self.start(config=config)
        socket_path = self.path("serval-hello.sock")
        for words in (("stop",), ("stop", "--now"), ("reload",), ("rollback",), ("scale", "2"), ("recycle", "all"), ("reopen",), ("drain",), ("undrain",),
                      ("pause",), ("resume",), ("upgrade",), ("stacks",)):
            with self.subTest(words):
                code, out, err = self.run_command(*words)
                self.assertEqual((code, out), (64, ""), err)
                self.assertIn(f"the only one found is hello, pid {serval.pid}, at {socket_path}", err)
                self.assertIn(f"serval {words[0]} --socket {socket_path}", err)
        code, out, err = self.run_command("status")
        self.assertEqual(code, 0, err)
        self.assertIn(socket_path, err)  # which one it has asked
        code, out, err = self.run_command("status", "--name", "hello")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(self.run_command("healthcheck"), (0, "live, serving", ""))
        self.assertEqual(self.run_command("drain", env={"SERVAL_SERVER_NAME": "hello"})[0], 0)
        self.assertEqual(self.run_command("stop", "--name", "other")[0], 69)
        self.assertEqual(self.run_command("stop", "--name", "hello")[0], 0)
        self.assertEqual(serval.wait(), 0)

    def test_of_two_servers_with_one_name_the_second_does_not_start(self):
        config = f'[app]\nlibrary = "{library("hello")}"\n[server]\nbind = ["127.0.0.1:0"]\n[workers]\ncount = 1\n'
        first = self.start(config=config)
        second = self.launch_config(config=config)
        self.assertEqual(second.wait(), 73)
        self.assertRegex(second.log(), rf"serval-hello\.sock.*another program listens there.*pid {first.pid}.*server\.name")
        code, out, err = self.run_command("status", "--json", "-c", self.path("serval0.toml"))
        self.assertEqual(code, 0, err)
        self.assertEqual(json.loads(out)["pid"], first.pid, "the second one has left the socket of the first alone")

    def test_a_command_for_another_configuration_is_refused(self):
        """Staging and production of one app, side by side: `serval stop -c stage.toml` must not stop production."""
        config = f'[app]\nlibrary = "{library("hello")}"\n[server]\nbind = ["127.0.0.1:0"]\n[workers]\ncount = 1\n'
        serval = self.start(config=config)
        stage = self.write("stage.toml", config)
        for command in ("stop", "status", "reload", "upgrade"):
            code, out, err = self.run_command(command, "-c", stage)
            self.assertEqual(code, 69, out + err)
            for part in ("hello", f"pid {serval.pid}", self.path("serval0.toml"), stage):
                self.assertIn(part, err)
        code, _, err = self.run_command("healthcheck", "-c", stage)
        self.assertEqual(code, 1)
        self.assertIn(self.path("serval0.toml"), err)
        link = self.path("link.toml")
        os.symlink(self.path("serval0.toml"), link)
        for args, env in ((("-c", link), {}), (("--socket", self.path("serval-hello.sock")), {}),
                          (("-c", stage), {"SERVAL_CONTROL_SOCKET": self.path("serval-hello.sock")})):
            code, _, err = self.run_command("status", *args, env=env)
            self.assertEqual(code, 0, err)

    def test_a_command_looks_where_the_server_of_a_login_session_was(self):
        """cron and sudo have no XDG_RUNTIME_DIR: the server is found all the same."""
        folder = f"/tmp/serval-{os.geteuid()}"
        name = f"test{os.getpid()}"
        config = f'[app]\nlibrary = "{library("hello")}"\n[server]\nname = "{name}"\nbind = ["127.0.0.1:0"]\n[workers]\ncount = 1\n'
        serval = self.start(config=config, env={"XDG_RUNTIME_DIR": ""})
        serval.expect_log(rf"control socket path={folder}/{name}\.sock")
        code, out, err = self.run_command("status", "--json", "-c", self.path("serval0.toml"))  # which has one
        self.assertEqual(code, 0, err)
        self.assertEqual(json.loads(out)["pid"], serval.pid)
        self.assertEqual(serval.stop(), 0)
        self.remove_if_empty(folder)

    def test_a_socket_file_that_is_gone_is_made_anew_by_a_reload(self):
        serval = self.start()
        os.remove(self.control_path())
        code, _, err = self.run_command("status", "-c", self.path("serval0.toml"))
        self.assertEqual(code, 69, err)
        serval.signal(signal.SIGHUP)
        serval.expect_log("reloaded gen=2")
        self.assertEqual(self.status()["pid"], serval.pid)
        self.assertEqual(self.mode(self.control_path()), 0o600)
        self.assertEqual(serval.stop(), 0)
        self.assertFalse(os.path.exists(self.control_path()))

    def test_a_folder_that_is_gone_is_replaced_by_another_place(self):
        """The end of a login session takes XDG_RUNTIME_DIR away."""
        runtime = self.path("session")
        os.mkdir(runtime)
        name = f"test{os.getpid()}"
        config = f'[app]\nlibrary = "{library("hello")}"\n[server]\nname = "{name}"\nbind = ["127.0.0.1:0"]\n[workers]\ncount = 1\n'
        serval = self.start(config=config, env={"XDG_RUNTIME_DIR": runtime})
        shutil.rmtree(runtime)
        serval.signal(signal.SIGHUP)
        serval.expect_log("reloaded gen=2")
        code, out, err = self.run_command("status", "--json", "-c", self.path("serval0.toml"))
        self.assertEqual(code, 0, err)
        self.assertEqual(json.loads(out)["pid"], serval.pid)
        self.assertEqual(serval.stop(), 0)
        self.remove_if_empty(f"/tmp/serval-{os.geteuid()}")

    def test_a_place_that_was_named_is_not_shared(self):
        serval = self.start()
        second = self.launch_config(config={"control": {"socket": self.control_path()}})
        self.assertEqual(second.wait(), 73)
        self.assertRegex(second.log(), rf"control\.socket: .*{re.escape(self.control_path())}.*another program listens there")
        self.assertNotIn("listening", second.log(), "it takes connections away, and drops them")
        self.assertEqual(self.status()["pid"], serval.pid)
        third = self.launch_config(config={"control": {"socket": self.path("nowhere/control.sock")}})
        self.assertEqual(third.wait(), 73)

    def test_the_socket_of_a_dead_server_is_replaced(self):
        first = self.start(config={"workers": {"count": 1}})
        first.signal(signal.SIGKILL)
        first.wait()
        self.assertTrue(os.path.exists(self.control_path()))
        code, _, err = self.run_command("status", "-c", self.path("serval0.toml"))
        self.assertEqual(code, 69)
        self.assertRegex(err, rf"no server to talk to at {re.escape(self.control_path())}: nobody listens there any more")
        second = self.start(config={"control": {"socket": self.control_path()}})
        self.assertEqual(self.status()["pid"], second.pid)

    def test_no_server(self):
        file = self.write("serval.toml", f'[app]\nlibrary = "{library("hello")}"\n[control]\nsocket = "none.sock"\n')
        for args, said in ((("-c", file), r"at \S+/none\.sock: No such file"), (("--socket", "/nowhere/x.sock"), r"at /nowhere/x\.sock: No such file"),
                           ((), r"no serval\.toml here")):
            with self.subTest(args):
                code, out, err = self.run_command("status", *args)
                self.assertEqual((code, out), (69, ""))
                self.assertRegex(err, said)
                self.assertRegex(err, r"hint: .*--socket PATH")
        self.assertEqual(self.run_command("status", "-c", self.path("nowhere.toml"))[0], 78)
        self.assertEqual(self.run_command("status", "--jsno")[0], 64)

    def test_a_broken_configuration_says_how_to_reach_the_server_all_the_same(self):
        config = f'[app]\nlibrary = "{library("hello")}"\n[server]\nbind = ["127.0.0.1:0"]\n[workers]\ncount = 1\n'
        serval = self.start(config=config)
        broken = self.write("serval.toml", "[app\nlibrary = 1\n")
        for args, env, prefix in ((("-c", broken), {}, ()), ((), {}, ("env", "-C", self.folder))):
            for command in ("stop", "status", "reload"):
                with self.subTest(f"{command} {args}"):
                    asked = self.launch(command, *args, env=env, prefix=prefix)
                    self.assertEqual(asked.wait(), 78)
                    self.assertRegex(asked.log(), r"serval\.toml:1:\d+: error: not valid TOML")
                    self.assertRegex(asked.log(), rf"serval {command}: the configuration does not say which server is meant\n  hint: .*serval check.*"
                                                  rf"--socket PATH.*{re.escape(self.path('serval-hello.sock'))}")
        self.assertEqual(self.run_command("stop", "--socket", self.path("serval-hello.sock"))[0], 0)
        self.assertEqual(serval.wait(), 0)

    def test_problems_that_are_the_servers_do_not_keep_it_from_being_asked(self):
        self.start(config={"app": {"env": {"SECRET": "${SECRET}"}}}, env={"SECRET": "x"})
        code, _, err = self.run_command("status", "-c", self.path("serval0.toml"))
        self.assertEqual(code, 0, err)


class WhoIsCutOff(Status):
    def assert_refused(self, answer, pattern):
        lines = answer.splitlines()
        self.assertEqual(len(lines), 1, answer)
        reply = json.loads(lines[0])
        self.assertFalse(reply["ok"])
        self.assertRegex(reply["error"], pattern)
        self.assertGreater(reply["exit"], 0)

    def test_malformed_huge_and_slow_clients(self):
        serval = self.start()
        cases = [
            (b"GET / HTTP/1.1\r\n\r\n", r"no JSON"),
            (b"[]\n", r"expected a JSON object"),
            (b'{"command":"dance"}\n', r'no command "dance"'),
            (b'{"command":"status","arguments":{"loud":true}}\n', r'argument "loud"'),
            (b"\xff\xfe\n", r"no JSON"),
            (b"x" * 200_000, r"longer than 65536 bytes"),
            (b'{"command":"sta', r"no request came in time"),
            (b"", r"no request came in time"),
        ]

        def play(sent):
            client = self.connect()
            try:
                client.sendall(sent)
            except (BrokenPipeError, ConnectionResetError):
                pass
            return read_all(client)

        answers = at_once([lambda sent=sent: play(sent) for sent, _ in cases] + [lambda: self.assertEqual(self.status()["pid"], serval.pid)])
        for (sent, pattern), answer in zip(cases, answers):
            with self.subTest(sent[:40]):
                self.assert_refused(answer, pattern)
        self.assertEqual(self.status()["pid"], serval.pid)

    def test_silent_clients_keep_nobody_out(self):
        serval = self.start()
        began = time.monotonic()
        silent = [self.connect() for _ in range(300)]  # many more than are served at a time
        self.assertEqual(self.status()["pid"], serval.pid)
        self.assertLess(time.monotonic() - began, 4, "less than a silent client has for its request")
        self.assert_refused(read_all(silent[0]), "other clients need the room")
        for client in silent:
            client.close()
        self.assertEqual(self.status()["pid"], serval.pid)

    def test_the_socket_is_not_inherited(self):
        serval = self.start()
        serval.signal(signal.SIGSTOP)  # so that nobody else could have answered
        try:
            client = self.connect()
            client.sendall(b'{"command":"status"}\n')
            client.settimeout(0.2)
            with self.assertRaises(TimeoutError):
                client.recv(1)
        finally:
            serval.signal(signal.SIGCONT)
        client.settimeout(DEADLINE)
        self.assertEqual(json.loads(read_all(client))["result"]["pid"], serval.pid)

    @unittest.skipIf(os.geteuid() != 0, "only root can be somebody else")
    def test_another_user_is_refused_unless_the_mode_lets_him_in(self):
        def ask_as_stranger(number=0):
            command = [sys.executable, "-c", ASK_AS, str(STRANGER), self.control_path(number)]
            return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE).stdout

        os.chmod(self.folder, 0o755)
        self.start()
        self.assertEqual(ask_as_stranger(), "PermissionError")
        os.chmod(self.control_path(), 0o666)  # somebody has opened it by hand: the server itself still says no
        self.assert_refused(ask_as_stranger(), rf"user {STRANGER} may not")
        self.start(config={"control": {"mode": "0666"}})
        self.assertTrue(json.loads(ask_as_stranger(1))["ok"])

    @unittest.skipIf(os.geteuid() != 0, "only root can be somebody else")
    def test_a_folder_that_is_somebody_elses_is_not_used(self):
        folder = f"/tmp/serval-{os.geteuid()}"
        nowhere_else = {"XDG_RUNTIME_DIR": ""}
        if os.path.lexists(folder):
            self.skipTest(f"{folder} is in use")
        os.mkdir(folder, 0o700)
        self.addCleanup(shutil.rmtree, folder)
        os.chown(folder, STRANGER, STRANGER)
        config = f'[app]\nlibrary = "{library("hello")}"\n[server]\nbind = ["127.0.0.1:0"]\n[workers]\ncount = 1\n'
        serval = self.start(config=config, env=nowhere_else)
        self.assertRegex(serval.log(), rf"warning +master .*no control socket.*belongs to user {STRANGER}")
        code, _, err = self.run_command("status", "-c", self.path("serval0.toml"), env=nowhere_else)
        self.assertEqual(code, 69)
        self.assertRegex(err, rf"belongs to user {STRANGER}")


if __name__ == "__main__":
    unittest.main()
