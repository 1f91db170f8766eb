"""The ledger of sent messages: a small file, so that no message is sent twice after a restart."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Final

from necropsy._internal.paths import is_file
from necropsy.guard.notify.message import Message, MessageState
from necropsy.guard.notify.plan import Told

_FORGOTTEN_AFTER: Final = timedelta(days=60)


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
        self._told: dict[str, dict[str, Told]] = {}
        if path is None or not is_file(path):
            return
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            for way, rows in json.loads(path.read_text(encoding="utf-8")).items():
                self._told[way] = {key: _told(row) for key, row in rows.items()}

    def of(self, way: str) -> dict[str, Told]:
        """Return what a way was told, by key of the notice."""
        with self._lock:
            return dict(self._told.get(way, {}))

    def note(self, way: str, told: Iterable[Message], at: datetime) -> None:
        """Record that a way was told, and write the file.

        Raises
        ------
        OSError
            It cannot be written.
        """
        with self._lock:
            rows = self._told.setdefault(way, {})
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
        plain = {way: {key: _plain(one) for key, one in rows.items()} for way, rows in self._told.items()}
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                json.dump(plain, stream)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


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
