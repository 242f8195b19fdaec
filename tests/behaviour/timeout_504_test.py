"""A request that overstays [request] timeout: its client gets 504, the log names it, its siblings finish."""

import unittest

from http_client import request_bytes
from serval_process import ServalTest


class Timeout(ServalTest):
    def test_504_and_a_line_that_names_the_request(self):
        serval = self.start_probe({"workers": {"count": 1, "threads": 2}, "request": {"timeout": "500ms"}})
        with serval.client() as client:
            client.send(request_bytes("PUT", "/gate?name=stuck"))
            response = client.read_response("PUT")
            self.assertEqual(response.status, 504)
            self.assertTrue(response.closes)
            self.assertTrue(client.ended())
        serval.expect_log(r"warning +master .*request timed out method=PUT target=\S*/gate\?name=stuck.* slot=0 .* stack=\"?\S")
        serval.expect_access(r'"PUT /gate\?name=stuck HTTP/1\.1" 504 .*\btimeout\b')
        self.open_gate("stuck")

    def test_siblings_finish(self):
        serval = self.start_probe({"workers": {"count": 1, "threads": 2}, "request": {"timeout": "1s"}})
        with serval.client() as stuck:
            stuck.send(request_bytes(target="/gate?name=stuck"))
            self.wait_entered("stuck")
            with serval.client() as sibling:
                sibling.send(request_bytes(target="/gate?name=sibling"))
                self.wait_entered("sibling")
                self.open_gate("sibling")
                self.assertEqual(sibling.read_response().status, 200)
            self.assertEqual(stuck.read_response().status, 504)
        self.open_gate("stuck")
        self.assertEqual(serval.get().status, 200)

    def test_the_late_answer_goes_nowhere(self):
        serval = self.start_probe({"workers": {"count": 1, "threads": 1}, "request": {"timeout": "300ms"}})
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=late"))
            self.assertEqual(client.read_response().status, 504)
            self.open_gate("late")
            self.assertEqual(client.read_to_end(), b"")
        self.assertEqual(serval.get().status, 200)
        serval.expect_access(r"GET / ")
        self.assertEqual(len(serval.access()), 2)

    def test_no_limit(self):
        serval = self.start_probe({"request": {"timeout": "0"}})
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=a"))
            self.wait_entered("a")
            self.open_gate("a")
            self.assertEqual(client.read_response().status, 200)


if __name__ == "__main__":
    unittest.main()
