"""One request over HTTP/2, by ``h2``, which knows the protocol and leaves the socket to us."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from necropsy.guard.prober.answer import Deadline, target_of
from necropsy.guard.prober.question import ALWAYS_WITH_LENGTH, Keeping, ProbeRequest

if TYPE_CHECKING:
    from h2.connection import H2Connection

_CHUNK: Final = 1 << 16
_NOT_IN_HTTP2: Final = frozenset({"host", "connection"})


def ask(channel: ssl.SSLSocket, question: ProbeRequest, deadline: Deadline, keeping: Keeping) -> None:
    """Ask one URL, and fill the answer; errors as of ``exchange``."""
    import h2.config
    import h2.connection
    import h2.events

    parts, body = urlsplit(question.url), question.body
    began = time.monotonic()
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
    connection.initiate_connection()
    host = next((value for name, value in question.headers if name.lower() == "host"), parts.netloc)
    asked = [(":method", question.method), (":scheme", parts.scheme), (":authority", host), (":path", target_of(parts))]
    asked += [(name.lower(), value) for name, value in question.headers if name.lower() not in _NOT_IN_HTTP2]
    if (body and not question.in_chunks) or (not body and question.method in ALWAYS_WITH_LENGTH):
        asked.append(("content-length", str(len(body))))
    connection.send_headers(1, asked, end_stream=not body)
    answer = keeping.answer
    answer.version = 2.0
    stream = _Http2Stream(keeping, began)
    rest = memoryview(body)
    while not stream.is_over:
        rest = _send(connection, rest)
        channel.settimeout(deadline.left())
        channel.sendall(connection.data_to_send())
        channel.settimeout(deadline.left())
        data = channel.recv(_CHUNK)
        if not data:
            raise ConnectionError("the server closed the connection before its response was complete")
        for event in connection.receive_data(data):
            stream.take(event)
            if isinstance(event, h2.events.DataReceived):
                connection.acknowledge_received_data(event.flow_controlled_length, 1)
        if more := connection.data_to_send():
            channel.sendall(more)
    keeping.end()
    answer.seconds["transfer"] = time.monotonic() - stream.began


def _send(connection: H2Connection, rest: memoryview) -> memoryview:
    """Send as much of the body as the server takes now; return what is left."""
    while rest and (window := min(connection.local_flow_control_window(1), connection.max_outbound_frame_size)) > 0:
        connection.send_data(1, bytes(rest[:window]), end_stream=len(rest) <= window)
        rest = rest[window:]
    return rest


class _Http2Stream:
    """The response on the one stream."""

    def __init__(self, keeping: Keeping, began: float) -> None:
        self.is_over = False
        self.began = began
        self._keeping = keeping
        self._answer = keeping.answer

    def take(self, event: object) -> None:
        import h2.events

        if isinstance(event, h2.events.ResponseReceived):
            self._headers([(str(name), str(value)) for name, value in event.headers])
        elif isinstance(event, h2.events.DataReceived):
            self.is_over = self._keeping.take(bytes(event.data))
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
