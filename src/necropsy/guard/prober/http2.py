"""One request over HTTP/2, by ``h2``, which knows the protocol and leaves the socket to us."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult

from necropsy.guard.prober.answer import Answer, Deadline, target_of

_CHUNK: Final = 1 << 16
_NOT_IN_HTTP2: Final = frozenset({"host", "connection"})


def ask(channel: ssl.SSLSocket, parts: SplitResult, headers: Mapping[str, str], method: str, body: bytes,
        deadline: Deadline, answer: Answer, limit: int) -> None:  # fmt: skip
    """Ask one URL, and fill the answer; errors as of ``exchange``."""
    import h2.config
    import h2.connection
    import h2.events

    began = time.monotonic()
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
    connection.initiate_connection()
    host = next((value for name, value in headers.items() if name.lower() == "host"), parts.netloc)
    asked = [(":method", method), (":scheme", parts.scheme), (":authority", host), (":path", target_of(parts))]
    asked += [(name.lower(), value) for name, value in headers.items() if name.lower() not in _NOT_IN_HTTP2]
    connection.send_headers(1, asked, end_stream=not body)
    if body:
        connection.send_data(1, body, end_stream=True)
    channel.settimeout(deadline.left())
    channel.sendall(connection.data_to_send())
    answer.version = 2.0
    stream = _Stream(answer, limit, began)
    while not stream.is_over:
        channel.settimeout(deadline.left())
        data = channel.recv(_CHUNK)
        if not data:
            raise ConnectionError("the server closed the connection before its response was complete")
        for event in connection.receive_data(data):
            stream.take(event)
            if isinstance(event, h2.events.DataReceived):
                connection.acknowledge_received_data(event.flow_controlled_length, 1)
        if rest := connection.data_to_send():
            channel.sendall(rest)
    answer.body = b"".join(stream.pieces)[: limit or None]
    answer.seconds["transfer"] = time.monotonic() - stream.began


class _Stream:
    """The response on the one stream."""

    def __init__(self, answer: Answer, limit: int, began: float) -> None:
        self.pieces: list[bytes] = []
        self.is_over = False
        self.began = began
        self._answer = answer
        self._limit = limit
        self._size = 0

    def take(self, event: object) -> None:
        import h2.events

        if isinstance(event, h2.events.ResponseReceived):
            self._headers([(str(name), str(value)) for name, value in event.headers])
        elif isinstance(event, h2.events.DataReceived):
            self._size += len(event.data)
            self.pieces.append(bytes(event.data))
            if self._limit and self._size > self._limit:
                self._answer.problem = f"the body is larger than {self._limit:,} bytes"
                self.is_over = True
        elif isinstance(event, h2.events.StreamEnded):
            self.is_over = True
        elif isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
            raise ConnectionError("the server reset the stream")

    def _headers(self, fields: list[tuple[str, str]]) -> None:
        now = time.monotonic()
        self._answer.seconds["processing"] = now - self.began
        self.began = now
        self._answer.status = int(dict(fields)[":status"])
        self._answer.headers = [(name, value) for name, value in fields if not name.startswith(":")]
        length = dict(self._answer.headers).get("content-length", "")
        self._answer.content_length = int(length) if length.isdecimal() else -1
