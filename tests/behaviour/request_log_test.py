"""What the logs tell of single requests: slow ones, with where the time went; never the values of parameters that are secret; and the id, which
the client may be told as well."""

import re
import signal
import unittest

from http_client import request_bytes, wait_until
from orders import Orders
from serval_process import ServalTest

SECRET = "s3cr3t"


class Slow(Orders):
    def waiting(self):
        return self.status()["workers"][0]["waiting"]

    def spent(self, serval, pattern):
        """The milliseconds of the slow line that has `pattern`, by step."""
        line = serval.expect_log(f"slow request .*{pattern}")
        line = next(line for line in serval.log().splitlines() if "slow request " in line and re.search(pattern, line))
        return {name: int(ms) for name, ms in re.findall(r"(\w+)_ms=(\d+)", line)}

    def test_each_step_has_its_time(self):
        serval = self.start_probe(config={"log": {"slow": "1ms"}, "workers": {"count": 1, "threads": 1}})
        with serval.client() as slow, serval.client() as waiting:
            body = request_bytes("POST", "/gate?name=a", body=b"x" * 10)
            slow.send(body[:-5])
            serval.get("/generation?between")  # the head is there, the body is not
            slow.send(body[-5:])
            self.wait_entered("a")
            waiting.send(request_bytes(target="/pid?waited"))
            wait_until(lambda: self.waiting() == 1, "the request that waits for a thread")
            self.open_gate("a")
            self.assertEqual(slow.read_response().status, 200)
            self.assertEqual(waiting.read_response().status, 200)
        spent = self.spent(serval, "target=\"?/gate")
        self.assertEqual(set(spent), {"duration", "head", "body", "queue", "handler", "write"})
        self.assertLessEqual(sum(ms for step, ms in spent.items() if step != "duration"), spent["duration"])

    def test_only_slow_ones_have_a_line(self):
        serval = self.start_probe(config={"log": {"slow": "10s"}})
        self.assertEqual(serval.get("/?quick").status, 200)
        serval.expect_access("/[?]quick")
        self.assertNotIn("slow request", serval.log())

    def test_one_that_timed_out_spent_it_in_the_handler(self):
        serval = self.start_probe(config={"log": {"slow": "100ms"}, "request": {"timeout": "300ms"}})
        self.assertEqual(serval.get("/gate?name=a").status, 504)
        spent = self.spent(serval, "status=504")
        self.assertGreaterEqual(spent["handler"], 290)
        self.open_gate("a")

    def test_one_whose_head_never_came_shows_what_did(self):
        serval = self.start_probe(config={"log": {"slow": "100ms", "redact": ["token"]}, "request": {"header_timeout": "300ms"}})
        with serval.client() as client:
            client.send(f"GET /half?token={SECRET} HTTP/1.1\r\nHost: ".encode())
            client.read_to_end()
        serval.expect_log(r'slow request received="GET /half\?token=\[redacted\] HTTP/1\.1" request_id=\S* status=408')
        self.assertNotIn(SECRET, serval.log())

    def test_many_do_not_flood_the_log(self):
        serval = self.start_probe(config={"log": {"slow": "1ms"}, "workers": {"count": 1}})
        with serval.client() as client:
            for _ in range(60):
                client.get("/pid?spin_us=2000")
        serval.expect_log("more slow requests, which have no lines of their own count=")


