"""Unix sockets in server.bind: who may connect, and what a reload does for one whose file is gone."""

import os
import pwd
import socket
import stat
import unittest

from http_client import request_bytes
from reloads import ReloadTest

STRANGER = 65534


class UnixSockets(ReloadTest):
    def ask(self, path):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(path)
            client.sendall(request_bytes("GET", "/", [("Connection", "close")]))
            answer = b""
            while part := client.recv(4096):
                answer += part
        return answer

    def mode(self, path):
        return stat.S_IMODE(os.lstat(path).st_mode)

    def test_whom_the_umask_lets_read_may_connect(self):
        for umask, mode in (("0022", 0o666), ("0027", 0o660), ("0077", 0o600)):
            with self.subTest(umask):
                path = self.path(f"{umask}.sock")
                self.start(config={"server": {"bind": [f"unix:{path}"], "umask": umask}})
                self.assertEqual(self.mode(path), mode)

    def test_what_the_address_says(self):
        path = self.path("x.sock")
        self.start_replaceable(server={"bind": [f"unix:{path}?mode=0620"]})
        self.assertEqual(self.mode(path), 0o620)
        self.assertIn(b" 200 ", self.ask(path))
        inode = os.lstat(path).st_ino
        self.change_config("mode=0620", "mode=0640")
        code, _, err = self.command("reload")
        self.assertEqual(code, 0, err)
        self.assertEqual((self.mode(path), os.lstat(path).st_ino), (0o640, inode))
        self.assertIn(b" 200 ", self.ask(path))

    def test_an_unknown_group_is_named(self):
        serval = self.launch_config(config={"server": {"bind": [f"unix:{self.path('x.sock')}?group=no-such-group"]}})
        self.assertEqual(serval.wait(), 78)
        self.assertRegex(serval.log(), r"server\.bind unix:.*no-such-group")
        self.assertFalse(os.path.exists(self.path("x.sock")))

    @unittest.skipIf(os.geteuid() != 0, "only root can become somebody else")
    def test_the_servers_user_owns_it(self):
        os.chmod(self.folder, 0o755)
        path = self.path("x.sock")
        self.start(config={"server": {"bind": [f"unix:{path}"], "user": pwd.getpwuid(STRANGER).pw_name}})
        self.assertEqual(os.lstat(path).st_uid, STRANGER)
        self.assertIn(b" 200 ", self.ask(path))

    def test_a_file_that_is_gone_is_made_anew_by_a_reload(self):
        path = self.path("x.sock")
        serval = self.start_replaceable(server={"bind": ["127.0.0.1:0", f"unix:{path}"]})
        for how in (os.remove, lambda name: os.rename(name, name + ".old")):
            how(path)
            code, _, err = self.command("reload")
            self.assertEqual(code, 0, err)
            self.assertIn(b" 200 ", self.ask(path))
        self.assertEqual(serval.stop(), 0)
        self.assertFalse(os.path.exists(path))

    def test_one_that_another_program_has_taken_refuses_the_reload(self):
        path = self.path("x.sock")
        self.start_replaceable(server={"bind": ["127.0.0.1:0", f"unix:{path}"]})
        os.remove(path)
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(path)
            other.listen()
            code, _, err = self.command("reload")
            self.assertEqual(code, 1)
            self.assertRegex(err, rf"cannot listen on unix:{path}.*another program listens there.*generation 1 goes on")

    @unittest.skipUnless(socket.has_dualstack_ipv6(), "there is no IPv6 here")
    def test_both_wildcards_on_one_port(self):
        with socket.socket() as probe:
            probe.bind(("0.0.0.0", 0))
            port = probe.getsockname()[1]
        for bind in ([f"0.0.0.0:{port}", f"[::]:{port}"], [f"[::]:{port}", f"0.0.0.0:{port}"], [f"[::]:{port}"]):
            with self.subTest(bind):
                serval = self.start(config={"server": {"bind": bind}})
                for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
                    with socket.socket(family) as client:
                        client.connect((host, port))
                self.assertEqual(serval.stop(), 0)

    @unittest.skipUnless(socket.has_dualstack_ipv6(), "there is no IPv6 here")
    def test_a_reload_that_would_need_the_port_twice_says_whose_it_is(self):
        with socket.socket() as probe:
            probe.bind(("0.0.0.0", 0))
            port = probe.getsockname()[1]
        self.start_replaceable(server={"bind": [f"[::]:{port}"]})
        self.change_config(f'"[::]:{port}"', f'"[::]:{port}", "0.0.0.0:{port}"')
        code, _, err = self.command("reload")
        self.assertEqual(code, 1)
        self.assertRegex(err, rf"cannot listen on 0\.0\.0\.0:{port}: this server has that port already, as \[::\]:{port}, .*; restart the server for it")

    @unittest.skipUnless(socket.has_dualstack_ipv6(), "there is no IPv6 here")
    def test_a_reload_does_not_lose_ipv4_without_a_word(self):
        with socket.socket() as probe:
            probe.bind(("0.0.0.0", 0))
            port = probe.getsockname()[1]
        serval = self.start_replaceable(server={"bind": [f"0.0.0.0:{port}", f"[::]:{port}"]})
        self.change_config(f'"0.0.0.0:{port}", "[::]:{port}"', f'"[::]:{port}"')
        code, _, err = self.command("reload")
        self.assertEqual(code, 1)
        self.assertRegex(err, rf"cannot listen on \[::\]:{port} for IPv4 as well: .*; restart the server for it")
        with socket.create_connection(("127.0.0.1", port)):
            pass
        self.assertTrue(serval.workers())


if __name__ == "__main__":
    unittest.main()
