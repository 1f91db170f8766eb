"""Opens a dump, hands out its keys in batches, and says what it is, how far it could be read, and what that means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from necropsy.model.errors import UnreadableSource
from necropsy.model.evidence import Blemish
from necropsy.sessions.keyspace import Projection, key_schema
from necropsy.wire.files import STANDARD_INPUT, open_binary

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.evidence.rdb.scan import Scanner

_HEADER: Final = re.compile(rb"REDIS(\d{4})|VALKEY(\d{3})")
_FIRST_WITH_CHECKSUM: Final = 5


def open_dump(
    locator: str,
    projection: Projection,
    *,
    batch_rows: int = 65_536,
    verify_checksum: bool = True,
    progress: Callable[[int], None] | None = None,
    allocator: str = "jemalloc",
) -> Dump:
    """Open a dump of Redis or Valkey, compressed or not, ``-`` for standard input.

    Parameters
    ----------
    projection
        What to keep of the values; everything else is passed by its length.
    batch_rows
        Most rows of a batch.
    progress
        Called after each batch with the bytes of the dump (not of its compressed file) read so far.

    allocator
        For the estimate of memory: ``jemalloc`` as servers bundle it, ``jemalloc-16`` as Debian builds it, ``libc``.

    Raises
    ------
    UnreadableSource
        It is missing, or no dump.
    """
    stream = open_binary(locator)
    try:
        return Dump(stream, locator, projection, batch_rows, verify_checksum, progress, allocator)
    except BaseException:
        stream.close()
        raise


class Dump:
    """A dump that is being read: iterate over it once.

    >>> # for batch in open_dump("dump.rdb", Projection()): ...
    """

    facts: dict[str, str]
    """What the dump says of its server, and ``magic``, ``rdb-version``, ``checksum``: ``verified``, ``absent``,
    ``mismatch``, ``not reached`` or ``not checked``."""
    blemishes: list[Blemish]
    """What is damaged; complete when the iteration has ended."""

    def __init__(
        self,
        stream: BinaryIO,
        locator: str,
        projection: Projection,
        batch_rows: int,
        verify_checksum: bool,
        progress: Callable[[int], None] | None,
        allocator: str,
    ) -> None:
        from necropsy.evidence.rdb.scan import Scanner
        from necropsy.evidence.rdb.window import Window

        self.locator = locator
        self.projection = projection
        self.batch_rows = batch_rows
        self.verify_checksum = verify_checksum
        self.progress = progress
        self.blemishes = []
        self._stream = stream
        self._window = Window(stream, summing=verify_checksum)
        magic, version = self._header()
        self._scanner: Scanner = Scanner(self._window, projection, batch_rows, version, magic == "VALKEY", allocator)
        self.facts = self._scanner.facts
        self.facts.update({"magic": magic, "rdb-version": str(version), "checksum": "not reached"})

    @property
    def keys_read(self) -> int:
        """Keys handed out or about to be."""
        return int(self._scanner.keys_read)

    @property
    def taken_at(self) -> datetime | None:
        """When the server began to write it (AUX ``ctime``), UTC; None when it does not say, or not yet."""
        try:
            return datetime.fromtimestamp(int(self.facts["ctime"]), UTC)
        except (KeyError, ValueError, OverflowError, OSError):
            return None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        from necropsy.evidence.rdb.kernels import Damaged
        from necropsy.evidence.rdb.window import TooWide, Truncated

        schema = key_schema(self.projection)
        scanner = self._scanner
        more = True
        with self._stream:
            while more:
                try:
                    more = scanner.fill()
                    if not more:
                        self._finish()
                except Truncated as error:
                    more = False
                    self._broken_off(int(error.args[0]))
                except (Damaged, TooWide, IndexError) as error:
                    more = False
                    self._damaged(str(error))
                if scanner.columns.rows:
                    yield scanner.columns.batch(schema)
                    scanner.renew(self.projection, self.batch_rows)
                if self.progress is not None:
                    self.progress(self._window.offset())
        self._hurt_values()

    def _header(self) -> tuple[str, int]:
        from necropsy.evidence.rdb.window import Truncated

        try:
            head = bytes(self._window.take(9))
        except Truncated:
            head = b""
        found = _HEADER.fullmatch(head)
        if not found:
            raise UnreadableSource(
                f"{self.locator}: not a dump: it does not begin with REDIS or VALKEY and a version",
                hint="Take one with redis-cli SAVE, or name the dump.rdb in the folder that CONFIG GET dir names.",
            )
        return ("REDIS", int(found[1])) if found[1] else ("VALKEY", int(found[2]))

    def _finish(self) -> None:
        """Compare the checksum that follows the last opcode."""
        if self._scanner.version < _FIRST_WITH_CHECKSUM:
            self.facts["checksum"] = "absent"
            return
        computed = self._window.sum_up()
        stored = int.from_bytes(self._window.take(8), "little")
        if stored == 0:
            self.facts["checksum"] = "absent"
        elif not self.verify_checksum:
            self.facts["checksum"] = "not checked"
        elif stored == computed:
            self.facts["checksum"] = "verified"
        else:
            self.facts["checksum"] = "mismatch"
            self._blemish(
                self._window.offset() - 8,
                f"the checksum says that bytes of this dump were changed after it was written: its {self.keys_read:,} keys could all be read, but some may be wrong",
            )

    def _broken_off(self, at: int) -> None:
        self._blemish(
            at, f"the dump breaks off at byte {at:,}: the figures cover the {self.keys_read:,} keys read before it"
        )

    def _damaged(self, why: str) -> None:
        at = self._scanner.record_at
        self._blemish(
            at,
            f"the dump is damaged after byte {at:,} ({why}): the figures cover the {self.keys_read:,} keys read before it",
        )

    def _hurt_values(self) -> None:
        scanner = self._scanner
        if scanner.hurt:
            self._blemish(
                scanner.hurt_at,
                f"{scanner.hurt_why}: the key counts, what was asked of its value is missing",
                count=scanner.hurt,
            )

    def _blemish(self, place: int, why: str, *, count: int = 1) -> None:
        self.blemishes.append(Blemish(self.locator, "byte", place, why, count=count))


def is_dump(locator: str) -> bool:
    """Tell whether a file begins as a dump does."""
    if locator == STANDARD_INPUT or not Path(locator).is_file():
        return False
    with open_binary(locator) as stream:
        return _HEADER.fullmatch(stream.read(9)) is not None
