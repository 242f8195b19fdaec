"""What programs print: a line each, tagged with program and instance, whatever it is; and who else sees it."""

import json
import os
import re
import unittest

from http_client import wait_until
from programs import ProgramsTest


class ProgramsLog(ProgramsTest):
    def test_lines_are_tagged_and_survive_as_they_are(self):
        serval = self.start_programs({"mailer": {"command": self.puppet("say=plain", "warn=to stderr", "binary", "long=100000", "say=after"), "count": 2}})
        for number in (0, 1):
            serval.expect_log(rf"mailer\[{number}\] .*: plain")
            serval.expect_log(rf"mailer\[{number}\] .*: to stderr")
            serval.expect_log(rf"mailer\[{number}\] .*: after")
        self.assertGreaterEqual(serval.log().count("x" * 1000), 2)
        self.assertNotIn("\x00", serval.log())

    def test_json_lines_parse(self):
        serval = self.start_programs({"mailer": {"command": self.puppet("say={\"level\":\"warning\",\"jobs\":3}", "say=plain", "binary")}},
                                     config={"log": {"format": "json"}})
        serval.expect_log('"msg":"plain"')
        lines = [json.loads(line) for line in serval.log().splitlines()]
        printed = [line for line in lines if line["process"] == "mailer[0]"]
        self.assertIn(3, [line.get("jobs") for line in printed])
        self.assertTrue(all(line["pid"] == self.pids("mailer")[0] for line in printed))

    def test_last_words_of_one_that_dies_are_there(self):
        serval = self.launch_programs({"mailer": {"command": self.puppet("say=last words", "exit=3"), "restart": "never"}})
        serval.expect_log("last words")
        self.assertEqual(serval.wait(), 1)

    def test_logs_of_one_program(self):
        log = self.path("log")
        self.start_programs({"a": {"command": self.puppet("say=hello a")}, "b": {"command": self.puppet("say=hello b")}}, config={"log": {"file": log}})
        wait_until(lambda: "hello b" in open(log, encoding="utf-8").read() and "hello a" in open(log, encoding="utf-8").read(), "both lines")
        out = self.order("logs", "--program", "a")
        self.assertIn("hello a", out)
        self.assertIn("program started program=a", out)
        self.assertNotIn("hello b", out)
        self.assertNotIn("program=b", out)

    def test_rotated_logs_get_the_lines_of_programs(self):
        log = self.path("log")
        command = self.puppet("wait-for=" + self.path("go"), "say=afterwards")
        self.start_programs({"it": {"command": command, "ready": "alive:10ms"}}, config={"log": {"file": log}})
        os.rename(log, log + ".1")
        self.order("reopen")
        self.write("go", "")
        wait_until(lambda: os.path.exists(log) and "afterwards" in open(log, encoding="utf-8").read(), "the line in the new file")
        self.assertNotIn("afterwards", open(log + ".1", encoding="utf-8").read())

    def test_a_flood_does_not_stop_the_others(self):
        flood, calm = {"command": self.puppet("flood"), "ready": "alive:10ms"}, {"command": self.puppet()}
        serval = self.start_programs({"flood": flood, "calm": calm}, config={"log": {"file": "/dev/null"}})
        self.assertEqual(len(self.pids("calm")), 1)
        self.order("recycle", "calm")
        self.order("stop", "flood")
        self.assertEqual(serval.stop(), 0)

    def test_secrets_are_in_no_answer_and_no_line(self):
        serval = self.start_programs({"it": {"command": [*self.puppet(), "say=x"], "env": {"TOKEN": "geheim"}}})
        self.rewrite({"it": {"command": self.puppet(), "env": {"TOKEN": "geheimer"}}})
        answer = self.order("reload") + self.order("status") + self.order("status", "--json")
        self.assertNotIn("geheim", answer + serval.log())
        code, out, _ = self.run_command("config", "-c", self.path("serval0.toml"))
        self.assertEqual(code, 0)
        self.assertNotIn("geheim", out)
        self.assertRegex(out, re.compile(r"^\[programs\.it\]$", re.MULTILINE))

    def test_metrics(self):
        serval = self.start_programs({"it": {"command": self.puppet(), "count": 2}}, config={"admin": {"bind": "127.0.0.1:0"}}, env={"SERVAL_ADMIN_BIND": None})
        self.order("recycle", "it")
        host, _, port = self.status()["admin"].rpartition(":")
        from http_client import Client

        def scrape():
            with Client((host, int(port))) as client:
                return client.get("/metrics", [("Host", "localhost")]).text

        wait_until(lambda: 'serval_program_restarts_total{program="it",cause="manual"} 2' in scrape(), "the count of restarts")
        text = scrape()
        for number in (0, 1):
            self.assertIn(f'serval_program_up{{program="it",instance="{number}"}} 1', text)
            self.assertRegex(text, rf'serval_program_memory_bytes{{program="it",instance="{number}"}} \d{{6,}}')
            self.assertRegex(text, rf'serval_program_cpu_seconds_total{{program="it",instance="{number}"}} 0\.\d+')


if __name__ == "__main__":
    unittest.main()
