"""A client that sees bytes: it sends exactly what a test says and reads exactly one response at a time."""

import os
import random
import re
import socket
import time
from dataclasses import dataclass, field

DEADLINE = float(os.environ.get("SERVAL_TEST_DEADLINE", "30"))  # seconds; generous, since a loaded machine is no failure


class Closed(Exception):
    """The peer ended the connection before a whole response had come; `.got` is what had."""

    def __init__(self, got):
        super().__init__(f"connection closed after {len(got)} bytes: {got[:200]!r}")
        self.got = got


@dataclass
class Response:
    version: str
    status: int
    reason: str
    headers: list = field(default_factory=list)  # (name, value) in the order received
    body: bytes = b""

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    @property
    def text(self):
        return self.body.decode()

    @property
    def closes(self):
        return (self.get("Connection") or "").lower() == "close"


class Client:
    """One connection. `address` is (host, port) or the path of a unix socket."""

    def __init__(self, address, deadline=DEADLINE, receive_buffer=None):
        family = socket.AF_UNIX if isinstance(address, str) else (socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(deadline)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            self.socket.connect(address)
            if family != socket.AF_UNIX:
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            self.socket.close()
            raise
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_pieces(self, pieces):
        """Each piece goes out in a packet of its own. A peer that has answered and closed may refuse the rest: that is no error here."""
        try:
            for piece in pieces:
                self.socket.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def request(self, method="GET", target="/", headers=(), body=None, version="1.1"):
        self.send(request_bytes(method, target, headers, body, version))
        return self.read_response(method)

    def get(self, target="/", headers=()):
        return self.request("GET", target, headers)

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            return False
        self.buffer += data
        return True

    def _until(self, end):
        while end not in self.buffer:
            if not self._more():
                raise Closed(self.buffer)
        head, self.buffer = self.buffer.split(end, 1)
        return head

    def _exactly(self, size):
        if size > len(self.buffer):
            parts, got = [self.buffer], len(self.buffer)
            while got < size:
                data = self.socket.recv(min(size - got, 1 << 20))
                if not data:
                    raise Closed(b"".join(parts))
                parts.append(data)
                got += len(data)
            self.buffer = b"".join(parts)
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def read_response(self, method="GET"):
        """One response, framed strictly; what follows it stays for the next call."""
        lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        match = re.fullmatch(r"(HTTP/1\.[01]) (\d{3}) ([^\r\n]*)", lines[0])
        if not match:
            raise ValueError(f"not a status line: {lines[0]!r}")
        response = Response(match[1], int(match[2]), match[3])
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or re.search(r"[\r\n\0]", value):
                raise ValueError(f"not a header field: {line!r}")
            response.headers.append((name, value.strip(" \t")))
        if method == "HEAD" or response.status in (204, 304) or response.status < 200:
            return response
        if response.all("Transfer-Encoding"):
            response.body = self._read_chunked()
        elif response.all("Content-Length"):
            lengths = response.all("Content-Length")
            if len(lengths) != 1 or not lengths[0].isdigit():
                raise ValueError(f"bad Content-Length: {lengths}")
            response.body = self._exactly(int(lengths[0]))
        else:
            response.body = self.read_to_end()
        return response

    def _read_chunked(self):
        body = b""
        while True:
            size = int(self._until(b"\r\n").split(b";")[0], 16)
            if size == 0:
                while self._until(b"\r\n"):
                    pass
                return body
            body += self._exactly(size)
            if self._exactly(2) != b"\r\n":
                raise ValueError("a chunk does not end with CRLF")

    def read_to_end(self):
        """All that comes until the peer ends the connection. A reset instead of an end raises ConnectionResetError."""
        while self._more():
            pass
        data, self.buffer = self.buffer, b""
        return data

    def ended(self):
        """True once the peer has ended the connection without another byte; waits for it until the deadline."""
        try:
            return self.read_to_end() == b""
        except ConnectionResetError:
            return True

    def still_open(self):
        """True if the connection has neither ended nor brought bytes that nobody asked for."""
        self.socket.setblocking(False)
        try:
            self.socket.recv(1, socket.MSG_PEEK)
            return False
        except BlockingIOError:
            return not self.buffer
        except ConnectionResetError:
            return False
        finally:
            self.socket.settimeout(DEADLINE)


def request_bytes(method="GET", target="/", headers=(), body=None, version="1.1"):
    lines = [f"{method} {target} HTTP/{version}"]
    names = {name.lower() for name, _ in headers}
    if "host" not in names:
        lines.append("Host: test")
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def chunked(*chunks, trailer=b""):
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n" + trailer + b"\r\n"


def byte_by_byte(data):
    return [data[i:i + 1] for i in range(len(data))]


def random_splits(data, seed):
    """`data` cut at a few random places; the same for the same seed."""
    chosen = random.Random(seed)
    cuts = sorted({0, len(data), *(chosen.randrange(len(data) + 1) for _ in range(chosen.randint(1, 8)))})
    return [data[a:b] for a, b in zip(cuts, cuts[1:])]


def wait_until(condition, what, deadline=DEADLINE):
    """Calls `condition` until it returns something true, which is returned; fails with `what` after the deadline."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline:g} s in vain for {what() if callable(what) else what}")
        time.sleep(0.01)  # between two looks, not instead of one
