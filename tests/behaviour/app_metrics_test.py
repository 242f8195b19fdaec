"""The app's own metrics in /metrics: sums that go on whatever becomes of workers, generations and versions."""

import os
import re
import signal
import unittest

import process_tree
from admin_endpoints import ADMIN, Admin
from http_client import wait_until
from serval_process import toml

HITS = "measured_hits_total"
LEVEL = "measured_level_bytes"


def order(kind, origin="here"):
    return f'measured_orders_total{{kind="{kind}",from="{origin}"}}'


class AppMetrics(Admin):
    def start_measured(self, *app_args, config=None, **options):
        config = {"workers": {"count": 2, "threads": 2}, **(config or {})}
        return self.start(app="measured", config=config, app_args=list(app_args), env=ADMIN, **options)

    def set_args(self, *app_args):
        """For the next reload."""
        with open(self.path("serval0.toml"), encoding="utf-8") as file:
            text = file.read()
        args = toml({"": {"args": list(app_args)}}).splitlines()[1]
        self.write("serval0.toml", re.sub(r"(?m)^args = .*$", lambda _: args, text))

    def ask(self, serval, *targets):
        for target in targets:
            self.assertEqual(serval.get(target).status, 200, target)

    def ask_worker(self, serval, pid, *targets):
        with serval.client_at(pid) as client:
            for target in targets:
                self.assertEqual(client.get(target).text, str(pid))

    def wait_workers(self, serval, other_than=()):
        wait_until(lambda: len(workers := serval.workers()) == 2 and not set(workers.values()) & set(other_than),
                   "two workers")
        wait_until(lambda: self.status()["ready"], "a ready server")


class Sums(AppMetrics):
    def test_workers_are_summed_and_what_the_mold_counts_is_not(self):
        serval = self.start_measured()
        for pid in serval.workers().values():
            self.ask_worker(serval, pid, "/hit", "/order?kind=gift&n=3", "/level?to=2.5",
                            "/size?is=1", "/size?is=2500", "/size?is=1e9")
        values = self.metrics(serval)
        self.assertEqual((values[HITS], values[order("gift")], values[LEVEL]), (2, 6, 5))
        buckets = [values[f'measured_size_bytes_bucket{{le="{bound}"}}'] for bound in ("1", "10", "2500", "+Inf")]
        self.assertEqual(buckets, [2, 2, 4, 6])
        self.assertEqual((values["measured_size_bytes_sum"], values["measured_size_bytes_count"]), (2e9 + 5002, 6))

    def test_killed_workers_take_nothing_but_their_gauges_along(self):
        serval = self.start_measured()
        workers = serval.workers()
        for pid in workers.values():
            self.ask_worker(serval, pid, "/hit", "/order?kind=gift", "/size?is=3", "/level?to=10")
        self.assertEqual(self.metrics(serval)[LEVEL], 20)
        for pid in workers.values():
            os.kill(pid, signal.SIGKILL)
        self.wait_workers(serval, other_than=workers.values())
        values = self.metrics(serval)
        self.assertEqual((values[HITS], values[order("gift")]), (2, 2))
        self.assertEqual((values["measured_size_bytes_count"], values["measured_size_bytes_sum"]), (2, 6))
        self.assertEqual(values[LEVEL], 2)  # what worker_start says
        self.ask(serval, "/hit")
        self.assertEqual(self.metrics(serval)[HITS], 3)

    def test_counters_never_go_back_over_deaths_recycling_reloads_and_upgrades(self):
        serval = self.start_measured()
        sent = 0

        def more():
            nonlocal sent
            for _ in range(5):
                self.ask(serval, "/hit", "/order?kind=gift", "/size?is=7")
                sent += 1
            values = self.metrics(serval)
            self.assertEqual({values[name] for name in (HITS, order("gift"), "measured_size_bytes_count")}, {sent})

        more()
        for change in ("recycle all", "reload", "upgrade", "reload", "upgrade"):
            self.order(*change.split())
            more()
        os.kill(serval.mold(), signal.SIGKILL)
        serval.expect_log("mold died")
        workers = serval.workers()
        for pid in workers.values():
            os.kill(pid, signal.SIGKILL)
        self.wait_workers(serval, other_than=workers.values())
        more()
        self.assertEqual(self.metrics(serval)["measured_size_bytes_sum"], 7 * sent)

    def test_workers_that_hang_and_a_master_that_hangs_are_no_matter(self):
        serval = self.start_measured()
        self.ask(serval, "/hit", "/order?kind=gift&n=4")
        stopped = [*serval.workers().values(), serval.mold(), serval.pid]
        for pid in stopped:
            if pid != serval.pid:
                self.addCleanup(process_tree.kill, pid)
            os.kill(pid, signal.SIGSTOP)
        try:
            values = self.metrics(serval)
            self.assertEqual((values[HITS], values[order("gift")], values[LEVEL]), (1, 4, 2))
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)


