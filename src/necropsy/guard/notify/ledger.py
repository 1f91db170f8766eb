"""The ledger of sent messages: a small file, so that no message is sent twice after a restart."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Final

from necropsy._internal.paths import is_file
from necropsy.guard.notify.message import Message, MessageState
from necropsy.guard.notify.plan import Told

_FORGOTTEN_AFTER: Final = timedelta(days=60)
_LONGEST_TURN_S: Final = 30.0


class Ledger:
    """The last message by receiver and notice. A damaged file counts as empty: a message sent twice is better than none.

    Parameters
    ----------
    path
        The file; None: in memory alone.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = Lock()
        self._turns: dict[str, Lock] = defaultdict(Lock)
        self._told: dict[str, dict[str, Told]] = {}
        if path is None or not is_file(path):
            return
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            for channel, rows in json.loads(path.read_text(encoding="utf-8")).items():
                self._told[channel] = {key: _told(row) for key, row in rows.items()}

    def of(self, channel: str) -> dict[str, Told]:
        """Return what a channel was told, by key of the notice."""
        with self._lock:
            return dict(self._told.get(channel, {}))

    @contextlib.contextmanager
    def turn(self, channel: str) -> Iterator[None]:
        """Hold a channel while it is told: after a reload the old teller may be sending, and the new one waits for what it notes.

        Nobody waits longer than 30 s: a receiver that hangs must not silence its channel for good.
        """
        with self._lock:
            lock = self._turns[channel]
        mine = lock.acquire(timeout=_LONGEST_TURN_S)
        try:
            yield
        finally:
            if mine:
                lock.release()

    def open_since(self, key: str) -> datetime | None:
        """Return when any channel was first told last of a notice that is open for it; None: none was."""
        with self._lock:
            open_now = [rows[key].at for rows in self._told.values() if key in rows and not rows[key].resolved]
        return min(open_now, default=None)

    def note(self, channel: str, told: Iterable[Message], at: datetime) -> None:
        """Record that a channel was told, and write the file.

        Raises
        ------
        OSError
            It cannot be written.
        """
        with self._lock:
            rows = self._told.setdefault(channel, {})
            for message in told:
                over = message.state is MessageState.RESOLVED
                rows[message.notice.key] = Told(
                    at, over, message.notice.revision, message.notice.slug, message.notice.severity
                )
            for key in [key for key, one in rows.items() if at - one.at > _FORGOTTEN_AFTER]:
                del rows[key]
            if self._path is not None:
                self._write(self._path)

    def _write(self, path: Path) -> None:
        plain = {channel: {key: _plain(one) for key, one in rows.items()} for channel, rows in self._told.items()}
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                json.dump(plain, stream)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def unwritten(error: OSError) -> str:
    """Say what it means that the file could not be written."""
    return f"the record of sent messages cannot be written: {error}. Messages are sent; after a restart they are sent again."


def _told(row: dict[str, Any]) -> Told:
    return Told(
        datetime.fromisoformat(row["at"]),
        bool(row["resolved"]),
        int(row.get("revision", 0)),
        row.get("slug", ""),
        row.get("severity", ""),
    )


def _plain(one: Told) -> dict[str, Any]:
    return {**asdict(one), "at": one.at.isoformat()}
