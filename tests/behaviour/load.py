"""Clients that ask all the time over keep-alive connections, and remember everything that went wrong."""

import threading
import time

from http_client import wait_until


class Load:
    """`with Load(serval, clients=4) as load:`. A client whose connection was closed after an answer that announced it opens another one, as HTTP
    wants it. All else is a failure: a refused or reset connection, an end without a whole answer, a status that is not 2xx. `which` of the
    server's addresses is asked; `look(asked, response)` sees each answer and when it was asked for, and may return what is wrong with it.
    `fresh`: each request has a connection of its own."""

    def __init__(self, serval, clients=4, target="/", method="GET", which=0, look=lambda asked, response: None, fresh=False):
        self.serval = serval
        self.which = which
        self.look = look
        self.target = target
        self.method = method
        self.headers = [("Connection", "close")] if fresh else []
        self.answers = 0
        self.connections = 0  # that were opened
        self.failures = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._client, daemon=True) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, more):
        """Until so many answers more than now have come."""
        wanted = self.answers + more
        wait_until(lambda: self.answers >= wanted or self.failures, lambda: f"{wanted} answers; there are {self.answers}")

    def wait_for_answers(self, more):
        """The same where failures are expected: they do not end it."""
        wanted = self.answers + more
        wait_until(lambda: self.answers >= wanted, lambda: f"{wanted} answers; there are {self.answers}, and {self.failures}")

    def _client(self):
        client = None
        while not self._over.is_set():
            began = time.monotonic()
            try:
                if client is None:
                    with self._lock:
                        self.connections += 1
                    client = self.serval.client(self.which)
                response = client.request(self.method, self.target, self.headers)
                failure = self.look(began, response) if 200 <= response.status <= 299 else f"status {response.status}: {response.body[:200]!r}"
                closes = response.closes
            except Exception as error:  # whatever it is, the test is to see it
                failure, closes = f"{type(error).__name__}: {error}", True
            with self._lock:
                if failure:
                    self.failures.append(f"{failure}, at {time.strftime('%H:%M:%S')}, {time.monotonic() - began:.3f} s after it asked")
                else:
                    self.answers += 1
            if closes and client is not None:
                client.close()
                client = None
        if client is not None:
            client.close()
