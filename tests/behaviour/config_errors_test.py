"""What is wrong in a configuration is said all at once, with positions and hints; what it takes effect as can be asked for."""

import re
import unittest

from serval_process import ServalTest, library

TEN_MISTAKES = """\
[app]
libary = "libshop.so"
[server]
bind = ["127.0.0.1:80000"]
umask = "0999"
[workers]
count = 0
threads = "five"
boot_timeout = "60 parsecs"
[request]
max_body = "16 MiBs"
header_timeout = true
keep_alive_requests = -1
[log]
level = "chatty"
"""
# line, column of the key or value, what must be named, what the hint must hold
FINDINGS = [
    (2, r"libary", r"library"),
    (4, r"80000", r""),
    (5, r"0999", r""),
    (7, r"workers\.count", r""),
    (8, r"five", r""),
    (9, r"60 parsecs", r""),
    (11, r"16 MiBs", r""),
    (12, r"header_timeout", r""),
    (13, r"keep_alive_requests", r""),
    (15, r"chatty", r"info"),
]


class ConfigErrors(ServalTest):
    def problems(self, *args, env=None):
        code, out, err = self.run_command(*args, env=env)
        self.assertEqual(code, 78, out + err)
        return out + "\n" + err

    def check(self, text, env=None, *args):
        file = self.write("serval.toml", text)
        return self.problems("check", "-c", file, *args, env=env)

    def test_ten_mistakes_are_ten_findings(self):
        file = self.write("serval.toml", TEN_MISTAKES)
        for command in ("check", "run"):
            with self.subTest(command):
                text = self.problems(command, "-c", file)
                found = re.findall(rf"(?m)^{re.escape(file)}:(\d+):(\d+): error: (.*)$", text)
                self.assertEqual([int(line) for line, _, _ in found], [line for line, _, _ in FINDINGS], text)
                for (line, column, what), (_, named, _) in zip(found, FINDINGS):
                    self.assertRegex(what, named)
                    source = TEN_MISTAKES.splitlines()[int(line) - 1]
                    self.assertTrue(1 <= int(column) <= len(source), f"{line}:{column} is not in the file")
                for (line, _, hint) in FINDINGS:
                    if hint:
                        finding = re.search(rf":{line}:\d+: error: .*\n?.*", text)[0]
                        self.assertRegex(finding, hint)
                self.assertGreaterEqual(len(re.findall(r"hint: \S", text)), 5, text)

    def test_a_file_that_is_no_toml(self):
        text = self.check("[app\nlibrary = 1\n")
        self.assertRegex(text, r"serval\.toml:1:\d+: error: ")

    def test_a_missing_file(self):
        self.assertRegex(self.problems("check", "-c", self.path("nowhere.toml")), r"nowhere\.toml.*[Nn]o such file")

    def test_no_library(self):
        self.assertRegex(self.check("[workers]\ncount = 1\n"), r"app\.library")

    def test_keys_of_later_versions_are_not_accepted_silently(self):
        for table, key in (("tls", 'certificate = "x.pem"'), ("static", 'root = "public"')):
            with self.subTest(f"[{table}] {key}"):
                text = self.check(f'[app]\nlibrary = "x.so"\n[{table}]\n{key}\n')
                self.assertRegex(text, r"serval\.toml:[34]:\d+: error: ")

    def test_an_unset_variable_is_named_with_its_place(self):
        text = self.check('[app]\nlibrary = "${NO_SUCH_VARIABLE}/libx.so"\n')
        self.assertRegex(text, r"serval\.toml:2:\d+: error: .*NO_SUCH_VARIABLE")

    def test_wrong_environment_and_flags_are_named(self):
        good = f'[app]\nlibrary = "{library("hello")}"\n'
        self.assertRegex(self.check(good, {"SERVAL_WORKERS_THREADS": "many"}), r"environment SERVAL_WORKERS_THREADS: error: .*many")
        file = self.write("serval.toml", good)
        self.assertRegex(self.problems("run", "-c", file, "--workers.threads", "many"), r"flag --workers\.threads: error: .*many")

    def test_an_unknown_flag_is_a_usage_error(self):
        code, out, err = self.run_command("run", "--worker.count", "3")
        self.assertEqual(code, 64)
        self.assertRegex(out + err, r"--worker\.count")

    def test_an_unknown_command_is_a_usage_error(self):
        code, _, err = self.run_command("dance")
        self.assertEqual(code, 64)
        self.assertRegex(err, r"dance")


class EffectiveConfig(ServalTest):
    def test_origins(self):
        file = self.write("serval.toml", f'[app]\nlibrary = "{library("hello")}"\n[workers]\ncount = 3\nthreads = 4\nqueue = 5\n')
        code, out, err = self.run_command("config", "-c", file, "--origin", "--workers.queue", "7", env={"SERVAL_WORKERS_THREADS": "6"})
        self.assertEqual(code, 0, err)
        for key, value, origin in (("count", "3", r"serval\.toml:4:\d+"), ("threads", "6", r"environment SERVAL_WORKERS_THREADS"),
                                   ("queue", "7", r"flag --workers\.queue"), ("keep_alive", "75s|1m15s", r"default")):
            self.assertRegex(out, rf"(?m)^(?:\w+\.)?{key}\s*=\s*\"?(?:{value})\"?\s.*{origin}")

    def test_its_output_is_a_config(self):
        file = self.write("serval.toml", f'[app]\nlibrary = "{library("hello")}"\nargs = ["a b", "c\\"d"]\n[server]\nbind = ["127.0.0.1:0"]\n')
        code, first, _ = self.run_command("config", "-c", file, "--show-secrets")
        self.assertEqual(code, 0)
        again = self.write("again.toml", first)
        code, second, err = self.run_command("config", "-c", again, "--show-secrets")
        self.assertEqual(code, 0, err)
        self.assertEqual(first, second)

    def test_a_good_file_is_accepted(self):
        file = self.write("serval.toml", f'[app]\nlibrary = "{library("hello")}"\n')
        code, out, err = self.run_command("check", "-c", file)
        self.assertEqual(code, 0, out + err)

    def test_help_names_every_option(self):
        code, config, _ = self.run_command("config", env={"SERVAL_APP_LIBRARY": library("hello")})
        self.assertEqual(code, 0)
        code, text, _ = self.run_command("run", "--help")
        self.assertEqual(code, 0)
        table, missing = "", []
        for line in config.splitlines():
            if match := re.match(r"\[([\w.]+)\]", line):
                table = match[1]
            elif (match := re.match(r"#? ?(\w+)\s*=", line)) and f"--{table}.{match[1]}" not in text:
                missing.append(f"{table}.{match[1]}")
        self.assertTrue(table)
        self.assertEqual(missing, [])


if __name__ == "__main__":
    unittest.main()
