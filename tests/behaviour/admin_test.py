"""The admin endpoints: a process of serval's own answers those who watch the server, whatever the app does, and can change
nothing."""

import os
import re
import signal
import socket
import unittest

import process_tree
from admin_endpoints import ADMIN, Admin
from http_client import Client, request_bytes, wait_until


class Probes(Admin):
    def test_a_page_from_elsewhere_cannot_read_them_under_a_name_of_its_own(self):
        serval = self.start_admin()
        for path in ("/status", "/metrics", "/"):
            refused = self.look(serval, path, [("Host", "rebound.example.com:9464")])
            self.assertEqual(refused.status, 421)
            self.assertNotIn("worker", refused.text)
            self.assertEqual(self.look(serval, path, [("Host", "localhost:9464")]).status, 200)

    def test_a_server_that_serves(self):
        serval = self.start_admin()
        for path in ("/livez", "/readyz", "/startupz"):
            with self.subTest(path):
                answer = self.look(serval, path)
                self.assertEqual((answer.status, answer.body), (200, b"ok\n"))
                self.assertEqual(answer.get("Cache-Control"), "no-store")
        self.assertEqual(self.look(serval, "/readyz?verbose").body, b"[+]master ok\n[+]ready ok\nreadyz check passed\n")

    def test_a_drained_server_lives_and_is_not_ready(self):
        serval = self.start_admin()
        self.order("drain")
        self.assertEqual(self.look(serval, "/livez").status, 200)
        answer = self.look(serval, "/readyz")
        self.assertEqual((answer.status, answer.body), (503, b"draining (serval drain)\n"))
        self.assertIn(b"[-]ready failed: draining (serval drain)\nreadyz check failed\n", self.look(serval, "/readyz?verbose").body)
        self.order("undrain")
        self.assertEqual(self.look(serval, "/readyz").status, 200)

    def test_a_stopping_server_says_so_until_its_end(self):
        serval = self.start_admin()
        client = serval.client()
        self.addCleanup(client.close)
        client.send(request_bytes(target="/gate?name=last"))
        self.wait_entered("last")
        serval.signal(signal.SIGTERM)
        wait_until(lambda: self.look(serval, "/readyz").status == 503, "a stopping server to be not ready")
        self.assertEqual(self.look(serval, "/livez").status, 200)
        self.open_gate("last")
        self.assertEqual(serval.wait(), 0)

    def test_a_master_that_does_not_answer_is_not_live(self):
        serval = self.start_admin()
        self.assertEqual(serval.get("/").status, 200)
        serval.signal(signal.SIGSTOP)
        try:
            answer = self.look(serval, "/livez")
            self.assertEqual((answer.status, answer.body), (503, b"the master does not answer\n"))
            values = self.metrics(serval)  # what workers count needs no master
            self.assertEqual([series for series in values if series.startswith("serval_build_info") and 'name="probe"' not in series], [])
            self.assertEqual((values["serval_up"], values['serval_requests_total{code="200"}']), (0, 1))
            self.assertEqual(self.look(serval, "/status").status, 503)
        finally:
            serval.signal(signal.SIGCONT)
        wait_until(lambda: self.look(serval, "/livez").status == 200, "the master to answer again")


class WhileTheAppHangs(Admin):
    def test_stuck_and_stopped_workers_are_told_with_their_requests(self):
        serval = self.start_admin(config={"workers": {"count": 2, "threads": 1}})
        for name in ("one", "two"):
            client = serval.client()
            self.addCleanup(client.close)
            client.send(request_bytes(target=f"/gate?name={name}"))
            self.wait_entered(name)
        for pid in serval.workers().values():
            os.kill(pid, signal.SIGSTOP)
            self.addCleanup(process_tree.kill, pid)
        status = self.seen(serval)
        self.assertEqual(sorted(request["target"] for worker in status["workers"] for request in worker["in_progress"]),
                         ["/gate?name=one", "/gate?name=two"])
        values = self.metrics(serval)
        self.assertEqual((values['serval_threads{state="busy"}'], values['serval_threads{state="idle"}']), (2, 0))
        self.assertEqual(self.look(serval, "/livez").status, 200)  # until they have been silent for workers.heartbeat_timeout
        wait_until(lambda: self.look(serval, "/readyz").status == 503, "workers that give no sign of life to be noticed")
        self.assertEqual(self.look(serval, "/readyz").body, b"all 2 workers have given no sign of life for 15s\n")
        code, _, err = self.run_command("healthcheck", "--ready", "-c", self.path("serval0.toml"))
        self.assertEqual(code, 1, err)
        self.assertIn("not ready: all 2 workers have given no sign of life for 15s", err)


