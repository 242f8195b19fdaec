"""The end of a mold, in which the app's destructor runs: one that hangs or crashes is told of."""

import signal
import unittest

from serval_process import ServalTest


class MoldEnd(ServalTest):
    def start_with(self, grace, *app_args):
        return self.start(app="probe", app_args=list(app_args), config={"workers": {"count": 1}, "shutdown": {"grace": grace}})

    def test_a_destructor_that_hangs_is_named_and_killed_with_the_grace(self):
        serval = self.start_with("1s", "end_gate=" + self.path("end"))
        mold = serval.mold()
        serval.signal(signal.SIGTERM)
        serval.expect_log(rf"warning master .*the mold takes long to end gen=1 mold_pid={mold} .*destructor.* next=\"killing it in \d+ms\"")
        serval.expect_log(rf"warning master .*the mold did not end within the grace, killing it gen=1 mold_pid={mold} grace_ms=1000")
        self.assertEqual(serval.wait(), 0)

    def test_a_reload_that_leaves_one_behind_says_so(self):
        serval = self.start_with("10s", "end_gate=" + self.path("end"))
        mold = serval.mold()
        self.assertEqual(self.run_command("reload", "--socket", self.path("control0.sock"))[0], 0)
        serval.expect_log(rf"the mold takes long to end gen=1 mold_pid={mold}")
        self.write("end.open", "")
        self.assertEqual(serval.stop(), 0)
        self.assertNotIn("did not end within", serval.log())

    def test_a_destructor_that_aborts_is_logged_with_its_signal(self):
        serval = self.start_with("10s", "end_crash=yes")
        mold = serval.mold()
        self.assertEqual(self.run_command("reload", "--socket", self.path("control0.sock"))[0], 0)
        serval.expect_log(rf"warning master .*the mold died while it ended gen=1 mold_pid={mold} signal=SIGABRT")
        self.assertEqual(serval.stop(), 0)
        self.assertRegex(serval.log(), "the mold died while it ended gen=2")

    def test_one_that_ends_well_is_no_news(self):
        serval = self.start_with("10s", "end_gate=" + self.path("end"))
        self.write("end.open", "")
        self.assertEqual(serval.stop(), 0)
        self.assertNotRegex(serval.log(), "warning|error")


if __name__ == "__main__":
    unittest.main()