class Labels(AppMetrics):
    def test_more_values_than_rows_count_as_other_and_are_said_once(self):
        serval = self.start_measured("rows=3")
        for n in range(12):
            self.ask(serval, f"/order?kind=kind_{n}")
        values = {name: value for name, value in self.metrics_with_digits(serval).items()
                  if name.startswith("measured_orders")}
        self.assertEqual(sum(values.values()), 12)
        self.assertEqual(values[order("other", "other")], 9)
        self.assertEqual(len(values), 4)
        for pid in serval.workers().values():
            self.ask_worker(serval, pid, "/order?kind=beyond")
        said = re.findall(r"metric has more combinations of label values than rows.*", serval.log())
        self.assertEqual(len(said), 1, said)
        self.assertIn("metric=measured_orders rows=3", said[0])

    def test_values_are_escaped_cut_and_made_utf8(self):
        serval = self.start_measured()
        self.ask(serval, "/order?kind=a%22b%5Cc%0Ad", "/order?kind=%FF", "/order?kind=" + 60 * "%C3%A4", "/order?kind=")
        text = self.look(serval, "/metrics").text
        for value in ('a\\"b\\\\c\\nd', "\ufffd", 28 * "ä", ""):
            self.assertIn(f'\n{order(value)} 1\n', text)

    def test_a_wrong_number_of_values_is_the_requests_failure(self):
        serval = self.start_measured()
        self.assertEqual(serval.get("/wrong").status, 500)
        serval.expect_log("std::invalid_argument: a metric with 2 labels was given 1 values")

    def metrics_with_digits(self, serval):
        text = self.look(serval, "/metrics").text
        return {name: float(value) for name, value in re.findall(r"^(\w+(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE)}


class Texts(AppMetrics):
    def test_both_formats_say_what_they_have_to(self):
        serval = self.start_measured()
        self.ask(serval, "/hit", "/order?kind=gift", "/size?is=1")
        old = self.look(serval, "/metrics").text
        for lines in ("# HELP measured_hits_total requests, counted by a global\n",
                      "# TYPE measured_hits_total counter\nmeasured_hits_total 1\n",
                      '# HELP measured_orders_total orders \\\\ "taken"\\nby kind\n'
                      "# TYPE measured_orders_total counter\n",
                      "# TYPE measured_level_bytes gauge\nmeasured_level_bytes 2\n",
                      '# TYPE measured_size_bytes histogram\nmeasured_size_bytes_bucket{le="1"} 1\n'):
            self.assertIn("\n" + lines, old)
        new = self.look(serval, "/metrics", [("Accept", "application/openmetrics-text;version=1.0.0")]).text
        for lines in ("# TYPE measured_hits counter\nmeasured_hits_total 1\n",
                      '# HELP measured_orders orders \\\\ \\"taken\\"\\nby kind\n# TYPE measured_orders counter\n',
                      '# TYPE measured_size_bytes histogram\nmeasured_size_bytes_bucket{le="1.0"} 1\n'):
            self.assertIn("\n" + lines, new)
        self.assertTrue(new.endswith("# EOF\n"))
        for text in (old, new):
            families = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
            self.assertEqual(len(families), len(set(families)))
            samples = re.findall(r"^([^#].*) \S+$", text, re.MULTILINE)
            self.assertEqual(len(samples), len(set(samples)))


class Generations(AppMetrics):
    def test_metrics_come_and_go_with_the_generation_that_declares_them(self):
        serval = self.start_measured("also=measured_before")
        self.ask(serval, "/also", "/hit")
        self.set_args("also=measured_after")
        self.order("reload")
        wait_until(lambda: "measured_before_total" not in self.metrics(serval), "the old generation's metrics to go")
        self.ask(serval, "/also", "/hit")
        values = self.metrics(serval)
        self.assertEqual((values["measured_after_total"], values[HITS]), (1, 2))
        self.set_args("also=measured_before")
        self.order("reload")
        wait_until(lambda: "measured_after_total" not in self.metrics(serval), "the second generation's metrics to go")
        self.assertEqual(self.metrics(serval)["measured_before_total"], 1)

    def test_a_generation_that_comes_back_goes_on_with_what_it_has_counted(self):
        serval = self.start_measured("also=measured_before", config={"reload": {"keep": "1h"}})
        self.ask(serval, "/also", "/hit")
        self.set_args("also=measured_after")
        self.order("reload")
        self.ask(serval, "/also", "/hit")
        wait_until(lambda: "measured_before_total" not in self.metrics(serval), "the old generation's metrics to go")
        self.order("rollback")
        self.ask(serval, "/also", "/hit")
        wait_until(lambda: "measured_after_total" not in self.metrics(serval), "the second generation's metrics to go")
        values = self.metrics(serval)
        self.assertEqual((values["measured_before_total"], values[HITS]), (2, 3))

    def test_another_type_of_the_same_name_begins_anew_and_says_so(self):
        serval = self.start_measured()
        self.ask(serval, "/order?kind=gift")
        self.set_args("orders=gauge")
        self.order("reload")
        serval.expect_log("metric begins anew: its type, labels or bounds are not those of an earlier generation "
                          "metric=measured_orders")
        self.ask(serval, "/order", "/order")
        values = self.metrics(serval)
        self.assertEqual(values["measured_orders"], 2)
        self.assertNotIn(order("gift"), values)
        self.set_args("rows=64")
        self.order("reload")
        self.ask(serval, "/order?kind=gift")
        wait_until(lambda: self.metrics(serval).get(order("gift")) == 2,
                   lambda: f"the first series to go on: {self.metrics(serval)}")


class Refused(AppMetrics):
    CASES = {
        "9lives": "a name is [a-zA-Z_][a-zA-Z0-9_]*",
        "serval_mine": "names that begin with serval_ are serval's",
        "measured_hits": "the app has a metric of this name already",  # with _total or without
    }

    def test_names_that_cannot_be_refuse_the_load(self):
        for name, why in self.CASES.items():
            with self.subTest(name):
                serval = self.launch_config("measured", app_args=["also=" + name])
                self.assertEqual(serval.wait(), 1)
                log = serval.log().replace('\\"', '"')
                self.assertIn("app's preload failed: std::invalid_argument: "
                              f'counter "{name}" cannot be declared: {why}', log)

    def test_check_finds_them_too(self):
        self.launch_config("measured", app_args=["also=bad-name"]).wait()
        code, out, err = self.run_command("check", "-c", self.path("serval0.toml"))
        self.assertNotEqual(code, 0)
        self.assertIn("cannot be declared", out + err)

    def test_a_reload_that_declares_one_changes_nothing(self):
        serval = self.start_measured()
        self.ask(serval, "/hit")
        self.set_args("also=bad-name")
        self.assertIn("cannot be declared", self.order("reload", code=1))
        self.ask(serval, "/hit")
        self.assertEqual(self.metrics(serval)[HITS], 2)

    def test_declared_in_a_worker_it_is_too_late(self):
        serval = self.launch_config("measured", app_args=["late=yes"])
        self.assertEqual(serval.wait(), 1)
        self.assertRegex(serval.log(), r'measured_late\\?" cannot be declared: metrics are declared while the app loads')


class Memory(AppMetrics):
    def test_an_app_without_metrics_pays_nothing(self):
        serval = self.start_probe(env=ADMIN)
        text = self.look(serval, "/metrics").text
        self.assertNotRegex(text, r"(?m)^# TYPE (?!serval_)")
        for pid in serval.workers().values():
            with open(f"/proc/{pid}/smaps", encoding="utf-8") as file:
                found = re.search(r"serval-app-metrics.*?\nRss: +(\d+) kB", file.read(), re.DOTALL)
            self.assertLessEqual(int(found[1]), 64)

    def test_twenty_metrics_are_shown(self):
        serval = self.start_measured("many=20")
        text = self.look(serval, "/metrics").text
        self.assertEqual(len(re.findall(r"(?m)^# TYPE measured_many_", text)), 20)
        self.assertIn('measured_many_9_total{kind="one"} 2\n', text)
        self.assertIn('measured_many_sizes_9_bucket{le="0.025"} 2\n', text)


if __name__ == "__main__":
    unittest.main()
