"""What `serval check` accepts, `serval run` boots: over generated configurations, with nasty values in many options at once."""

import random
import unittest

from http_client import wait_until
from serval_process import ServalTest, library

SEED = 20261127
CONFIGS = 60
AT_LEAST_ACCEPTED = 10

# Values for each option: sound ones, and what fingers and generators of files produce.
TEXTS = ["", " ", "-", "off", "a b", "é", "\t", "\n", "\x7f", "$", "$$", "${", "a" * 300, "../x", "'", '"', "\\", "%", "0", "-1", "true"]
FORMATS = ["common", "combined", "json", "$status", "$peer $target", "$${worker}th $$$$5", "Common", "%h %l", "$nothing", "$",
           "status", "$reason\t", ""]
DURATIONS = ["0", "1ms", "30s", "24h", "25h", "-1s", "1", "", "1e3s", "9999999999h"]
SIZES = ["0", "1", "512", "64KiB", "1TiB", "1PiB", "-1", "", "1.5MiB"]
COUNTS = [0, 1, 2, 3, -1, 1025, 10**12, 1.5, "auto", True]
OPTIONS = {
    ("log", "access_format"): FORMATS,
    ("log", "access"): ["-", "off", "access.log", "", "acc\0ess.log", "é \n.log"],
    ("log", "level"): ["debug", "info", "INFO", ""],
    ("log", "file"): ["-", "serval.log\0", ""],
    ("log", "format"): ["text", "json", "xml"],
    ("log", "capture"): [True, False, "yes"],
    ("server", "name"): ["shop", "a.b-c_d", *TEXTS],
    ("server", "backlog"): COUNTS,
    ("server", "umask"): ["0022", "0", "0777", "8", "022", ""],
    ("workers", "count"): COUNTS,
    ("workers", "threads"): COUNTS,
    ("workers", "queue"): COUNTS,
    ("workers", "max_requests"): COUNTS,
    ("workers", "max_lifetime"): DURATIONS,
    ("workers", "queue_timeout"): DURATIONS,
    ("request", "timeout"): DURATIONS,
    ("request", "keep_alive"): DURATIONS,
    ("request", "header_timeout"): DURATIONS,
    ("request", "max_header"): SIZES,
    ("request", "max_target"): SIZES,
    ("request", "max_body"): SIZES,
    ("request", "spill_body"): SIZES,
    ("request", "proxy_protocol"): [True, False],
    ("request", "trusted_proxies"): [[], ["*"], ["unix"], ["10.0.0.0/8", "::1"], ["10.0.0.1/33"], ["::/129"], ["fe80::1%eth0"], [""],
                                     ["localhost"], ["0/0"], ["1.2.3.4/08"]],
    ("app", "args"): [[], ["x"], TEXTS],
    ("app", "env"): [{}, {"A": "1"}, {"A_B": "é\n"}, {'"A=B"': "1"}, {'""': "1"}, {'"a b"': "1"}, {'"é"': "x"}],
    ("memory", "soft"): SIZES,
    ("memory", "hard"): ["0", "1TiB", "1"],
    ("memory", "measure"): ["pss", "rss", "uss", "vss"],
    ("restart", "backoff_first"): DURATIONS,
    ("shutdown", "grace"): ["0", "1s", "30s", ""],
}


def value(it):
    if isinstance(it, bool):
        return "true" if it else "false"
    if isinstance(it, str):
        return '"' + "".join(c if " " <= c != "\x7f" and c not in '"\\' else f"\\u{ord(c):04x}" for c in it) + '"'
    if isinstance(it, list):
        return "[" + ", ".join(map(value, it)) + "]"
    if isinstance(it, dict):
        return "{ " + ", ".join(f"{key} = {value(v)}" for key, v in it.items()) + " }"
    return str(it)


class AcceptedConfigsBoot(ServalTest):
    def config(self, rng):
        tables = {"app": {"library": value(library("hello"))}, "server": {"bind": '["127.0.0.1:0"]'}, "workers": {"count": "1", "threads": "1"},
                  "control": {"socket": value(self.path("control.sock"))}}
        for table, key in rng.sample(sorted(OPTIONS), rng.randint(1, 3)):
            tables.setdefault(table, {})[key] = value(rng.choice(OPTIONS[table, key]))
        return "\n".join(f"[{table}]\n" + "".join(f"{key} = {text}\n" for key, text in keys.items()) for table, keys in tables.items())

    def boots(self, text, file):
        serval = self.launch("run", "-c", file)
        wait_until(lambda: "serving" in serval.log() or serval.process.poll() is not None, lambda: f"a boot with {text}")
        self.assertIsNone(serval.process.poll(), f"accepted, but does not boot:\n{text}\n{serval.log()}")
        self.assertEqual(serval.stop(), 0, text)
        self.assertNotRegex(serval.log(), r"serval: bug|worker died|crashed", text)

    def test_generated(self):
        rng = random.Random(SEED)
        accepted = 0
        for number in range(CONFIGS):
            text = self.config(rng)
            file = self.write(f"generated{number}.toml", text)
            code, _, said = self.run_command("check", "-c", file)
            with self.subTest(text):
                if code == 0:
                    accepted += 1
                    self.boots(text, file)
                else:
                    self.assertEqual(code, 78, said)
                    self.assertRegex(said, r"generated\d+\.toml:\d+:\d+: error: ")
        self.assertGreaterEqual(accepted, AT_LEAST_ACCEPTED)

    def test_every_value_alone(self):
        """Of those options whose values are texts with a grammar of their own."""
        for table, key in (("log", "access_format"), ("request", "trusted_proxies"), ("app", "env"), ("server", "name"), ("log", "access")):
            for it in OPTIONS[table, key]:
                tables = {"app": {"library": value(library("hello"))}, "server": {"bind": '["127.0.0.1:0"]'}, "workers": {"count": "1"}}
                tables.setdefault(table, {})[key] = value(it)
                text = "\n".join(f"[{name}]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items()) for name, keys in tables.items())
                file = self.write("one.toml", text + f'[control]\nsocket = {value(self.path("control.sock"))}\n')
                with self.subTest(text):
                    code, _, said = self.run_command("check", "-c", file)
                    self.boots(text, file) if code == 0 else self.assertRegex(said, r"one\.toml:\d+:\d+: error: ")

    def test_common_is_a_format_and_common2_is_a_misspelt_one(self):
        serval = self.start(config={"log": {"access_format": "common"}})
        serval.get("/a")
        serval.expect_access(r'^127\.0\.0\.1 - - \[[^\]]+\] "GET /a HTTP/1\.1" 200 \d+$')
        file = self.write("wrong.toml", f'[app]\nlibrary = {value(library("hello"))}\n[log]\naccess_format = "common2"\n')
        code, _, said = self.run_command("check", "-c", file)
        self.assertEqual(code, 78)
        self.assertRegex(said, r'wrong\.toml:4:17: error: log\.access_format = "common2": .*did you mean "common"')


if __name__ == "__main__":
    unittest.main()
