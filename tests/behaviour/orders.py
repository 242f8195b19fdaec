"""Commands to the first server of a test."""

import json

from serval_process import ServalTest


class Orders(ServalTest):
    def order(self, *words, code=0):
        """Gives a command; what it printed."""
        got, out, err = self.run_command(*words, "--socket", self.path("control0.sock"))
        self.assertEqual(got, code, (out, err))
        return out + err

    def status(self):
        return json.loads(self.order("status", "--json"))