class Redaction(Orders):
    def start_redacting(self, config=None):
        log = {"redact": ["token", "password"], "slow": "1ms", "access_format": "$target $path $referer $received $status"}
        return self.start_probe(config={"log": log, "workers": {"count": 1}, "request": {"timeout": "200ms"}, **(config or {})})

    def everything(self, serval):
        return serval.log() + "\n".join(serval.access())

    def test_no_line_of_a_request_shows_it(self):
        serval = self.start_redacting()
        query = f"?a=1&token={SECRET}&TOKEN={SECRET}&to%6ben={SECRET}&password={SECRET}%20{SECRET}"
        self.assertEqual(serval.get(f"/{query}", [("Referer", f"https://shop/{query}")]).status, 200)
        serval.expect_access(r"/\?a=1&token=\[redacted\]&TOKEN=\[redacted\].* / https://shop/\?a=1&token=\[redacted\]")
        self.assertEqual(serval.get(f"/throw{query}").status, 500)
        serval.expect_log(r"app failed .*token=\[redacted\]")
        self.assertEqual(serval.get(f"/gate{query}&name=a").status, 504)
        serval.expect_log(r"request timed out .*token=\[redacted\]")
        serval.expect_log(r"slow request .*token=\[redacted\]")
        with serval.client() as client:
            client.send(f"GET /{query} HTTP/9.9\r\n\r\n".encode())
            client.read_to_end()
        serval.expect_log(r"request refused .*token=\[redacted\]")
        self.open_gate("a")
        self.assertNotIn(SECRET, self.everything(serval))

    def test_a_request_that_is_lost_or_looked_at_does_not_show_it(self):
        serval = self.start_redacting({"request": {"timeout": "30s"}})
        with serval.client() as client:
            client.send(request_bytes(target=f"/gate?name=a&token={SECRET}"))
            self.wait_entered("a")
            self.assertIn("token=[redacted]", self.status()["workers"][0]["in_progress"][0]["target"])
            self.assertIn("token=[redacted]", self.order("stacks"))
            serval.signal(signal.SIGKILL, serval.workers()[0])
            serval.expect_log(r"request lost with its worker .*token=\[redacted\]")
        self.assertNotIn(SECRET, self.everything(serval))

    def test_the_app_sees_it(self):
        serval = self.start_redacting()
        self.assertEqual(serval.get("/env?name=token").status, 200)
        self.assertEqual(serval.get(f"/header?name=X-Token&token=1&value={SECRET}").get("X-Token"), SECRET)

    def test_a_name_that_is_none_is_refused(self):
        for name in ("", "a=b", "a&b"):
            code, _, err = self.run_command("check", "--log.redact", name)
            self.assertEqual(code, 78)
            self.assertIn("log.redact", err)


class Protocol(ServalTest):
    def test_it_is_shown_as_it_came(self):
        serval = self.start_probe(config={"log": {"access_format": "$target $protocol"}})
        for version in ("1.0", "1.1", "1.2", "1.9"):
            with serval.client() as client:
                client.send(f"GET /pid?{version} HTTP/{version}\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
                client.read_to_end()
            serval.expect_access(re.escape(f"/pid?{version} HTTP/{version}"))


class Id(ServalTest):
    def test_answers_have_the_id_if_that_is_wanted(self):
        serval = self.start_probe(config={"request": {"answer_id": True}, "log": {"access_format": "$target $request_id"}})
        for target in ("/?mine", "/throw?mine", "/status?code=204&mine"):
            answered = serval.get(target).get("X-Request-Id")
            self.assertTrue(answered)
            serval.expect_access(re.escape(f"{target} {answered}"))
        self.assertEqual(serval.get("/", [("X-Request-Id", "from-the-proxy")]).get("X-Request-Id"), "from-the-proxy")

    def test_serval_s_own_answers_have_it_too(self):
        serval = self.start_probe(config={"request": {"answer_id": True, "max_target": "64"}})
        refused = serval.get("/" + "x" * 100)
        self.assertEqual(refused.status, 414)
        self.assertTrue(refused.get("X-Request-Id"))

    def test_the_app_s_own_id_stays(self):
        serval = self.start_probe(config={"request": {"answer_id": True}})
        self.assertEqual(serval.get("/header?name=x-request-id&value=own").all("X-Request-Id"), ["own"])

    def test_without_the_option_it_is_not_sent(self):
        serval = self.start_probe()
        self.assertIsNone(serval.get("/").get("X-Request-Id"))


if __name__ == "__main__":
    unittest.main()
