"""What counts as an explanation of a lost request, and what does not: tests/lab/chaos must not pass over one."""

import unittest

from chaos_explains import Lost, explain

NAMED = ("warning master pid=1: request lost with its worker slot=0 worker_pid=7 method=GET "
         'target="/sleep?ms=40&n=3" request_id=a age_ms=5\n')
ENDED = "error master pid=1: worker died slot=0 worker_pid=7 age_ms=9 signal=SIGKILL core=no{} cause=crash\n"
ROOM = ("warning worker[1] gen=1 pid=8: idle connections are closed to make room: raise the limit of open files "
        "closed=1 connections=1 limit=3\n")
BUSY = '127.0.0.1 - - [27/Nov/2026:21:29:10 +0000] "GET /?n=4 HTTP/1.1" 503 0 "-" "-" reason="the queue is full"\n'
NO_REASON = BUSY.partition(" reason")[0] + "\n"


class Explains(unittest.TestCase):
    def expect(self, lost, log, access, explained, unexplained):
        by, left = explain([Lost(target, "", status) for target, status in lost], log, access)
        self.assertEqual((dict(by), [one.target for one in left]), (explained, unexplained))

    def test_cases(self):
        slept, other, third = ("/sleep?ms=40&n=3", 0), ("/?n=5", 0), ("/?n=6", 0)
        name, count = "request lost with its worker", "connections_lost="
        for lost, log, access, explained, unexplained in (
                ([], "", "", {}, []),
                ([slept], "", "", {}, ["/sleep?ms=40&n=3"]),
                ([slept], NAMED, "", {name: 1}, []),
                ([("/sleep?ms=40&n=30", 0)], NAMED, "", {}, ["/sleep?ms=40&n=30"]),
                ([other], ENDED.format(""), "", {}, ["/?n=5"]),
                ([other], ENDED.format(" connections_lost=1"), "", {count: 1}, []),
                ([other, third], ENDED.format(" connections_lost=1"), "", {count: 1}, ["/?n=6"]),
                ([slept, other], NAMED + ENDED.format(" requests_lost=1 connections_lost=1"), "", {name: 1}, ["/?n=5"]),
                ([slept, other], NAMED + ENDED.format(" connections_lost=2"), "", {name: 1, count: 1}, []),
                ([other, third], ROOM, "", {"closed to make room": 1}, ["/?n=6"]),
                ([("/?n=4", 503)], "", BUSY, {"the queue is full": 1}, []),
                ([("/?n=4", 503)], ENDED.format(" connections_lost=9"), NO_REASON, {}, ["/?n=4"]),
                ([("/?n=44", 503)], "", BUSY, {}, ["/?n=44"])):
            with self.subTest(lost=lost, log=log, access=access):
                self.expect(lost, log, access, explained, unexplained)


if __name__ == "__main__":
    unittest.main()
