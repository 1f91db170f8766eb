"""A port behind which somebody answers who is not what the asker takes him for."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stranger(text: bytes | Iterator[bytes], *, host: str = "127.0.0.1") -> Iterator[int]:
    """Answer each connection with this text, or with the next of these, whatever it sends; yield the port.

    The listener is shut down before it is closed: a thread that still waited in it would wake up in whatever socket gets
    its number next, and fail in somebody else's test.
    """
    texts = itertools.repeat(text) if isinstance(text, bytes) else text
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:

        def answer() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        connection.recv(4096)
                        connection.sendall(next(texts))
                    except OSError:  # who asked has gone
                        continue

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
