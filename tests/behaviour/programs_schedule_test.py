"""Programs that a schedule runs to completion: each run on time, none beside another one, failures said, and what commands do with them."""

import datetime
import re
import time
import unittest

import process_tree
from admin_endpoints import ADMIN, Admin
from http_client import wait_until
from programs import ProgramsTest


class ProgramsSchedule(ProgramsTest, Admin):
    def start_schedules(self, programs, **options):
        """... and waits until the server has looked at them, and can be asked."""
        serval = self.launch_programs(programs, **options)
        serval.expect_log("program is scheduled", count=len(programs))
        return serval

    def schedule(self, name):
        return self.program(name)["schedule"]

    def runs(self, name, result="success"):
        return self.schedule(name)["runs"].get(result, 0)

    def wait_runs(self, name, number, result="success"):
        wait_until(lambda: self.runs(name, result) >= number, f"{number} runs of {name} that are a {result}")

    def test_a_job_runs_on_time_and_the_server_lives_without_it(self):
        serval = self.start_schedules({"job": {"command": self.puppet("say=done", "exit=0"), "every": "1s"}})
        serval.expect_log(r"program is scheduled program=job when=\"every 1s\" next=\"its next run is due in 1s\"")
        self.wait_runs("job", 3)
        serval.expect_log(r"program run ended program=job instance=0 program_pid=\d+ result=success how=\"exit code 0\" took_ms=\d+ "
                          r"next=\"its next run is due in")
        serval.expect_log(r"job\[0\] .*: done")
        program, schedule = self.program("job"), self.schedule("job")
        self.assertTrue(program["up"])
        self.assertEqual(schedule["when"], "every 1s")
        self.assertEqual((schedule["last"]["result"], schedule["last"]["how"]), ("success", "exit code 0"))
        self.assertLess(abs(schedule["next_at_s"] - time.time()), 60)
        self.assertLess(abs(schedule["succeeded_at_s"] - time.time()), 60)
        table = self.order("status")
        self.assertRegex(table, r"job scheduled, every 1s, next \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d\n +last \d{4}.*, success after ")
        self.assertEqual(serval.stop(), 0)

    def test_a_run_that_is_due_while_the_last_one_goes_on_is_skipped(self):
        serval = self.start_schedules({"slow": {"command": self.puppet("wait-for=" + self.path("go"), "exit=0"), "every": "1s"}})
        serval.expect_log(r"program run skipped program=slow why=\"the last run still goes on\"", count=2)
        self.assertEqual(len(self.program("slow")["instances"]), 1)
        self.assertEqual(serval.log().count("program started program=slow"), 1)
        self.write("go", "")
        self.wait_runs("slow", 2)

    def test_runs_overlap_if_they_are_told_to(self):
        self.start_schedules({"slow": {"command": self.puppet(), "every": "1s", "overlap": "allow"}})
        wait_until(lambda: sorted(self.pids("slow")) == [0, 1, 2], "three runs at a time")

    def test_a_failure_is_said_and_the_next_run_comes(self):
        serval = self.start_schedules({"job": {"command": self.puppet("exit-unless=" + self.path("well"), "exit=0"), "every": "1s"}})
        serval.expect_log(r"error.*program run ended program=job .*result=failure how=\"exit code 3\"")
        self.assertRegex(self.order("status"), r"last .*, failure \(exit code 3\) after ")
        self.assertIsNone(self.schedule("job")["succeeded_at_s"])
        self.write("well", "")
        self.wait_runs("job", 1)
        self.assertEqual(self.schedule("job")["last"]["result"], "success")

    def test_start_runs_it_now_and_once(self):
        serval = self.start_schedules({
            "job": {"command": self.puppet("exit=0"), "every": "1h"},
            "long": {"command": self.puppet(), "every": "1h"},
            "broken": {"command": [self.path("nowhere")], "every": "1h"}})
        self.assertTrue(self.status()["ready"])
        self.assertEqual(self.program("job")["instances"], [])
        self.assertIn("has not run yet", self.order("status"))
        self.order("start", "job")
        self.wait_runs("job", 1)
        self.assertEqual(self.program("job")["instances"], [])
        self.order("start", "long")
        self.assertIn("a run of long goes on already", self.order("start", "long", code=1))
        self.assertIn("a run did not start", self.order("start", "broken", code=1))
        self.assertIn("there is one run at a time", self.order("scale", "job=3", code=1))
        pid = self.pids("long")[0]
        self.order("recycle", "long")
        self.order("reload")
        self.assertEqual(self.pids("long")[0], pid, "a run is brought to its end")
        self.assertEqual(serval.stop(), 0)
        self.assertFalse(process_tree.alive(pid))

    def test_stop_ends_a_run_and_the_schedule_until_start(self):
        serval = self.start_schedules({"job": {"command": self.puppet(), "every": "1s"}})
        wait_until(lambda: self.pids("job"), "a run")
        pid = self.pids("job")[0]
        self.order("stop", "job")
        self.assertFalse(process_tree.alive(pid))
        serval.expect_log(r"program run ended program=job .*result=stopped")
        self.assertIsNone(self.schedule("job")["next"])
        started = serval.log().count("program started program=job")
        time.sleep(2)  # in which it would have been due
        self.assertEqual(serval.log().count("program started program=job"), started)
        self.order("start", "job")
        wait_until(lambda: self.pids("job"), "a run")

    def test_a_run_that_takes_too_long_is_ended(self):
        serval = self.start_schedules({"job": {"command": self.puppet("ignore=TERM", "tree=1"), "every": "2s", "max_lifetime": "1s", "grace": "200ms"}})
        serval.expect_log(r"program run takes too long program=job .*max_lifetime=1s next=\"ending it\"")
        serval.expect_log(r"program run ended program=job .*result=timeout how=SIGKILL")
        self.wait_runs("job", 2, "timeout")

    def test_a_failed_run_is_tried_again_before_the_next_one(self):
        serval = self.start_schedules(
            {"job": {"command": self.puppet("exit-unless=" + self.path("well"), "exit=0"), "every": "1h", "restart": "on-failure"}},
            config={"restart": {"backoff_first": "20ms", "backoff_max": "50ms"}})
        self.order("start", "job")
        serval.expect_log(r"program run ended program=job .*result=failure .*next=\"restarting", count=2)
        self.write("well", "")
        self.wait_runs("job", 1)
        self.assertEqual(self.program("job")["instances"], [])

    def test_an_upgrade_and_a_reload_move_nothing(self):
        self.start_schedules({"job": {"command": self.puppet("wait-for=" + self.path("go"), "exit=0"), "every": "1h"}})
        due = lambda: self.schedule("job")["next_at_s"]
        before = due()
        self.order("start", "job")
        pid = self.pids("job")[0]
        self.order("upgrade")
        self.assertEqual(self.pids("job")[0], pid)
        self.assertLess(abs(due() - before), 1)
        self.order("reload")
        self.assertLess(abs(due() - before), 1)
        self.write("go", "")
        self.wait_runs("job", 1)
        self.assertLess(abs(due() - before), 1)

    def test_metrics_know_schedules(self):
        serval = self.start_schedules({"job": {"command": self.puppet("exit=0"), "every": "1h"}}, env=ADMIN)
        self.order("start", "job")
        self.wait_runs("job", 1)
        metrics = self.metrics(serval)
        self.assertEqual(metrics['serval_program_runs_total{program="job",result="success"}'], 1)
        self.assertEqual(metrics['serval_program_runs_total{program="job",result="failure"}'], 0)
        self.assertLess(abs(metrics['serval_program_last_success_timestamp_seconds{program="job"}'] - time.time()), 60)
        self.assertLess(metrics['serval_program_last_run_duration_seconds{program="job"}'], 30)
        self.assertLess(abs(metrics['serval_program_next_run_timestamp_seconds{program="job"}'] - time.time() - 3600), 120)

    def check(self, program, code=0, zone="UTC"):
        self.write("check.toml", self.tables({"job": {"command": ["true"], **program}}))
        got, out, err = self.run_command("check", "--config", self.path("check.toml"), env={"TZ": zone})
        self.assertEqual(got, code, (out, err))
        return out + err

    def test_check_says_when_cron_runs_it(self):
        out = self.check({"cron": "30 3 * * *"})
        times = re.findall(r"\d{4}-\d\d-\d\d 03:30:00 \+00:00", out)
        self.assertEqual(len(times), 3, out)
        days = [datetime.date.fromisoformat(one[:10]) for one in times]
        self.assertEqual([(b - a).days for a, b in zip(days, days[1:])], [1, 1])
        self.assertIn("04:00:00 +05:45", self.check({"cron": "0 4 * * *"}, zone="<+0545>-5:45"))
        self.assertIn("program job runs every 5m", self.check({"every": "5m"}))

    def test_what_makes_no_sense_is_refused_with_its_reason(self):
        for program, why in (
                ({"cron": "61 * * * *"}, "its minute is not right: expected 0 to 59"),
                ({"cron": "0 0 30 2 *"}, "it would never be run"),
                ({"cron": "@daily", "every": "1h"}, "are both set"),
                ({"every": "1h", "restart": "always"}, "is run to completion"),
                ({"every": "1h", "count": 2}, "has one instance"),
                ({"every": "1h", "memory_soft": "1GiB"}, "memory_hard ends it"),
                ({"every": "10ms"}, "programs.job.every"),
                ({"missed": "run"}, "is for a program with every or cron")):
            self.assertIn(why, self.check(program, code=78), program)


if __name__ == "__main__":
    unittest.main()
