"""The app misbehaves while it serves: its client gets 500 or loses its connection, the log says why, nobody else notices."""

import re
import unittest

from http_client import Closed, request_bytes
from serval_process import ServalTest


class AppFailures(ServalTest):
    QUICK = {"restart": {"backoff_first": "1ms", "backoff_max": "1ms"}}

    def test_an_exception_is_a_500_and_a_log_line(self):
        serval = self.start("faulty", {"workers": {"count": 1}})
        with serval.client() as client:
            response = client.get("/throw")
            self.assertEqual(response.status, 500)
            self.assertNotIn("faulty", response.text, "the client learns nothing about the inside")
            again = serval.get()
            self.assertEqual(again.status, 200)
        serval.expect_log(r"error +worker\[0\] .*app failed method=GET target=/throw .*why=\"std::runtime_error: handle was told to throw\"")
        serval.expect_access(r'"GET /throw HTTP/1\.1" 500 .*\bapp_failed\b')

    def test_headers_that_would_break_the_message(self):
        serval = self.start_probe({"workers": {"count": 1}})
        for name, value in (("X", "a%0D%0ASet-Cookie:b"), ("X", "a%0Ab"), ("X", "a%00b"), ("X", "a%0Db"), ("X%0D%0AY", "a"), ("X%20Y", "a"), ("", "a")):
            with self.subTest(f"{name}: {value}"), serval.client() as client:
                client.send(request_bytes(target=f"/header?name={name}&value={value}"))
                response = client.read_response()
                self.assertEqual(response.status, 500)
                self.assertEqual(response.get("Set-Cookie"), None)
        serval.expect_log(r"error +worker\[0\] .*app failed .*header", count=7)
        response = serval.get("/header?name=X-Good&value=a%20b")
        self.assertEqual((response.status, response.get("X-Good")), (200, "a b"))

    def test_headers_that_are_servals_to_send_are_dropped_with_one_warning_each(self):
        serval = self.start_probe({"workers": {"count": 1}})
        cases = [("Connection", "close"), ("connection", "keep-alive"), ("Keep-Alive", "timeout%3D5"), ("Transfer-Encoding", "chunked"), ("Upgrade", "h2c"),
                 ("TE", "trailers"), ("Proxy-Connection", "close")]
        with serval.client() as client:
            for name, value in cases * 3:
                with self.subTest(name):
                    response = client.get(f"/header?name={name}&value={value}")
                    self.assertEqual((response.status, response.body), (200, b"x"))
                    self.assertEqual(response.get(name), None)
        self.assertEqual(serval.get("/header?name=Transfer-Encoding&value=gzip").status, 500)
        self.assertEqual(serval.stop(), 0)
        warned = re.findall(r"warning worker\[0\] .*a header that is serval's to send.* header=(\S+) ", serval.log())
        self.assertEqual(sorted(warned), ["Connection", "Keep-Alive", "Proxy-Connection", "TE", "Transfer-Encoding", "Upgrade"])

    def test_the_faulty_examples_bad_header(self):
        serval = self.start("faulty")
        self.assertEqual(serval.get("/badheader").status, 500)
        serval.expect_log(r"error .*app failed .*target=/badheader .*header")

    def test_a_status_that_cannot_be(self):
        serval = self.start_probe()
        for code in (0, 99, 1000, 100):
            self.assertEqual(serval.get(f"/status?code={code}").status, 500, code)

    def dies(self, target, how):
        """Only the request itself fails; the log says how the worker died."""
        serval = self.start("faulty", self.QUICK)
        with serval.client() as other:
            self.assertEqual(other.get("/pid").status, 200)
            with serval.client() as client:
                client.send(request_bytes(target=target))
                with self.assertRaises((Closed, ConnectionResetError)) as ended:
                    client.read_response()
                self.assertEqual(getattr(ended.exception, "got", b""), b"")
        serval.expect_log(rf"error .*worker died .*{how}")
        serval.expect_log(r"worker ready", count=3)
        for _ in range(10):
            self.assertEqual(serval.get().status, 200)

    def test_crash(self):
        self.dies("/crash", "SIGSEGV")

    def test_abort(self):
        self.dies("/abort", "SIGABRT")

    def test_exit(self):
        self.dies("/exit?code=3", "exit_code=3")

    def test_a_large_answer_is_whole(self):
        serval = self.start("faulty")
        for size in (1, 16383, 16384, 16385, 1 << 20, 10 << 20):
            self.assertEqual(len(serval.get(f"/body?bytes={size}").body), size)

    def test_worker_stop_is_called_at_a_graceful_end(self):
        serval = self.start("probe", app_args=["stop_log=" + self.path("stops")])
        workers = sorted(serval.workers().values())
        self.assertEqual(serval.stop(), 0)
        with open(self.path("stops")) as file:
            self.assertEqual(sorted(int(line) for line in file), workers)


if __name__ == "__main__":
    unittest.main()
