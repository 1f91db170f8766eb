"""The scan of one node: slice after slice, at its pace, through lost connections, until the cursor is back."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from necropsy.evidence.redis.batches import Batches
from necropsy.evidence.redis.page import PageReply, Recent
from necropsy.model.errors import UnreadableSource
from necropsy.wire.redis.info import parse_info
from necropsy.wire.redis.replies import ConnectionLost, ServerError

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.evidence.redis.pipeline import PipelineWay
    from necropsy.evidence.redis.rate_control import RateControl
    from necropsy.evidence.redis.read_methods import SliceMethod
    from necropsy.wire.redis.connection import Connection

PATIENCE_S: Final = (0.2, 1.0, 3.0)
"""Rests before the attempts to connect again."""


class ScanEnded(Exception):  # noqa: N818 -- what happened; what was read before is used
    """The server is gone, or is another process by now."""


@dataclass(slots=True)
class ScanCounts:
    """Counts of keys: read, gone, refused, unread."""

    keys: int = 0
    gone: int = 0
    denied: int = 0
    unread: int = 0
    again: int = 0
    resumed: int = 0
    """Connections that broke and were opened again."""
    slices: int = 0
    server_s: float = 0.0
    """Time that the server spent on them."""
    longest_s: float = 0.0
    missed: list[str] = field(default_factory=list)


class Scan:
    """Scans databases of one node.

    Parameters
    ----------
    connect
        Opens a connection to the node.
    way
        How slices are asked for.
    pieces
        Reads what is too large for a slice.
    seen
        Told how many keys were read, slice by slice.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        connection: Connection,
        way: SliceMethod,
        pieces: PipelineWay,
        rate_control: RateControl,
        batches: Batches,
        tally: ScanCounts,
        *,
        seen: Callable[[int], None] = lambda _keys: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connect = connect
        self.connection = connection
        self._way = way
        self._pieces = pieces
        self._pace = rate_control
        self._batches = batches
        self._tally = tally
        self._seen = seen
        self._sleep = sleep
        self._gone_on = False
        """Whether the next slice was asked for while the latest answer was still on its way."""
        self._process = _process(connection)

    def database(self, db: int) -> Iterator[pa.RecordBatch]:
        """Yield the keys of one database.

        Raises
        ------
        ScanEnded
            The server is gone; what was yielded stays valid, and the batches hold the rest.
        """
        self._select(db)
        self._batches.start(db)
        recent = Recent()
        cursor = b"0"
        left: list[bytes] = []
        self._ask(cursor, left)
        while True:
            answer = self._answer(db, cursor, left)
            if not left:
                cursor = answer.cursor
            left = list(answer.left)
            more = bool(left) or cursor != b"0"
            large = answer.large
            if more and not large and not self._gone_on:
                self._pace.rest()
                self._ask(cursor, left)  # the server works on it while we take in what it gave
            full = self._take(answer, recent)
            for key in large:
                full = self._take(self._in_pieces(db, key), recent) or full
            if more and large:
                self._ask(cursor, left)
            if full and (batch := self._batches.take()) is not None:
                yield batch
            if not more:
                break
        if (batch := self._batches.take()) is not None:
            yield batch

    def _ask(self, cursor: bytes, left: list[bytes]) -> None:
        with contextlib.suppress(ConnectionLost):  # the answer will not come either, and there it is dealt with
            self._way.ask(cursor, left, self._pace.keys, self._pace.longest_s)

    def _go_on(self, cursor: bytes) -> None:
        if cursor != b"0" and not self._pace.is_due():
            self._gone_on = True
            self._ask(cursor, [])

    def _answer(self, db: int, cursor: bytes, left: list[bytes]) -> PageReply:
        while True:
            self._gone_on = False
            try:
                answer = self._way.answer(None if left else self._go_on)
            except ConnectionLost as error:
                self._reconnect(db, str(error))
                self._ask(cursor, left)
            except ServerError as error:
                raise ScanEnded(f"the server stopped the scan: {error.text}") from None
            else:
                count = answer.keys + answer.gone + answer.denied
                self._pace.took(count, answer.seconds, answer.rounds)
                self._tally.slices += 1
                self._tally.server_s += answer.seconds
                self._tally.longest_s = max(self._tally.longest_s, answer.seconds)
                return answer

    def _in_pieces(self, db: int, key: bytes) -> PageReply:
        try:
            return self._pieces.read([key], in_pieces=True)
        except ConnectionLost as error:
            self._reconnect(db, str(error))
            return self._in_pieces(db, key)

    def _take(self, answer: PageReply, recent: Recent) -> bool:
        page = answer.unpack()
        rows = recent.fresh(page.keys)
        if rows is not None:
            self._tally.again += len(page) - len(rows)
            page = page.only(rows)
        self._tally.keys += len(page)
        self._seen(len(page))
        self._tally.gone += answer.gone
        self._tally.denied += answer.denied
        self._tally.unread += answer.unread
        return self._batches.add(page)

    def _select(self, db: int) -> None:
        if db:
            try:
                self.connection.command("SELECT", db)
            except ServerError as error:
                raise ScanEnded(f"database {db} cannot be read: {error.text}") from None
            except ConnectionLost as error:
                self._reconnect(db, str(error))

    def _reconnect(self, db: int, why: str) -> None:
        """Connect again. A cursor means the same as long as it is the same process: its tables are as they were."""
        self.connection.close()
        for rest in PATIENCE_S:
            self._sleep(rest)
            try:
                connection = self._connect()
            except UnreadableSource:
                continue
            try:
                if _process(connection) != self._process:
                    connection.close()
                    raise ScanEnded(f"the server {why}, and was restarted meanwhile")
                if db:
                    connection.command("SELECT", db)
            except (ConnectionLost, ServerError):
                connection.close()
                continue
            self.connection = connection
            self._way.use(connection)
            self._pieces.use(connection)
            self._tally.resumed += 1
            return
        raise ScanEnded(f"the server {why}, and does not come back")


def _process(connection: Connection) -> str:
    """Return what identifies the process behind a connection; empty when it does not say."""
    try:
        info: Mapping[str, str] = parse_info(connection.command("INFO", "SERVER"))
    except ServerError:
        return ""
    return info.get("run_id", "")
