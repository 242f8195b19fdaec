"""What an app is given as environment and arguments may be secret: nothing that serval prints, logs or answers shows it, unless asked for."""

import json
import signal
import socket

from reloads import ReloadTest
from serval_process import library


class Secrets(ReloadTest):
    def assert_hidden(self, *texts):
        for text in texts:
            self.assertNotIn("geheim", text)

    def test_a_reload_names_what_changes_and_no_value(self):
        serval = self.start_replaceable(app={"env": {"STAYS": "geheim0", "DATABASE_URL": "geheim1", "GOES": "geheim2"}, "args": ["preload=slow:31"]},
                                        log={"level": "debug"})
        self.change_config("geheim1", "geheim4")
        self.change_config('GOES = "geheim2"', 'COMES = "geheim5"')
        self.change_config("slow:31", "slow:32")
        code, out, err = self.command("reload")
        self.assertEqual(code, 0, err)
        for line in ("app.env.DATABASE_URL: changed", "app.env.GOES: removed", "app.env.COMES: added", "app.args: changed"):
            self.assertIn(line, out)
        self.assertNotIn("STAYS", out)
        serval.expect_log(r"configuration changes key=app\.env\.DATABASE_URL how=changed")
        self.change_config("geheim4", "geheim7")
        serval.signal(signal.SIGHUP)
        serval.expect_log(r"reloaded gen=3")
        _, status, _ = self.command("status", "--json")
        self.assert_hidden(out, err, serval.log(), status)
        self.assertNotIn("slow:3", out + err + serval.log() + status)

    def test_of_what_comes_from_variables_a_reload_shows_no_value(self):
        serval = self.start_replaceable(log={"redact": ["${FIRST:-geheim1}", "token"], "slow": "1h"}, server={"bind": ["127.0.0.1:0"]},
                                        shutdown={"grace": "${GRACE:-7s}"})
        self.change_config("FIRST:-geheim1", "FIRST:-geheim2")
        self.change_config('"${GRACE:-7s}"', '"9s"')
        code, out, err = self.command("reload")
        self.assertEqual(code, 0, err)
        self.assertIn("log.redact: changed", out.splitlines())
        self.assertIn("shutdown.grace: changed", out.splitlines())
        self.change_config("redact = ", "# redact = ")
        code, gone, err = self.command("reload")
        self.assertEqual(code, 0, err)
        self.assertIn("log.redact: changed", gone.splitlines())
        self.change_config('server]', 'server]\npidfile = "${PIDFILE:-/run/geheim3.pid}"')
        code, _, err = self.command("reload")
        self.assertEqual(code, 1)
        self.assertIn("server.pidfile cannot change without a restart", err)
        self.assert_hidden(out, gone, err, serval.log())
        self.assertNotIn("7s", out + serval.log())

    def test_the_answer_on_the_socket_has_none_either(self):
        self.start_replaceable(app={"env": {"TOKEN": "geheim1"}})
        self.change_config("geheim1", "geheim2")
        with socket.socket(socket.AF_UNIX) as client, client.makefile("rb") as replies:
            client.connect(self.path("control0.sock"))
            client.sendall(b'{"command":"reload"}\n')
            answer = replies.read().decode()
        self.assertEqual(json.loads(answer.splitlines()[-1])["result"]["changes"], [{"key": "app.env.TOKEN", "how": "changed"}])
        self.assert_hidden(answer)

    def test_a_reload_that_is_refused_shows_none(self):
        serval = self.start_replaceable(app={"env": {"TOKEN": "geheim1"}})
        self.change_config('"geheim1"', "8154711")
        code, out, err = self.command("reload")
        self.assertEqual(code, 1)
        self.assertIn("app.env.TOKEN = (hidden): expected a text", err)
        for text in (out, err, serval.log()):
            self.assertNotIn("8154711", text)

    def test_config_and_check(self):
        file = self.write("serval.toml", f'[app]\nlibrary = "{library("hello")}"\nargs = ["geheim1"]\nenv = {{ TOKEN = "${{TOKEN}}" }}\n')
        for args in ((), ("--origin",)):
            code, out, err = self.run_command("config", "-c", file, *args, env={"TOKEN": "geheim2"})
            self.assertEqual(code, 0, err)
            self.assertIn('env = { TOKEN = "(hidden)" }', out)
            self.assertIn("--show-secrets", out)
            self.assert_hidden(out, err)
        code, out, _ = self.run_command("config", "-c", file, "--show-secrets", env={"TOKEN": "geheim2"})
        self.assertEqual(code, 0)
        self.assertIn('env = { TOKEN = "geheim2" }', out)
        self.assertIn('args = ["geheim1"]', out)
        code, out, err = self.run_command("check", "-c", file, env={"SERVAL_APP_ENV": "geheim3"})
        self.assertEqual(code, 78)
        self.assert_hidden(out, err)
