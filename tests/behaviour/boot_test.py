"""What stands after `serval run`: the process tree, its titles, what the log says, and where counts and addresses come from."""

import os
import re
import unittest

import process_tree
from serval_process import ServalTest, library


class Boot(ServalTest):
    def test_master_mold_and_workers_stand_as_drawn(self):
        serval = self.start(config={"server": {"name": "shop"}, "workers": {"count": 3}})
        self.assertEqual(serval.get().status, 200)
        titles = sorted(process_tree.title(pid) for pid in process_tree.descendants(serval.pid))
        self.assertEqual([re.sub(r" gen=1.*", " gen=1", title) for title in titles],
                         ["serval: mold gen=1"] + [f"serval: worker[{slot}] gen=1" for slot in range(3)])
        self.assertTrue(process_tree.title(serval.pid).startswith("serval"))
        for pid in process_tree.descendants(serval.pid):
            self.assertEqual(process_tree.parent(pid), serval.pid, f"{process_tree.title(pid)} is not the master's child")
        self.assertEqual(process_tree.thread_count(serval.mold()), 1, "the mold must stay single-threaded")

    def test_the_log_tells_the_start(self):
        serval = self.start()
        log = serval.log()
        self.assertRegex(log, r"(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info +master .*listening address=127\.0\.0\.1:[1-9]\d*$")
        self.assertEqual(len(re.findall(r"master .*worker ready slot=[01] ", log)), 2, log)
        self.assertEqual(len(re.findall(r": serving workers=2\b", log)), 1, log)
        self.assertNotRegex(log, r" (warning|error) ")

    def test_the_app_is_preloaded_once_and_never_by_the_master(self):
        serval = self.start(app="probe", app_args=["preload_log=" + self.path("preloads")])
        with open(self.path("preloads")) as file:
            self.assertEqual([int(line) for line in file], [serval.mold()])
        with open(f"/proc/{serval.pid}/maps") as file:
            self.assertNotIn("libprobe", file.read())
        for pid in serval.workers().values():
            with open(f"/proc/{pid}/maps") as file:
                self.assertIn("libprobe", file.read())

    def test_short_flags(self):
        serval = self.launch("run", library("hello"), "-b", "127.0.0.1:0", "-w", "3", "-t", "1").wait_serving()
        self.assertEqual(len(serval.workers()), 3)
        self.assertEqual(serval.get().status, 200)

    def test_serval_toml_in_the_current_folder(self):
        config = f'[app]\nlibrary = "{library("hello")}"\n[server]\nbind = ["127.0.0.1:0"]\n[workers]\ncount = 1\n'
        here = os.path.join(self.folder, "here")
        os.mkdir(here)
        self.write("here/serval.toml", config)
        serval = self.launch("run", prefix=("env", "-C", here)).wait_serving()
        self.assertEqual(serval.get().status, 200)

    def test_several_addresses(self):
        socket = self.path("app.sock")
        serval = self.start(config={"server": {"bind": ["127.0.0.1:0", "unix:" + socket, "unix:@" + os.path.basename(self.folder)]}})
        for which in range(3):
            with serval.client(which) as client:
                self.assertEqual(client.get().status, 200, serval.addresses[which])

    def test_ipv6(self):
        serval = self.launch_config(config={"server": {"bind": ["[::1]:0"]}})
        if not os.path.exists("/proc/net/if_inet6") or "00000000000000000000000000000001" not in open("/proc/net/if_inet6").read():
            self.skipTest("no IPv6 loopback here")
        serval.wait_serving()
        self.assertRegex(serval.log(), r"listening address=\[::1\]:[1-9]")
        self.assertEqual(serval.get().status, 200)

    def test_web_concurrency_and_port_are_fallbacks(self):
        plain = f'[app]\nlibrary = "{library("hello")}"\n'
        serval = self.start(config=plain + '[server]\nbind = ["127.0.0.1:0"]\n', env={"WEB_CONCURRENCY": "3", "PORT": "1"})
        self.assertEqual(len(serval.workers()), 3)
        self.assertNotEqual(serval.addresses[0][1], 1, "PORT must not win over [server] bind")
        serval = self.start(env={"WEB_CONCURRENCY": "5"})
        self.assertEqual(len(serval.workers()), 2, "WEB_CONCURRENCY must not win over [workers] count")

    def test_environment_wins_over_the_file_and_flags_over_both(self):
        serval = self.start(env={"SERVAL_WORKERS_COUNT": "1"})
        self.assertEqual(len(serval.workers()), 1)
        serval = self.start(env={"SERVAL_WORKERS_COUNT": "1"}, args=("--workers.count", "3"))
        self.assertEqual(len(serval.workers()), 3)

    def test_auto_counts_the_usable_cpus_and_says_so(self):
        cpu = min(os.sched_getaffinity(0))
        serval = self.start(config={"workers": {"count": "auto"}}, prefix=("taskset", "-c", str(cpu)))
        self.assertEqual(len(serval.workers()), 3, "2 x 1 CPU + 1")
        self.assertRegex(serval.log(), r"(?m)^.*workers=3.*cpus=1\b.*$")

    def test_pid_file(self):
        pidfile = self.path("serval.pid")
        self.write("serval.pid", "999999\n")  # a stale one
        serval = self.start(config={"server": {"pidfile": pidfile}})
        with open(pidfile) as file:
            self.assertEqual(int(file.read()), serval.pid)
        second = self.launch_config(config={"server": {"pidfile": pidfile}})
        self.assertEqual(second.wait(), 73)
        self.assertRegex(second.log(), rf"{serval.pid}")
        self.assertEqual(serval.stop(), 0)
        self.assertFalse(os.path.exists(pidfile))

    def test_an_address_in_use(self):
        serval = self.start()
        host, port = serval.addresses[0]
        second = self.launch_config(config={"server": {"bind": [f"{host}:{port}"]}})
        self.assertEqual(second.wait(), 73)
        self.assertRegex(second.log(), rf"{host}:{port}.*[Aa]ddress already in use")

    def test_workers_inherit_no_descriptor_of_the_master(self):
        serval = self.start()
        inherited = {}
        for slot, pid in serval.workers().items():
            inherited[slot] = sorted(re.sub(r"\d{3,}", "N", target) for target in process_tree.fd_targets(pid))
        self.assertEqual(inherited[0], inherited[1], "worker 1 holds something that worker 0 does not")

    def test_app_env_reaches_the_app(self):
        serval = self.start(app="probe", config={"app": {"env": {"GREETING": "${WHO:-nobody} and ${NAME}"}}}, env={"NAME": "Ada"})
        self.assertEqual(serval.get("/env?name=GREETING").text, "nobody and Ada")


if __name__ == "__main__":
    unittest.main()
