"""Workers are replaced for their requests or their age: the successor serves first, nobody notices, and few at a time."""

import re
import unittest

from load import Load
from scoreboard import Watch
from serval_process import ServalTest


def replaced(cause):
    return rf"worker stopped .*exit_code=0 .*cause={cause} next=\"its successor is there\""


class Recycle(ServalTest):
    def recycle_under_load(self, workers, cause, times, clients=4):
        """Until so many workers have been replaced for `cause`; the server's log."""
        serval = self.start("hello", {"workers": {"threads": 2, **workers}})
        count = workers["count"]
        with Load(serval, clients) as load, Watch(serval) as watch:
            serval.expect_log(replaced(cause), count=times)
        self.assertEqual(load.failures, [])
        self.assertGreaterEqual(watch.fewest_serving, count, "capacity dipped")
        self.assertLessEqual(watch.most_workers, count + workers.get("max_recycling", 1), "more than max_recycling were being replaced")
        self.assertGreater(watch.most_workers, count)
        self.assertNotRegex(serval.log(), r" (warning|error) ")
        return serval.log()

    def test_a_worker_leaves_after_its_requests_and_not_before(self):
        serval = self.start("probe", {"workers": {"count": 1, "threads": 1, "max_requests": 50}})
        first = serval.workers()[0]
        with serval.client() as client:
            for _ in range(49):
                response = client.get("/pid")
                self.assertEqual((int(response.text), response.closes), (first, False))
            self.assertNotIn("replacing worker", serval.log())
            self.assertEqual(int(client.get("/pid").text), first)
            serval.expect_log(rf"replacing worker slot=0 worker_pid={first} cause=max_requests")
            serval.expect_log(r"worker ready slot=0", count=2)
        serval.expect_log(replaced("max_requests"))
        self.assertNotEqual(int(serval.get("/pid").text), first)

    def test_max_requests_under_keep_alive_load(self):
        self.recycle_under_load({"count": 3, "max_requests": 300, "max_requests_jitter": 200}, "max_requests", 9)

    def test_several_at_a_time_if_so_configured(self):
        self.recycle_under_load({"count": 4, "max_requests": 200, "max_requests_jitter": 50, "max_recycling": 3}, "max_requests", 12, clients=8)

    def test_jitter_spreads_them(self):
        """Each draws its own number anew: two clients on two workers would else come to it together."""
        serval = self.start("probe", {"workers": {"count": 1, "threads": 1, "max_requests": 20, "max_requests_jitter": 200}})
        requests, pid = {}, None
        with serval.client() as client:
            while len(requests) < 6:
                response = client.get("/pid")
                pid = int(response.text)
                requests[pid] = requests.get(pid, 0) + 1
                if response.closes:
                    client.close()
                    client = serval.client()
                    self.addCleanup(client.close)
        del requests[pid]  # still at it
        self.assertTrue(all(count >= 20 for count in requests.values()), requests)
        self.assertGreater(len(set(requests.values())), 1, requests)

    def test_max_lifetime_under_keep_alive_load(self):
        log = self.recycle_under_load({"count": 2, "max_lifetime": "400ms", "max_lifetime_jitter": "300ms"}, "max_lifetime", 6)
        ages = [int(age) for age in re.findall(r"replacing worker .*cause=max_lifetime age_ms=(\d+)", log)]
        self.assertGreaterEqual(len(ages), 6)
        self.assertGreaterEqual(min(ages), 400)
        self.assertGreater(len(set(ages)), 1)

    def test_an_idle_server_ages_too(self):
        serval = self.start("hello", {"workers": {"count": 2, "threads": 2, "max_lifetime": "200ms"}})
        with Watch(serval) as watch:
            serval.expect_log(replaced("max_lifetime"), count=4)
        self.assertGreaterEqual(watch.fewest_serving, 2)
        self.assertEqual(serval.get().status, 200)


if __name__ == "__main__":
    unittest.main()
