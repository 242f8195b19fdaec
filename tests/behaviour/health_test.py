"""[health]: probes on the app's own listeners are answered by serval itself, whatever the app's threads do, and say why no
new traffic should be sent here."""

import json
import os
import signal
import unittest

from http_client import request_bytes, wait_until
from load import Load
from orders import Orders
from serval_process import library, merged

HEALTH = {"live": "/health", "ready": "/health/ready", "ready_interval": "20ms"}


class Health(Orders):
    def start_health(self, health=None, config=None, **options):
        """The probe app, which says that it is not ready while the file `unready` is there."""
        os.mkdir(self.path("gates"))
        args = ["gates=" + self.path("gates"), "unready=" + self.path("unready")]
        return self.start(app="probe", config=merged(config or {}, {"health": {**HEALTH, **(health or {})}}), app_args=args, **options)

    def ready(self, serval):
        """(status, reasons) of a probe over a connection of its own."""
        response = serval.get("/health/ready")
        return response.status, json.loads(response.body).get("reasons", [])

    def expect_ready(self, serval, reasons=()):
        expected = (503 if reasons else 200, list(reasons))
        seen = {}

        def look():
            seen["last"] = self.ready(serval)
            return seen["last"] == expected

        wait_until(look, lambda: f"{expected}; the last was {seen['last']}")

    def occupy(self, serval, threads):
        """Takes all threads of the only worker."""
        for i in range(threads):
            client = serval.client()
            self.addCleanup(client.close)
            client.send(request_bytes(target=f"/gate?name=busy{i}"))
            self.wait_entered(f"busy{i}")


class Answers(Health):
    def test_a_ready_server(self):
        serval = self.start_health(config={"workers": {"count": 2}})
        live = serval.get("/health")
        self.assertEqual((live.status, live.body), (200, b'{"status":"ok"}'))
        self.assertEqual(live.get("Content-Type"), "application/json")
        self.assertEqual(live.get("Cache-Control"), "no-store")
        ready = serval.get("/health/ready")
        self.assertEqual((ready.status, json.loads(ready.body)), (200, {"status": "ok", "workers": {"serving": 2, "ready": 2}}))

    def test_head_has_no_body_and_a_query_does_not_matter(self):
        with self.start_health().client() as client:
            head = client.request("HEAD", "/health")
            self.assertEqual((head.status, head.get("Content-Length")), (200, "15"))
            self.assertEqual(client.get("/health?from=kubelet").status, 200)
            self.assertEqual(client.get("/").body, b"probe\n")

    def test_everything_else_is_the_apps(self):
        with self.start_health().client() as client:
            self.assertEqual(client.request("POST", "/health", body=b"x").body, b"probe\n")
            self.assertEqual(client.get("/healthy").body, b"probe\n")
            self.assertEqual(client.get("/health/").body, b"probe\n")

    def test_without_the_section_the_app_has_its_paths(self):
        serval = self.start_probe()
        self.assertEqual(serval.get("/health").body, b"probe\n")

    def test_one_path_alone(self):
        serval = self.start_health(health={"live": ""})
        self.assertEqual(serval.get("/health").body, b"probe\n")
        self.assertEqual(self.ready(serval), (200, []))

    def test_they_are_not_counted_and_not_logged(self):
        serval = self.start_health(config={"workers": {"count": 1, "max_requests": 5}})
        worker = serval.workers()
        with serval.client() as client:
            for _ in range(20):
                client.get("/health")
                client.get("/health/ready")
            client.get("/pid?counted")
        serval.expect_access("/pid[?]counted")
        self.assertNotIn("/health", "\n".join(serval.access()))
        self.assertEqual(serval.workers(), worker)
        self.assertEqual(self.status()["totals"]["requests"], 1)

    def test_they_are_logged_if_wanted(self):
        serval = self.start_health(health={"log": True})
        serval.get("/health/ready?logged")
        serval.expect_access("GET /health/ready[?]logged HTTP/1.1. 200")
        self.assertEqual(self.status()["totals"]["requests"], 0)