class Metrics(Admin):
    def test_requests_count_exactly_over_deaths_reloads_and_an_upgrade(self):
        serval = self.start_admin(config={"workers": {"count": 2}})
        sent = 0

        def load():
            nonlocal sent
            for _ in range(20):
                self.assertEqual(serval.get("/").status, 200)
                sent += 1

        def counted():
            return self.metrics(serval)['serval_requests_total{code="200"}']

        load()
        self.assertEqual(counted(), sent)
        os.kill(serval.workers()[0], signal.SIGKILL)
        wait_until(lambda: self.metrics(serval)['serval_worker_restarts_total{cause="crash"}'] == 1, "the crash to count")
        wait_until(lambda: len(serval.workers()) == 2, "a successor")
        load()
        self.order("reload")
        load()
        values = self.metrics(serval)
        self.assertEqual(values['serval_reloads_total{result="ok"}'], 1)
        self.assertEqual(values["serval_generation"], 2)
        self.order("upgrade")
        load()
        wait_until(lambda: counted() == sent, lambda: f"{sent} requests; counted: {counted()}")
        values = self.metrics(serval)
        self.assertEqual(values['serval_worker_restarts_total{cause="crash"}'], 1)
        self.assertEqual(values['serval_reloads_total{result="ok"}'], 1)
        self.assertEqual(values["serval_request_duration_seconds_count"], sent)

    def test_a_failed_reload_counts(self):
        serval = self.start_admin()
        self.write("serval0.toml", "[app\n")
        self.order("reload", code=1)
        self.assertEqual(self.metrics(serval)['serval_reloads_total{result="failed"}'], 1)

    def test_connections_and_threads(self):
        serval = self.start_admin(config={"workers": {"count": 1, "threads": 3}})
        idle, busy = serval.client(), serval.client()
        self.addCleanup(idle.close)
        self.addCleanup(busy.close)
        self.assertEqual(idle.get("/").status, 200)
        busy.send(request_bytes(target="/gate?name=busy"))
        self.wait_entered("busy")

        def as_expected():
            values = self.metrics(serval)
            return (values['serval_connections{state="active"}'], values['serval_connections{state="idle"}'],
                    values['serval_threads{state="busy"}'], values['serval_threads{state="idle"}']) == (1, 1, 1, 2)

        wait_until(as_expected, lambda: f"one of each: {self.metrics(serval)}")
        self.open_gate("busy")

    def test_what_waits_in_the_kernel(self):
        serval = self.start_admin(config={"server": {"backlog": 7}})
        for pid in serval.workers().values():
            os.kill(pid, signal.SIGSTOP)
        for _ in range(3):
            self.addCleanup(serval.client().close)
        host, port = serval.addresses[0]
        label = f'{{address="{host}:{port}"}}'
        wait_until(lambda: self.metrics(serval)["serval_accept_queue_length" + label] == 3, lambda: str(self.metrics(serval)))
        self.assertEqual(self.metrics(serval)["serval_accept_queue_limit" + label], 7)
        for pid in serval.workers().values():
            os.kill(pid, signal.SIGCONT)
        wait_until(lambda: self.metrics(serval)["serval_accept_queue_length" + label] == 0, "the queue to be taken")

    def test_rules_and_dashboard_ask_for_what_is_there(self):
        serval = self.start_admin()
        serval.get("/")
        there = set(re.findall(r"^# TYPE (\S+) ", self.look(serval, "/metrics").text, re.MULTILINE))
        folder = os.path.join(os.environ["SERVAL_SOURCE"], "packaging", "observe")
        for name in ("rules.yml", "grafana.json"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                asked = set(re.findall(r"\bserval_[a-z_]+\b", file.read()))
            asked = {re.sub(r"_bucket$", "", metric) for metric in asked}
            self.assertGreater(len(asked), 5)
            # A machine without a CPU quota has no periods of it, and so on.
            asked = {metric for metric in asked if not metric.startswith(("serval_cgroup_", "serval_pressure_", "serval_open_files"))}
            self.assertEqual(asked - there, set(), name)

    def test_openmetrics_for_those_who_want_it(self):
        serval = self.start_admin()
        wants = self.look(serval, "/metrics", [("Accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")])
        self.assertEqual(wants.get("Content-Type"), "application/openmetrics-text; version=1.0.0; charset=utf-8")
        self.assertTrue(wants.text.endswith("# EOF\n"))
        with serval.client() as client:
            client.request("GET", "/", [("X-Request-Id", "checkout-17")])
        wants = self.look(serval, "/metrics", [("Accept", "application/openmetrics-text")])
        self.assertRegex(wants.text, r'(?m)^serval_request_duration_seconds_bucket\{le="[^"]+"\} 1 # \{request_id="checkout-17"\} [0-9.e-]+ [0-9]+\.[0-9]{3}$')
        self.assertEqual(self.look(serval, "/metrics").get("Content-Type"), "text/plain; version=0.0.4; charset=utf-8")


class Endpoints(Admin):
    def test_nothing_else_is_there_and_nothing_can_be_changed(self):
        serval = self.start_admin()
        self.assertEqual(self.look(serval, "/reload").status, 404)
        self.assertEqual(self.look(serval, "/metrics/../status").status, 404)
        answer = self.look(serval, "/metrics", method="POST")
        self.assertEqual((answer.status, answer.get("Allow")), (405, "GET, HEAD"))
        self.assertEqual(self.look(serval, "/status", method="HEAD").status, 200)

    def test_the_page_for_people_is_one_file_and_runs_nothing_else(self):
        serval = self.start_admin()
        page = self.look(serval, "/")
        self.assertEqual((page.status, page.get("Content-Type")), (200, "text/html; charset=utf-8"))
        nonce = re.search(r"script-src 'nonce-([0-9a-f]{32})'", page.get("Content-Security-Policy"))[1]
        self.assertIn("default-src 'none'", page.get("Content-Security-Policy"))
        self.assertEqual(len(re.findall(r"<(?:script|style)\b", page.text)), page.text.count(f'nonce="{nonce}"'))
        self.assertNotRegex(page.text, r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//")
        self.assertNotIn(nonce, self.look(serval, "/").text)

    def test_secrets_of_the_app_are_not_there(self):
        secret = "s3cr3t-0f-the-app"
        serval = self.start_admin(config={"app": {"env": {"DATABASE_URL": secret}}}, env={"OTHER_SECRET": secret})
        for path in ("/status", "/metrics", "/"):
            self.assertNotIn(secret, self.look(serval, path).text)
        with open(f"/proc/{self.admin_process(serval)}/environ", encoding="utf-8", errors="replace") as environment:
            self.assertNotIn(secret, environment.read())

    def test_a_flood_costs_the_server_little(self):
        serval = self.start_admin()
        clients = [Client(self.admin_address(serval)) for _ in range(300)]  # more than it keeps
        for client in clients:
            self.addCleanup(client.close)
        self.assertEqual(self.look(serval, "/livez").status, 200)  # idle ones make room
        self.assertEqual(serval.get("/").status, 200)


class Life(Admin):
    def test_it_starts_again_when_it_dies(self):
        serval = self.start_admin()
        address, first = self.admin_address(serval), self.admin_process(serval)
        os.kill(first, signal.SIGKILL)
        self.assertEqual(self.look(serval, "/livez").status, 200)  # the socket has waited for it
        serval.expect_log(r"master .*the admin process has ended, it is started again why=SIGKILL")
        self.assertNotEqual(self.admin_process(serval), first)
        self.assertEqual(self.admin_address(serval), address)

    def test_signals_to_every_process_do_not_end_it(self):
        serval = self.start_admin()
        pid = self.admin_process(serval)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE):
            os.kill(pid, number)
        self.assertEqual(self.look(serval, "/livez").status, 200)
        self.assertEqual(self.admin_process(serval), pid)

    def test_it_ends_with_the_master(self):
        serval = self.start_admin()
        pid = self.admin_process(serval)
        serval.process.kill()
        serval.wait()
        wait_until(lambda: not process_tree.alive(pid), "the admin process to end")

    def test_an_upgrade_keeps_its_address(self):
        serval = self.start_admin()
        before = self.admin_process(serval)
        self.order("upgrade")
        self.assertEqual(self.look(serval, "/readyz").status, 200)
        wait_until(lambda: not process_tree.alive(before), "the old one to leave")
        self.assertEqual(self.seen(serval)["admin"], "{}:{}".format(*self.admin_address(serval)))

    def change_bind(self, bind):
        with open(self.path("serval0.toml"), encoding="utf-8") as file:
            text = file.read()
        self.write("serval0.toml", re.sub(r"(\[admin\]\nbind = ).*", rf'\1"{bind}"', text))

    def test_a_reload_moves_it(self):
        config = {"admin": {"bind": "127.0.0.1:0"}}
        serval = self.start(config=config, env={"SERVAL_ADMIN_BIND": None})
        self.assertEqual(self.look(serval, "/livez").status, 200)
        before = self.admin_address(serval)
        path = self.path("admin.sock")
        self.change_bind("unix:" + path)
        self.order("reload")
        self.assertEqual(self.admin_address(serval, count=2), path)
        with Client(path) as client:
            self.assertEqual(client.get("/livez").status, 200)
        with self.assertRaises(ConnectionRefusedError):
            Client(before)

    def test_a_reload_that_is_none_of_its_business_leaves_it_alone(self):
        serval = self.start_admin()
        before = self.admin_process(serval)
        self.order("reload")
        self.assertEqual(self.admin_process(serval), before)
        self.assertEqual(self.metrics(serval)["serval_generation"], 2)

    def test_a_reload_to_an_address_that_is_taken_changes_nothing(self):
        serval = self.start(config={"admin": {"bind": "127.0.0.1:0"}}, env={"SERVAL_ADMIN_BIND": None})
        before = self.admin_address(serval)
        with socket.create_server(("127.0.0.1", 0)) as other:
            taken = "127.0.0.1:{}".format(other.getsockname()[1])
            self.change_bind(taken)
            code, out, err = self.run_command("reload", "-c", self.path("serval0.toml"))
            self.assertEqual((code, out), (1, ""), err)
            self.assertRegex(err, rf"admin\.bind: cannot listen on {taken}: Address already in use.*; generation 1 goes on")
            self.assertEqual(self.admin_address(serval), before)
            self.assertEqual(self.look(serval, "/livez").status, 200)
        self.order("reload")  # it is free by now

    def test_its_socket_file_is_made_anew_by_a_reload(self):
        path = self.path("admin.sock")
        serval = self.start_admin(env={"SERVAL_ADMIN_BIND": "unix:" + path})
        os.unlink(path)
        self.order("reload")
        with Client(path) as client:
            self.assertEqual(client.get("/livez").status, 200)

    def test_its_log_is_reopened(self):
        serval = self.launch_config(config={"log": {"file": self.path("log")}}, env=ADMIN)

        def log():
            with open(self.path("log"), encoding="utf-8") as file:
                return file.read()

        self.wait_for_file("log")
        wait_until(lambda: " serving workers=" in log(), log)
        os.rename(self.path("log"), self.path("log.1"))
        self.order("reopen")
        pid = self.admin_process(serval)
        files = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        self.assertIn(self.path("log"), files)
        self.assertNotIn(self.path("log.1"), files)


class Statsd(Admin):
    def test_it_is_told_what_has_been_answered(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
            collector.bind(("127.0.0.1", 0))
            collector.settimeout(30)
            address = "127.0.0.1:{}".format(collector.getsockname()[1])
            serval = self.start_admin(config={"admin": {"statsd": address, "statsd_prefix": "till"}})
            self.assertEqual(serval.get("/").status, 200)
            lines = collector.recv(4096).decode().split("\n")
        self.assertIn("till.request.status.200:1|c", lines)
        self.assertIn("till.requests:1|c", lines)
        self.assertIn("till.workers:2|g", lines)


class Addresses(Admin):
    def test_off(self):
        serval = self.start_admin(env={"SERVAL_ADMIN_BIND": "off"})
        self.assertIsNone(self.admin_process(serval))
        self.assertNotIn("admin endpoints", serval.log())

    def test_what_it_would_have_sent_is_not_lost_without_a_word(self):
        serval = self.start_admin(env={"SERVAL_ADMIN_BIND": "off", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"})
        serval.expect_log(r'warning.*no traces: the admin process would send them, and admin\.bind is "off" collector=127\.0\.0\.1:4318')

    def test_a_unix_socket_is_gone_at_the_end(self):
        path = self.path("admin.sock")
        serval = self.start_admin(env={"SERVAL_ADMIN_BIND": "unix:" + path})
        self.assertEqual(self.look(serval, "/livez").status, 200)
        self.assertEqual(serval.stop(), 0)
        self.assertFalse(os.path.exists(path))

    def test_a_taken_default_gives_a_free_port(self):
        default = ("127.0.0.1", 9464)
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                other.bind(default)
                other.listen()
            except OSError:
                pass  # somebody else has it: as good
            serval = self.start_admin(env={"SERVAL_ADMIN_BIND": "127.0.0.1:9464"})
            self.assertNotEqual(self.admin_address(serval), default)
            self.assertEqual(self.look(serval, "/livez").status, 200)

    def test_a_taken_address_that_was_chosen_is_an_error(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = "127.0.0.1:{}".format(other.getsockname()[1])
            serval = self.launch_config(env={"SERVAL_ADMIN_BIND": address})
            self.assertEqual(serval.wait(), 73)
            self.assertRegex(serval.log(), rf"admin\.bind: cannot listen on {address}: Address already in use")


if __name__ == "__main__":
    unittest.main()
