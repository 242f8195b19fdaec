"""A client that asks one request after another until the server is gone, and knows what it has lost."""

import os
import sys
import time
from dataclasses import dataclass

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "behaviour"))
from http_client import Client, Closed  # noqa: E402


@dataclass
class Asked:
    answers: int = 0
    lost: str = ""      # how it ended, if not with a refused connection
    late: bool = False  # so ended the first request of a connection: it may have come when nobody was there any more


def keep_asking(address, target, kept):
    """Never pauses; over one connection for as long as the server lets it, or over a new one each time. A refused connection is the end, not a
    loss."""
    asked, client, used, answered = Asked(), None, 0, 0.0
    while True:
        began = time.monotonic()
        try:
            if client is None:
                used = 0
                client = Client(address)
            answer = client.request("GET", target, [] if kept else [("Connection", "close")])
            if answer.status != 200:
                raise OSError(f"status {answer.status}")
            asked.answers += 1
            used += 1
            answered = time.monotonic()
        except ConnectionRefusedError:
            return asked
        except (Closed, OSError) as error:
            asked.late = used == 0
            now = time.monotonic()
            asked.lost = (f"{'kept' if kept else 'new'} connection, request {used + 1} of {target}, {now - began:.3f} s after it was asked "
                          f"and {now - answered:.3f} s after the last answer: {type(error).__name__}: {error}")
            if client is not None:
                client.close()
            return asked
        if answer.closes or not kept:
            client.close()
            client = None
