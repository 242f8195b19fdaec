"""Files with environment variables: for the app and for programs, read anew by a reload, and never shown."""

import os
import unittest

from programs import ProgramsTest


class EnvFile(ProgramsTest):
    def test_programs_get_them_and_a_reload_replaces_those_that_they_concern(self):
        self.write("it.env", "# of it\nexport TOKEN='geheim1 $x'\nTWICE=file\n")
        programs = {
            "it": {"command": self.puppet("env=TOKEN", "env=TWICE", "env=PORT"), "env_file": ["it.env", "-none.env"], "env": {"TWICE": "table"}},
            "other": {"command": self.puppet("say=other")}}
        serval = self.start_programs(programs)
        serval.expect_log(r"it\[0\] .*: TOKEN=geheim1 \$x")
        serval.expect_log(r"it\[0\] .*: TWICE=table")
        before = {**self.pids("it"), "other": self.pids("other")[0]}
        self.write("it.env", "TOKEN=\"geheim2\\n\"\nPORT=1\n")
        answer = self.order("reload")
        self.assertIn("programs.it.env_file: changed", answer)
        self.assertNotIn("geheim", answer)
        serval.expect_log(r"it\[0\] .*: TOKEN=geheim2")
        serval.expect_log(r"it\[0\] .*: PORT=1")
        self.assertNotEqual(self.pids("it")[0], before[0])
        self.assertEqual(self.pids("other")[0], before["other"])
        self.write("none.env", "TOKEN=geheim3\n")
        self.order("reload")
        serval.expect_log(r"it\[0\] .*: TOKEN=geheim3")
        same = self.pids("it")
        self.order("reload")
        self.assertEqual(self.pids("it"), same, "nothing has changed")

    def test_no_answer_and_no_line_has_a_value(self):
        self.write("it.env", "TOKEN=geheim1\n")
        programs = {"it": {"command": self.puppet(), "env_file": "it.env"}}
        serval = self.start_programs(programs, config={"log": {"level": "debug"}})
        self.write("it.env", "TOKEN=geheim2\n")
        said = self.order("reload") + self.order("status") + self.order("status", "--json")
        code, out, err = self.run_command("config", "-c", self.path("serval0.toml"), "--origin")
        self.assertEqual(code, 0)
        self.assertIn("it.env", out)
        self.write("it.env", "TOKEN=geheim3\ngeheim4\n")
        code, _, refused = self.run_command("reload", "--socket", self.path("control0.sock"))
        self.assertEqual(code, 1)
        self.assertIn("it.env:2:1: error: expected NAME=VALUE", refused)
        self.assertNotIn("geheim", said + out + err + refused + serval.log())
        self.assertEqual(len(self.pids("it")), 1, "it goes on as it was")

    def test_check_says_how_many_and_what_is_wrong(self):
        self.write("it.env", "A=geheim\nB=2\n")
        file = self.write("serval.toml", self.tables({"it": {"command": ["sleep", "1"], "env_file": ["it.env", "-none.env"]}}))
        code, out, err = self.run_command("check", "-c", file)
        self.assertEqual((code, err), (0, ""))
        self.assertIn(f"programs.it.env_file: {self.path('it.env')}: 2 variables\n", out)
        self.assertIn(f"programs.it.env_file: {self.path('none.env')}: there is none, as may be\n", out)
        self.assertNotIn("geheim", out)
        self.write("it.env", "A='geheim\n")
        code, _, err = self.run_command("check", "-c", file)
        self.assertEqual(code, 78)
        self.assertIn("it.env:1:1: error: the quote ' that begins here has no end", err)
        self.assertNotIn("geheim", err)
        os.remove(self.path("it.env"))
        code, _, err = self.run_command("check", "-c", file)
        self.assertEqual(code, 78)
        self.assertIn(f'there is no file "{self.path("it.env")}"', err)

    def test_exec_has_them(self):
        self.write(".env", "TOKEN=from-file\nTWICE=file\n")
        config = "[app]\nlibrary = \"libshop.so\"\nenv_file = \".env\"\nenv = { TWICE = \"table\" }\n"
        file = self.write("serval.toml", config + self.tables({"it": {"command": ["sleep", "1"], "env_file": ".env"}}))
        for program in ([], ["--program", "it"]):
            command = self.launch("exec", "-c", file, *program, "sh", "-c", "echo $TOKEN $TWICE")
            self.assertEqual(command.wait(), 0, command.log())
            self.assertEqual(command.access(), ["from-file " + ("file" if program else "table")])

    def test_the_app_has_them_and_serval_itself_has_not(self):
        self.write("app.env", "PORT=1\nSERVAL_WORKERS_THREADS=17\nFROM_FILE=yes\n")
        serval = self.start_programs({}, config={"app": {"env_file": "app.env"}}, app="probe")
        serval.wait_serving()
        self.assertNotEqual(serval.addresses[0][1], 1)
        self.assertNotEqual(self.status()["threads"], 17)
        self.assertEqual(serval.get("/env?name=FROM_FILE").text, "yes")


if __name__ == "__main__":
    unittest.main()
