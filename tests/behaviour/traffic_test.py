"""`serval drain` and `undrain`: whether new traffic is wanted."""

import json
import unittest

from serval_process import ServalTest


class Traffic(ServalTest):
    def order(self, *words, code=0):
        """Gives a command to the first server of the test; what it printed."""
        got, out, err = self.run_command(*words, "--socket", self.path("control0.sock"))
        self.assertEqual(got, code, (out, err))
        return out + err

    def status(self):
        return json.loads(self.order("status", "--json"))

    # Drain

    def test_a_drained_server_is_not_ready_and_serves(self):
        serval = self.start()
        self.assertIs(self.status()["ready"], True)
        for _ in range(2):  # saying it again changes nothing
            self.order("drain")
            self.assertEqual((self.status()["ready"], self.status()["unready"]), (False, "draining (serval drain)"))
            self.assertIn("not ready: draining (serval drain)", self.order("status").splitlines()[0])
            self.assertEqual(serval.get().status, 200)
        for _ in range(2):
            self.order("undrain")
            self.assertEqual((self.status()["ready"], self.status()["unready"]), (True, None))
        self.assertNotIn("not ready", self.order("status"))
        self.assertEqual(serval.log().count(' by="serval drain"'), 1)
        self.assertEqual(serval.log().count(' by="serval undrain"'), 1)

    def test_a_reload_does_not_end_a_drain(self):
        self.start()
        self.order("drain")
        self.order("reload")
        self.assertEqual(self.status()["unready"], "draining (serval drain)")
        self.order("undrain")
        self.assertIs(self.status()["ready"], True)

    def test_a_server_that_stops_takes_no_such_orders(self):
        serval = self.start_probe()
        with serval.client() as client:
            client.send(b"GET /gate?name=a HTTP/1.1\r\nHost: test\r\n\r\n")
            self.wait_entered("a")
            serval.signal(15)
            serval.expect_log("stopping signal=TERM")
            for command in ("drain", "undrain"):
                self.assertIn("the server is stopping", self.order(command, code=1))
            self.open_gate("a")
            self.assertEqual(client.read_response().status, 200)


if __name__ == "__main__":
    unittest.main()
