"""Light load whose every request has a name of its own, so that the log can be asked what became of each lost one."""

import itertools
import threading
import time

from chaos_explains import Lost
from http_client import Client, Closed

PAUSE = 0.01  # seconds between two requests of a client


class Clients:
    """Each kind is (target, kept): over one connection for as long as the server lets it, or over a new one for each
    request. A connection that ends before a whole answer has come is a lost request, as is a refused one and each
    status from 500 on."""

    KINDS = (("/", True), ("/", False), ("/sleep?ms=40", True), ("/sleep?ms=100", False))

    def __init__(self, address):
        self.address = address
        self.sent = 0
        self.answered = 0
        self.slowest = 0.0  # seconds
        self._lost = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._going = threading.Event()
        self._resting = [threading.Event() for _ in self.KINDS]
        self._threads = [threading.Thread(target=self._ask_on, args=(*kind, resting), daemon=True)
                         for kind, resting in zip(self.KINDS, self._resting)]

    def __enter__(self):
        self._going.set()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._going.set()
        for thread in self._threads:
            thread.join()

    def rest(self):
        """Returns once no request is under way and no connection open."""
        self._going.clear()
        for resting in self._resting:
            resting.wait()

    def go_on(self):
        self._going.set()

    def named(self, target):
        """The target with a number that no other request has."""
        return f"{target}{'&' if '?' in target else '?'}n={next(self._numbers)}"

    def once(self, target, body=None):
        """One request on a connection of its own, counted like all others. The status, or 0."""
        client, status, _ = self._ask(None, self.named(target), [("Connection", "close")], body)
        if client is not None:
            client.close()
        return status

    def taken(self):
        """The lost ones since the last call."""
        with self._lock:
            taken, self._lost = self._lost, []
        return taken

    def _ask(self, client, target, headers=(), body=None):
        """(connection, or None if it has ended; status or 0; whether it is to be closed)."""
        began = time.monotonic()
        try:
            client = client or Client(self.address)
            response = client.request("GET" if body is None else "POST", target, headers, body)
            status, closes, how = response.status, response.closes, f"status {response.status}"
        except (OSError, Closed, ValueError) as error:
            status, closes, how = 0, True, f"{type(error).__name__}: {error}"
            if client is not None:
                client.close()
                client = None
        with self._lock:
            self.sent += 1
            self.slowest = max(self.slowest, time.monotonic() - began)
            if status == 0 or status >= 500:
                self._lost.append(Lost(target, how, status))
            else:
                self.answered += 1
        return client, status, closes

    def _ask_on(self, target, kept, resting):
        client = None
        while not self._over.is_set():
            if not self._going.is_set():
                if client is not None:
                    client.close()
                    client = None
                resting.set()
                self._going.wait()
                resting.clear()
                continue
            client, status, closes = self._ask(client, self.named(target), [] if kept else [("Connection", "close")])
            if client is not None and closes:
                client.close()
                client = None
            self._over.wait(PAUSE if status else 10 * PAUSE)
        if client is not None:
            client.close()
        resting.set()
