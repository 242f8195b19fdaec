"""Servers whose admin endpoints tests ask."""

import json
import os
import re

import process_tree
from http_client import Client
from orders import Orders

ADMIN = {"SERVAL_ADMIN_BIND": "127.0.0.1:0"}


class Admin(Orders):
    def start_admin(self, config=None, env=None, **options):
        """The probe app with its gates, and admin endpoints on a free port."""
        return self.start_probe(config=config, env={**ADMIN, **(env or {})}, **options)

    def admin_address(self, serval, count=1):
        where = serval.expect_log(r"admin endpoints at=(\S+)", count=count)[1]
        if where.startswith("unix:"):
            return os.path.join(serval.folder, where[len("unix:"):])
        host, port = re.fullmatch(r"http://(.*):(\d+)/", where).groups()
        return host.strip("[]"), int(port)

    def look(self, serval, path, headers=(), method="GET"):
        with Client(self.admin_address(serval)) as client:
            named = any(name == "Host" for name, _ in headers)
            return client.request(method, path, [("Connection", "close"), *([] if named else [("Host", "127.0.0.1")]), *headers])

    def seen(self, serval):
        return json.loads(self.look(serval, "/status").body)

    def metrics(self, serval):
        """{sample with its labels: value}"""
        text = self.look(serval, "/metrics").text
        return {name: float(value) for name, value in re.findall(r"^([a-z_]+(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE)}

    def admin_process(self, serval):
        return next((pid for pid in process_tree.descendants(serval.pid)
                     if process_tree.title(pid).startswith("serval: admin") and process_tree.alive(pid)), None)