class Busy(Health):
    def test_all_threads_are_busy(self):
        serval = self.start_health(config={"workers": {"count": 1, "threads": 2}})
        with serval.client() as kept:
            self.assertEqual(kept.get("/").status, 200)
            self.occupy(serval, 2)
            self.assertEqual(kept.get("/health").status, 200)  # over a connection that was there
            self.assertEqual(self.ready(serval), (200, []))    # and over a new one
        self.open_gate("busy0", "busy1")

    def test_the_queue_is_full(self):
        serval = self.start_health(config={"workers": {"count": 1, "threads": 1, "queue": 1}})
        self.occupy(serval, 1)
        with serval.client() as waits:
            waits.send(request_bytes(target="/pid"))
            wait_until(lambda: self.status()["workers"][0]["waiting"] == 1, "the request that waits")
            self.assertEqual(serval.get("/pid").status, 503)
            self.assertEqual(serval.get("/health").status, 200)
            self.open_gate("busy0")
            self.assertEqual(waits.read_response().status, 200)

    def test_the_master_is_stopped(self):
        serval = self.start_health()
        self.order("drain")
        serval.signal(signal.SIGSTOP)
        self.addCleanup(serval.signal, signal.SIGCONT)
        self.assertEqual(self.ready(serval), (503, ["draining (serval drain)"]))
        serval.signal(signal.SIGCONT)


class Reasons(Health):
    def test_drain_and_undrain(self):
        serval = self.start_health()
        self.order("drain")
        self.assertEqual(self.ready(serval), (503, ["draining (serval drain)"]))
        self.assertEqual(serval.get("/health").status, 200)
        self.order("undrain")
        self.assertEqual(self.ready(serval), (200, []))

    def test_the_delay_of_a_stop(self):
        serval = self.start_health(config={"shutdown": {"delay": "20s"}})
        with serval.client() as kept:
            self.assertEqual(kept.get("/").status, 200)
            serval.signal(signal.SIGTERM)
            serval.expect_log("stopping signal=TERM")
            self.assertEqual(self.ready(serval), (503, ["stopping"]))
            self.assertEqual(kept.get("/health/ready").status, 503)
            self.assertEqual(kept.get("/").status, 200)  # it serves on
        self.order("stop", "--now")
        serval.wait()

    def test_a_pause_and_what_comes_in_it(self):
        serval = self.start_health(config={"workers": {"count": 1}})
        self.order("pause")
        self.assertEqual(self.ready(serval), (503, ["paused (serval pause)"]))  # over a connection that came in the pause
        with serval.client() as held:
            held.send(request_bytes(target="/pid"))
            wait_until(lambda: self.status()["workers"][0]["waiting"] == 1, "the request that is held")
            self.assertEqual(self.ready(serval), (503, ["paused (serval pause)"]))
            self.order("resume")
            self.assertEqual(held.read_response().status, 200)
        self.assertEqual(self.ready(serval), (200, []))

    def test_a_pause_that_holds_more_requests_than_the_queue_answers_probes(self):
        serval = self.start_health(config={"workers": {"count": 1, "queue": 3}})
        self.order("pause")
        clients = [serval.client() for _ in range(8)]
        for client in clients:
            self.addCleanup(client.close)
            client.send(request_bytes(target="/pid"))
        wait_until(lambda: self.status()["workers"][0]["waiting"] == 8, "all of them being held")
        self.assertEqual(serval.get("/health").status, 200)
        self.order("resume")
        self.assertEqual([client.read_response().status for client in clients], [200] * 8)

    def test_a_drain_file(self):
        serval = self.start_health(health={"drain_file": ".broken"})
        self.assertEqual(self.ready(serval), (200, []))
        self.write(".broken", "")
        self.assertEqual(self.ready(serval), (503, ["draining (health.drain_file exists)"]))  # at once
        wait_until(lambda: self.status()["unready"] == "draining (health.drain_file exists)", "status to say so as well")
        self.assertIn("draining (health.drain_file exists)", self.order("healthcheck", "--ready", code=1))
        serval.expect_log(r"health\.drain_file is there: reported not ready, served on file=\S+/\.broken")
        os.remove(self.path(".broken"))
        self.assertEqual(self.ready(serval), (200, []))
        wait_until(lambda: self.status()["ready"], "status to say so as well")
        serval.expect_log(r"health\.drain_file is gone: reported ready again")

    def test_too_few_workers(self):
        serval = self.start_health(health={"ready_workers": 2}, config={"workers": {"count": 2}})
        self.assertEqual(self.ready(serval), (200, []))
        self.order("scale", "1")
        self.expect_ready(serval, ["only 1 worker serves, and health.ready_workers is 2"])
        self.assertEqual(self.status()["unready"], "only 1 worker serves, and health.ready_workers is 2")
        self.order("scale", "2")
        self.expect_ready(serval)

    def test_more_than_there_are_to_be_is_refused(self):
        self.write("serval.toml", '[app]\nlibrary = "%s"\n[workers]\ncount = 2\n[health]\nready_workers = 3\n' % library("hello"))
        code, _, err = self.run_command("check", "-c", self.path("serval.toml"))
        self.assertEqual(code, 78)
        self.assertIn("health.ready_workers = 3 is more than workers.count = 2", err)


