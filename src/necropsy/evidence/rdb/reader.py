"""Opens a dump, hands out its keys in batches, and says what it is, how far it could be read, and what that means."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, Final

from necropsy._internal.file_kinds import kind_of
from necropsy.evidence.rdb.source import Opened, open_source, reading_errors
from necropsy.model.errors import UnreadableSource
from necropsy.model.evidence import Absent, Blemish
from necropsy.model.figures import several
from necropsy.sessions.keyspace import Projection, key_schema

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.evidence.rdb.scan import Scanner

_TELLING: Final = 512
"""Bytes by which a file that is no dump is named."""
_HEADER: Final = re.compile(rb"REDIS(\d{4})|VALKEY(\d{3})")
BATCH_ROWS: Final = 131_072
"""Most rows of a batch: what is done once a batch takes five milliseconds, and a row takes some 300 bytes."""
_FIRST_WITH_CHECKSUM: Final = 5
_NEWEST: Final = {"REDIS": 15, "VALKEY": 81}


def open_dump(
    locator: str,
    projection: Projection,
    *,
    batch_rows: int = BATCH_ROWS,
    verify_checksum: bool = True,
    progress: Callable[[int], None] | None = None,
    sample: float = 1.0,
    allocator: str = "jemalloc",
) -> Dump:
    """Open a dump of Redis or Valkey: a file, compressed or not, ``-``, or the folder of an append-only file.

    Parameters
    ----------
    projection
        What to keep of the values; everything else is passed by its length.
    batch_rows
        Most rows of a batch.
    progress
        Called after each batch with the bytes of the dump (not of its compressed file) read so far.
    sample
        Share of the keys to hand out, chosen by a hash of the key: the same ones every time.
    allocator
        For the estimate of memory: ``jemalloc`` as servers bundle it, ``jemalloc-16`` as Debian builds it, ``libc``.

    Raises
    ------
    UnreadableSource
        It is missing, or no dump.
    """
    opened = open_source(locator)
    try:
        dump = Dump(opened, projection, batch_rows, verify_checksum, progress, sample, allocator)
    except BaseException:
        opened.stream.close()
        raise
    dump.locator = locator
    return dump


def open_stream(
    stream: BinaryIO,
    name: str,
    projection: Projection,
    *,
    batch_rows: int = BATCH_ROWS,
    verify_checksum: bool = True,
    progress: Callable[[int], None] | None = None,
    sample: float = 1.0,
    allocator: str = "jemalloc",
) -> Dump:
    """Read a dump that arrives as a stream, as a server sends it to a replica.

    Parameters
    ----------
    stream
        Has ``readinto``; the dump closes it when its iteration ends.
    name
        What messages call it.

    The others are as for ``open_dump``.

    Raises
    ------
    UnreadableSource
        It begins as no dump does.
    """
    return Dump(Opened(stream, name), projection, batch_rows, verify_checksum, progress, sample, allocator)


def _telling(read: Callable[[memoryview], int], progress: Callable[[int], None]) -> Callable[[memoryview], int]:
    """Tell of the bytes that were read as they are, and not only with each batch: of large values a batch takes minutes."""
    done = told = 0

    def counted(buffer: memoryview) -> int:
        nonlocal done, told
        if not done or done - told >= _TELL_EACH:
            told = done
            progress(done)
        got = read(buffer)
        done += got
        return got

    return counted


_TELL_EACH: Final = 2 << 20
"""Bytes between two reports of progress."""


class Dump:
    """A dump that is being read: iterate over it once, to the end."""

    facts: dict[str, str]
    """Facts of the server in the dump (AUX), and ``magic``, ``rdb-version``, ``checksum``: ``verified``, ``absent``,
    ``mismatch``, ``not reached`` or ``not checked``."""
    blemishes: list[Blemish]
    """Damaged and missing places; complete when the iteration has ended."""

    def __init__(
        self,
        opened: Opened,
        projection: Projection,
        batch_rows: int,
        verify_checksum: bool,
        progress: Callable[[int], None] | None,
        sample: float,
        allocator: str,
    ) -> None:
        from necropsy.evidence.rdb.read_buffer import Window
        from necropsy.evidence.rdb.scan import Scanner

        self.file = self.locator = opened.file
        self.projection = projection
        self.batch_rows = batch_rows
        self.verify_checksum = verify_checksum
        self.progress = progress
        self.blemishes = []
        self._stream = opened.stream
        read = opened.read if progress is None else _telling(opened.read, progress)
        self._window = Window(read, piece=opened.piece, summing=verify_checksum)
        magic, version = self._header()
        self._scanner: Scanner = Scanner(
            self._window, projection, batch_rows, version, magic == "VALKEY", sample, allocator
        )
        self.facts = self._scanner.facts
        self.facts.update({"magic": magic, "rdb-version": str(version), "checksum": "not reached"})
        if version > _NEWEST[magic]:
            self._blemish(0, f"{magic} dumps of version {version} are newer than this necropsy: read as far as known")
        if opened.later:
            self._blemish(0, f"{opened.later} files with later changes are not read: the figures are those of the dump")

    absent: tuple[Absent, ...] = ()
    """A dump lacks nothing that could be had otherwise."""
    note = ""
    is_live = False

    def close(self) -> None:
        """Close the file without reading on."""
        self._stream.close()

    @property
    def offset(self) -> int:
        """Place in the dump behind the batch that was handed out last."""
        return int(self._window.offset())

    @property
    def keys_read(self) -> int:
        """Keys handed out, or about to be."""
        return int(self._scanner.keys_read)

    @property
    def keys_seen(self) -> int:
        """Keys passed so far, those included that a sample leaves out."""
        return int(self._scanner.keys_seen)

    @property
    def taken_at(self) -> datetime | None:
        """Time at which the server began to write the dump (AUX ``ctime``), UTC; None when it does not say, or not yet."""
        try:
            return datetime.fromtimestamp(int(self.facts["ctime"]), UTC)
        except (KeyError, ValueError, OverflowError, OSError):
            return None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        schema = key_schema(self.projection)
        scanner = self._scanner
        more = True
        with self._stream:
            while more:
                more = self._fill()
                if scanner.columns.rows:
                    yield scanner.columns.batch(schema)
                    scanner.renew(self.projection)
        if self.progress is not None:
            self.progress(self._window.offset())
        if scanner.curtailed:
            self._blemish(
                scanner.curtailed_at,
                "more members than fit into memory: only the first two million or so are read",
                count=scanner.curtailed,
            )
        if scanner.hurt:
            self._blemish(
                scanner.hurt_at,
                f"{scanner.hurt_why}: the key is counted, its value is not read",
                count=scanner.hurt,
            )

    def _fill(self) -> bool:
        """Read a batch; tell whether more may follow."""
        from necropsy.evidence.rdb.kernels import Damaged
        from necropsy.evidence.rdb.read_buffer import TooWide, Truncated
        from necropsy.evidence.rdb.values import Unknown

        at = self._scanner.record_at
        try:
            more = self._scanner.fill()
            if not more:
                self._check()
                self._look_behind()
        except Truncated as error:
            self._blemish(int(error.args[0]), f"the dump ends early at byte {error.args[0]:,}: {self._extent()}")
        except Unknown as error:
            at = self._scanner.record_at
            self._blemish(
                at,
                f"{error} at byte {at:,} is unknown to this version of necropsy, so the rest cannot be read:"
                f" {self._extent()}."
                " A newer version may know it",
            )
        except (Damaged, TooWide) as error:
            at = self._scanner.record_at
            self._blemish(at, f"the dump is damaged after byte {at:,} ({error}): {self._extent()}")
        except reading_errors() as error:
            at = self._window.offset()
            self._blemish(at, f"the file cannot be read beyond byte {at:,} of the dump ({error}): {self._extent()}")
        else:
            return more
        return False

    def _extent(self) -> str:
        announced = self._scanner.announced
        of = ""
        if announced > self.keys_seen:
            of = f" (of {announced:,} announced)"
            self.facts["keys-announced"] = str(announced)
        if not self.keys_seen:
            return f"no key{of} was read before that"
        return f"the figures cover the {several(self.keys_seen, 'key')}{of} before that"

    def _header(self) -> tuple[str, int]:
        from necropsy.evidence.rdb.read_buffer import Truncated

        if str(self.file).lower().endswith(".dfs"):
            raise UnreadableSource(
                f"{self.file}: a snapshot in Dragonfly's own format (.dfs), not a dump",
                hint="Let Dragonfly write a dump (SAVE RDB), or name the server itself: redis://HOST:PORT.",
            )
        try:
            head = self._window.take(9)
        except Truncated:
            head = b""
        except reading_errors() as error:
            raise UnreadableSource(f"{self.file}: damaged: {error}", hint="Copy the file again.") from error
        found = _HEADER.fullmatch(head)
        if found:
            return ("REDIS", int(found[1])) if found[1] else ("VALKEY", int(found[2]))
        if head.startswith(b"*"):
            raise UnreadableSource(
                f"{self.file}: an append-only file without a dump at its beginning",
                hint="Set aof-use-rdb-preamble yes and run BGREWRITEAOF, or take a dump with redis-cli --rdb FILE.",
            )
        head += self._some_more()
        kind = kind_of(head)
        if kind is not None and not head.startswith((b"REDIS", b"VALKEY")):
            raise UnreadableSource(f"{self.file}: {kind.name}, not a dump", hint=kind.hint)
        why = "does not begin with REDIS or VALKEY and a version" if head else "is empty"
        raise UnreadableSource(
            f"{self.file}: not a dump: it {why}",
            hint="Make one with redis-cli --rdb FILE, or give dump.rdb in the folder that CONFIG GET dir shows.",
        )

    def _some_more(self) -> bytes:
        """Return the next bytes of what is no dump, to say what it is."""
        from necropsy.evidence.rdb.read_buffer import Truncated

        more = bytearray()
        with contextlib.suppress(Truncated, *reading_errors()):
            while len(more) < _TELLING:
                more += self._window.take(1)
        return bytes(more)

    def _check(self) -> None:
        """Compare the checksum that follows the last record."""
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
                "the checksum does not match: some bytes were changed after this dump was written;"
                f" all keys could be read ({self.keys_seen:,}), but some may be wrong",
            )

    def _look_behind(self) -> None:
        """Say so when something follows the dump."""
        from necropsy.evidence.rdb.read_buffer import Truncated

        at = self._window.offset()
        try:
            head = self._window.take(1)
        except Truncated:
            return
        if head == b"*":
            self._blemish(
                at,
                "the commands of the append-only file after the dump are not replayed: the figures are"
                " those of the dump",
            )
            return
        try:
            self._window.take(39)
            self._window.take(1)
        except Truncated:
            if self._window.offset() == at + 40:
                return  # the mark that ends a dump sent to a replica
        self._blemish(at, f"other data follows the dump at byte {at:,}; it was not read")

    def _blemish(self, place: int, why: str, *, count: int = 1) -> None:
        self.blemishes.append(Blemish(self.file, "byte", place, why, count=count))
