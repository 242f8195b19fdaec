"""serval exec: one-off commands in the environment of the app or of a program, without a server."""

import os
import signal
import sys
import unittest

from programs import ProgramsTest


class Exec(ProgramsTest):
    def exec(self, *words, config=None, **options):
        file = self.write("serval.toml", config if config is not None else self.tables({"mailer": {
            "command": ["sleep", "1000"], "env": {"QUEUE": "mails", "OUTER": "mine"}, "working_directory": "/", "umask": "0077"}}))
        command = self.launch("exec", "-c", file, *words, **options)
        return command.wait(), "\n".join(command.access()), command.log()

    def test_as_a_program(self):
        script = "echo $QUEUE $OUTER $ALSO $SERVAL_PROGRAM-$SERVAL_INSTANCE; pwd; umask; exit 7"
        code, out, err = self.exec("--program", "mailer", "sh", "-c", script, env={"OUTER": "theirs", "ALSO": "this"})
        self.assertEqual((code, out.split("\n"), err), (7, ["mails mine this mailer-", "/", "0077"], ""))

    def test_as_the_app(self):
        config = f"[app]\nlibrary = \"libshop.so\"\nenv = {{ TOKEN = \"t\" }}\n[server]\numask = \"0027\"\n"
        code, out, _ = self.exec("sh", "-c", "echo $TOKEN [$SERVAL_PROGRAM]; pwd; umask", config=config)
        self.assertEqual((code, out.split("\n")), (0, ["t []", self.folder, "0027"]))

    def test_as_a_task_of_the_app(self):
        config = ("[app]\nlibrary = \"libshop.so\"\nenv = { TOKEN = \"t\", BOTH = \"the app's\" }\n"
                  "[programs.queue]\nrun = \"task:queue\"\nenv = { BOTH = \"its own\" }\n")
        code, out, err = self.exec("--program", "queue", "sh", "-c", "echo $TOKEN $BOTH", config=config)
        self.assertEqual((code, out), (0, "t its own"), err)

    def test_the_configuration_of_the_folder_is_found(self):
        command = self.launch("exec", "true")
        self.assertEqual(command.wait(), 78, "there is none")
        os.mkdir(self.path("there"))
        self.write("there/serval.toml", self.tables({"mailer": {"command": ["sleep", "1"], "env": {"QUEUE": "mails"}}}))
        folder = ("sh", "-c", "cd ../there && exec \"$@\"", "sh")
        command = self.launch("exec", "--program", "mailer", "sh", "-c", "echo $QUEUE; pwd", prefix=folder)
        self.assertEqual((command.wait(), command.access()), (0, ["mails", self.path("there")]))

    def test_flags_of_the_command_are_its_own(self):
        code, out, _ = self.exec(sys.executable, "-c", "import sys; print(sys.argv[1:])", "--program", "x", "--", "-c")
        self.assertEqual((code, out), (0, "['--program', 'x', '--', '-c']"))
        code, out, _ = self.exec("--", "echo", "-n", "--json")
        self.assertEqual((code, out), (0, "--json"))

    def test_what_goes_wrong(self):
        self.assertEqual(self.exec("--program", "mialer", "true")[0], 64)
        code, _, err = self.exec("not-there-at-all")
        self.assertEqual(code, 127)
        self.assertIn("cannot start not-there-at-all: it is not in PATH", err)
        self.assertEqual(self.exec()[0], 64)
        self.assertEqual(self.exec("true", config="[programs.x]\n")[0], 78)

    def test_signals_reach_the_command(self):
        file = self.write("serval.toml", self.tables({"mailer": {"command": ["sleep", "1"]}}))
        command = self.launch("exec", "-c", file, *self.puppet("touch=" + self.path("begun")))
        self.wait_for_file("begun")
        os.kill(command.pid, signal.SIGTERM)
        self.assertEqual(command.wait(), 0)
        self.assertEqual(command.access(), ["got SIGTERM"])
        command = self.launch("exec", "-c", file, "sh", "-c", "kill -9 $$")
        self.assertEqual(command.wait(), 137)


if __name__ == "__main__":
    unittest.main()
