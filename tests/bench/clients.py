"""Clients that hardly do anything, in great numbers."""

import collections
import selectors
import socket
import threading
import time
from dataclasses import dataclass

from http_client import request_bytes


class IdleConnections:
    """`with IdleConnections(server, 10000):` connections on which one request was answered, and no other follows."""

    def __init__(self, server, count):
        self.server, self.count, self.clients = server, count, []

    def __enter__(self):
        try:
            for _ in range(self.count):
                client = self.server.client()
                self.clients.append(client)
                client.get()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for client in self.clients:
            client.close()

    def open(self):
        return sum(client.still_open() for client in self.clients)


BEGINNINGS = {
    "head": b"GET / HTTP/1.1\r\nX-Slow: ",
    "body": request_bytes("POST", "/", [("Content-Length", "100000")]),
    "answer": request_bytes(target="/body?bytes=1000000"),  # of the example faulty
}


@dataclass
class SlowClient:
    kind: str
    deadline: float  # seconds after which the server has to cut it off
    socket: socket.socket
    begun: float
    cut_after: float = 0.0  # seconds; 0: it was not


class SlowClients:
    """Heads and bodies of a byte per second, and answers that nobody reads. `deadlines` has seconds by kind: head, body, answer. As a context they
    live, on a thread of their own; `wait` until all are cut off, or for so many seconds."""

    def __init__(self, server, count, deadlines):
        self.server = server
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._live)
        self.selector = selectors.DefaultSelector()
        kinds = list(deadlines)
        self.clients = [self._client(kind, deadlines[kind]) for kind in (kinds[number % len(kinds)] for number in range(count))]

    def _client(self, kind, deadline):
        connection = socket.socket()
        if kind == "answer":  # small segments and a small window: the answer does not fit into what the kernel keeps of it
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", self.server.port))
        connection.sendall(BEGINNINGS[kind])
        connection.setblocking(False)
        it = SlowClient(kind, deadline, connection, begun=time.monotonic())
        if kind != "answer":  # who does not read does not see the end either, see ports_served
            self.selector.register(connection, selectors.EVENT_READ, it)
        return it

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.selector.close()
        for it in self.clients:
            it.socket.close()

    def wait(self, seconds):
        self.thread.join(seconds)

    def ports_served(self):
        """The local ports of connections that still have somebody at the server's end."""
        port = f"0100007F:{self.server.port:04X}"
        open_ports = set()
        with open("/proc/net/tcp", encoding="ascii") as file:
            for line in list(file)[1:]:
                fields = line.split()
                if fields[1] == port and fields[3] == "01":  # ESTABLISHED; fields[2] is the client
                    open_ports.add(int(fields[2].split(":")[1], 16))
        return open_ports

    def _live(self):
        """Trickles, and notes who was cut off."""
        begin = time.monotonic()
        writers = [it for it in self.clients if it.kind != "answer"]
        turns = collections.deque((begin + number / len(writers), it) for number, it in enumerate(writers))  # spread over the second, not all at once
        ports = {it.socket.getsockname()[1]: it for it in self.clients if it.kind == "answer"}
        # The kernel takes milliseconds for that list, in which it serves nobody else: not before the first is due.
        next_look = min((it.begun + it.deadline for it in ports.values()), default=begin) - 1
        while not self.over.is_set() and not all(it.cut_after for it in self.clients):
            now = time.monotonic()
            while turns and turns[0][0] <= now:
                due, it = turns.popleft()
                if not it.cut_after:
                    self._send(it)
                    turns.append((due + 1, it))
            if now >= next_look:
                next_look = now + 0.2
                still = self.ports_served()
                for port, it in ports.items():
                    if port not in still and not it.cut_after:
                        it.cut_after = now - it.begun
            for key, _ in self.selector.select(max(0, min(turns[0][0] if turns else next_look, next_look) - time.monotonic())):
                self._read(key.data)

    def _send(self, it):
        try:
            it.socket.send(b"x")
        except OSError:
            self._cut(it)

    def _read(self, it):
        try:
            if it.socket.recv(65536):  # the answer that says so comes before the end
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._cut(it)

    def _cut(self, it):
        it.cut_after = it.cut_after or time.monotonic() - it.begun
        try:
            self.selector.unregister(it.socket)
        except KeyError:
            pass