class TheApp(Health):
    def test_the_apps_word_counts_all_its_life(self):
        serval = self.start_health(config={"workers": {"count": 2}})
        for _ in range(2):
            self.write("unready", "")
            self.expect_ready(serval, ["the app's ready() says no in all 2 workers"])
            self.assertEqual(serval.get("/").status, 200)  # where all say no, all serve
            self.assertIs(self.status()["ready"], False)
            self.assertIn("the app is not ready", self.order("status"))
            os.remove(self.path("unready"))
            wait_until(lambda: all(worker["ready"] for worker in self.status()["workers"]), "a yes from both")
            self.assertEqual(self.ready(serval), (200, []))
        serval.expect_log("worker.0. .*the app's ready.. says no", count=2)
        serval.expect_log("worker.0. .*the app is ready again", count=2)

    def test_what_it_throws_is_said_once(self):
        serval = self.start_health(config={"workers": {"count": 1}})
        self.write("unready.throws", "")

        def thrown():
            try:
                with open(self.path("unready.thrown"), encoding="utf-8") as file:
                    return len(file.readlines())
            except FileNotFoundError:
                return 0

        wait_until(lambda: thrown() >= 5, "it to throw five times")
        os.remove(self.path("unready.throws"))
        self.expect_ready(serval)
        serval.expect_log(r"error worker.0. .*ready\(\) threw, taken for no: std::runtime_error: the database is not there")
        self.assertEqual(serval.log().count("the database is not there"), 1, serval.log())

    def test_one_that_says_no_leaves_new_connections_to_others(self):
        serval = self.start_health(config={"workers": {"count": 3}})
        unwell = serval.workers()[0]
        self.write(f"unready.{unwell}", "")
        wait_until(lambda: [worker["ready"] for worker in self.status()["workers"]] == [False, True, True], "the worker's no")
        self.assertEqual(self.ready(serval), (200, []))
        pids = {int(serval.get("/pid").body) for _ in range(50)}
        self.assertNotIn(unwell, pids)
        os.remove(self.path(f"unready.{unwell}"))
        wait_until(lambda: int(serval.get("/pid").body) == unwell, "connections for it again")

    def test_no_request_is_lost_while_workers_change_their_minds(self):
        serval = self.start_health(config={"workers": {"count": 3}})
        workers = serval.workers()
        with Load(serval, target="/pid") as load:
            for _ in range(3):
                for pid in workers.values():
                    self.write(f"unready.{pid}", "")
                    wait_until(lambda: self.status()["unready"] or not all(w["ready"] for w in self.status()["workers"]), "a no")
                for pid in workers.values():
                    os.remove(self.path(f"unready.{pid}"))
                wait_until(lambda: all(w["ready"] for w in self.status()["workers"]), "a yes from all")
            load.wait_for(20)
        self.assertEqual(load.failures, [])

    def test_one_that_does_not_return_is_a_no(self):
        serval = self.start_health(config={"workers": {"count": 1, "threads": 2}, "request": {"timeout": "200ms"}})
        self.write("unready.hangs", "")
        self.expect_ready(serval, ["the app's ready() says no in the only worker"])
        serval.expect_log("ready.. does not answer.*request.timeout")
        self.assertEqual(serval.get("/").status, 200)  # on the other thread
        os.remove(self.path("unready.hangs"))
        self.write("unready.hang.open", "")
        self.expect_ready(serval)

    def test_busy_threads_say_nothing_about_the_app(self):
        serval = self.start_health(config={"workers": {"count": 1, "threads": 1}})
        self.occupy(serval, 1)
        self.write("unready", "")
        self.assertEqual(self.ready(serval), (200, []))
        self.open_gate("busy0")
        self.expect_ready(serval, ["the app's ready() says no in the only worker"])

    def test_it_is_not_asked_where_that_is_off(self):
        serval = self.start_health(health={"ready_interval": "0", "drain_file": "broken"})
        self.write("unready", "")
        self.write("broken", "")
        self.expect_ready(serval, ["draining (health.drain_file exists)"])
        os.remove(self.path("broken"))
        self.assertEqual(self.ready(serval), (200, []))

    def test_a_reload_waits_for_the_new_codes_yes(self):
        serval = self.start_health(config={"workers": {"count": 2}})
        self.write("unready", "")
        self.expect_ready(serval, ["the app's ready() says no in all 2 workers"])
        os.remove(self.path("unready"))
        self.order("reload")
        self.expect_ready(serval)


if __name__ == "__main__":
    unittest.main()
