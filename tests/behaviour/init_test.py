"""serval init: what it makes of a Procfile or of PM2's file passes serval check and runs."""

import json
import os
import shutil
import unittest

from http_client import Client, wait_until
from programs import ProgramsTest

ECOSYSTEM = """
const names = ['api'];
console.log('this is not the result');
module.exports = {
  apps: [
    {
      name: names[0], script: './server.js', instances: 2, exec_mode: 'cluster',
      env: { PORT: PORT_HERE, SECRET: 'a ${b} "c"', NODE_ENV: 'development' }, env_production: { NODE_ENV: 'production' },
      max_memory_restart: '300M', kill_timeout: 5000, min_uptime: 100, max_restarts: 5, ignore_watch: [/[\\/\\\\]\\./, 'node_modules'],
      out_file: './api.log', error_file: './api.log',
    },
    { name: 'app', script: './task.py', interpreter: 'python3', args: '--once "two words"', autorestart: false, instance_var: 'MY_NUMBER' },
  ],
  deploy: { production: { user: 'x' } },
};
"""
SERVER = """
const http = require('http');
const server = http.createServer((request, response) => {
  response.setHeader('Connection', 'close');
  response.end([process.env.NODE_ENV, process.env.SECRET, process.env.SERVAL_INSTANCE].join(' '));
});
server.listen(process.env.LISTEN_FDS ? { fd: 3 } : process.env.PORT);
console.log('started');
process.on('SIGINT', () => server.close(() => process.exit(0)));
"""
TASK = "import os, sys\nprint('task', sys.argv[1:], os.environ['MY_NUMBER'], flush=True)\n"


def free_port():
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Init(ProgramsTest):
    def init(self, *words, code=0):
        """What it prints, in the test's folder."""
        got = self.launch("init", *words, prefix=("sh", "-c", "cd \"$0\" && exec \"$@\"", self.folder))
        self.assertEqual(got.wait(), code, got.log())
        return "\n".join(got.access()) + "\n" if code == 0 else got.log()

    def run_it(self, text):
        """Checks it, and starts it with a control socket of the test's own."""
        file = self.write("serval.toml", text)
        code, _, err = self.run_command("check", "-c", file)
        self.assertEqual((code, err), (0, ""), text)
        return self.launch("run", "-c", file, "--control.socket", self.path("control0.sock"))

    def test_a_procfile(self):
        self.write("Procfile", f"web: echo \"web $PORT $TOKEN\" && exec sleep 1000\nworker: sleep 1000\nrelease: ./migrate\n")
        self.write(".env", "TOKEN=t\nPORT=7000\n")
        text = self.init("--from-procfile")
        self.assertIn("serval exec", text)
        serval = self.run_it(text)
        serval.expect_log(r"web\[0\] .*: web 7000 t$")
        self.wait_up("web", "the-worker")  # serval has workers of its own
        self.assertEqual(serval.stop(), 0)
        os.mkdir(self.path("there"))
        self.write("there/Procfile.dev", "it: sleep 1000\n")
        self.assertNotIn("env_file", self.init("--from-procfile", "there/Procfile.dev"))

    @unittest.skipUnless(shutil.which("node"), "PM2's file is JavaScript")
    def test_a_real_ecosystem_runs(self):
        port = free_port()
        self.write("ecosystem.config.js", ECOSYSTEM.replace("PORT_HERE", str(port)))
        self.write("server.js", SERVER)
        self.write("task.py", TASK)
        text = self.init("--from-pm2", "ecosystem.config.js", "--env", "production")
        self.assertNotIn("this is not the result", text)
        for said in ("ignore_watch", "deploy", "server.listen({fd: 3})", "It is called app in PM2"):
            self.assertIn(said, text)
        serval = self.run_it(text)
        self.wait_up("api", "the-app")

        def answers():
            with Client(("127.0.0.1", port)) as client:
                return client.get("/").text

        found = set()
        wait_until(lambda: found.add(answers()) or len(found) == 2, lambda: f"both instances to answer, not {found} alone")
        self.assertEqual(found, {f'production a ${{b}} "c" {number}' for number in (0, 1)})
        serval.expect_log(r"the-app\[0\] .*: task \['--once', 'two words'\] 0$")
        self.assertTrue(os.path.exists(self.path("api-0.log")))
        self.assertEqual(serval.stop(), 0)

    def test_json_needs_no_node(self):
        self.write("task.py", TASK)
        self.write("ecosystem.json", json.dumps({"apps": [{"script": "task.py", "instance_var": "MY_NUMBER", "autorestart": False}]}))
        text = self.init("--from-pm2", "ecosystem.json")
        serval = self.run_it(text)
        serval.expect_log(r"task\[0\] .*: task \[\] 0$")
        self.assertEqual(serval.wait(), 0)
        self.write("package.json", json.dumps({"name": "x", "pm2": {"apps": [{"script": "task.py"}]}}))
        self.assertIn("[programs.task]", self.init("--from-pm2", "package.json"))

    def test_without_node_it_says_what_to_do(self):
        self.write("ecosystem.config.js", "module.exports = {}")
        got = self.launch("init", "--from-pm2", self.path("ecosystem.config.js"), env={"PATH": "/nowhere"})
        self.assertEqual(got.wait(), 1)
        self.assertIn("there is no node in PATH", got.log())
        self.assertIn("JSON.stringify", got.log())

    @unittest.skipUnless(shutil.which("node"), "PM2's file is JavaScript")
    def test_a_file_that_fails_or_exports_none(self):
        self.write("a.config.js", "throw new Error('broken here')")
        self.assertIn("broken here", self.init("--from-pm2", "a.config.js", code=1))
        self.write("b.config.js", "module.exports = {}")
        self.assertIn("has no script", self.init("--from-pm2", "b.config.js", code=1))
        self.write("c.mjs", "export default { apps: [{ script: 'x.js' }] }")
        self.assertIn("[programs.x]", self.init("--from-pm2", "c.mjs"))

    def test_what_goes_wrong(self):
        self.assertIn("No such file", self.init("--from-procfile", code=1))
        self.write("Procfile", "nothing\n")
        self.assertIn("names a process", self.init("--from-procfile", code=1))
        self.write("e.yml", "apps: []\n")
        self.assertIn("write it as JSON", self.init("--from-pm2", "e.yml", code=1))
        self.write("e.json", "{")
        self.assertIn("it is no JSON", self.init("--from-pm2", "e.json", code=1))
        for words in ((), ("--from-pm2",), ("--from-pm2", "--from-procfile", "x"), ("--from-procfile", "--env", "x")):
            self.init(*words, code=64)


if __name__ == "__main__":
    unittest.main()
