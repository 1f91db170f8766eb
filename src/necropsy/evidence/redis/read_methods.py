"""Choose the read method of a live store: its replication stream, a script, or plain commands; and say why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol

from necropsy.evidence.redis.fork_memory import why_not_fork
from necropsy.model.errors import UsageError
from necropsy.model.evidence import Blemish

if TYPE_CHECKING:
    from typing import BinaryIO

    import pyarrow as pa

    from necropsy.evidence.redis.page import PageReply
    from necropsy.evidence.redis.server import ServerFacts
    from necropsy.sessions.keyspace import Projection
    from necropsy.wire.redis.connection import Connection

WAYS: Final = ("stream", "script", "pipeline")
AUTO: Final = "auto"
UNSAFE: Final = "not by its replication stream: "
SCANNED_PER_S: Final = 80_000
STREAMED_PER_S: Final = 1_000_000
"""Keys a second, roughly: only to tell whether a fork is worth its while."""
WORTH_A_FORK: Final = 100_000
"""Keys below which it never is."""
WORTH_A_FORK_OF_THE_PATIENT: Final = 20_000
"""The same, where nobody waits."""


class OpenedDump(Protocol):
    """The dump in a replication stream: ``evidence.rdb.reader.Dump``."""

    facts: dict[str, str]
    blemishes: list[Blemish]

    @property
    def keys_read(self) -> int:
        """Keys so far."""

    @property
    def taken_at(self) -> datetime | None:
        """The time at which the dump was begun."""

    def __iter__(self) -> Iterator[pa.RecordBatch]: ...


class OpenStream(Protocol):
    """Opens a dump that arrives as a stream, under a name for messages; the allocator is the server's."""

    def __call__(self, stream: BinaryIO, name: str, projection: Projection, *, allocator: str) -> OpenedDump:
        """Open it."""


class SliceMethod(Protocol):
    """A way to ask for slices."""

    @property
    def name(self) -> str:
        """``script`` or ``pipeline``."""

    def use(self, connection: Connection) -> None:
        """Go on with another connection to the same server."""

    def ask(self, cursor: bytes, names: Sequence[bytes], count: int, longest_s: float) -> None:
        """Ask for about ``count`` keys from the cursor on, or for these by name."""

    def answer(self, go_on: Callable[[bytes], object] | None = None) -> PageReply:
        """Return what was asked for.

        Parameters
        ----------
        go_on
            May be called with the cursor of the next slice before this one is read as a whole.
        """


@dataclass(frozen=True, slots=True)
class ChosenMethod:
    """A way, and why it is not a better one."""

    way: str
    why: str = ""

    @property
    def unsafe(self) -> bool:
        """Whether the stream cannot be taken, even by somebody who wants it."""
        return self.why.startswith(UNSAFE)


def require_known(way: str) -> None:
    """Raise ``UsageError`` when there is no such way."""
    if way not in {AUTO, *WAYS}:
        raise UsageError(f"unknown read method {way!r}", hint=f"One of: {AUTO}, {', '.join(WAYS)}.")


def evicts_by_idle_time(server: ServerFacts) -> bool:
    """Whether a server evicts what was not used for long, or seldom: there reading a value may decide what is evicted."""
    return "lru" in server.policy or "lfu" in server.policy


def choose(
    server: ServerFacts,
    keys: int,
    max_impact_s: float,
    *,
    can_stream: bool,
    keeps_idle_times: bool,
    patient: bool = False,
) -> ChosenMethod:
    """Choose between the stream and a scan.

    The stream is one moment of the store, costs the server nothing a key, and touches no idle time; but the server forks,
    and waits some seconds before. So it is for stores that take longer to scan, or that a scan would harm. A server that
    was told to send its dump from disk would write over the dump that it has: that is left to those who ask for it.

    Parameters
    ----------
    keys
        How many there are.
    keeps_idle_times
        Whether reading values can be hidden from the server's idle times.
    patient
        Whether nobody waits for it, and it comes again and again: a scan takes four times the processor time, all of it in the
        server's only thread, and may leave no idle time as it was.
    """
    if not can_stream:
        return ChosenMethod("script", f"{UNSAFE}no reader of dumps was given")
    danger = why_not_fork(server.info | server.facts, max_impact_s)
    if danger:
        return ChosenMethod("script", f"{UNSAFE}{danger}")
    writes_it_anyway = patient and not keeps_idle_times and server.saves
    if not server.diskless and not writes_it_anyway:
        return ChosenMethod("script", "a replication stream would overwrite its dump file (repl-diskless-sync no)")
    if not keeps_idle_times and (patient or evicts_by_idle_time(server)):
        return ChosenMethod("stream", f"a scan would make every key look recently used to {server.policy}")
    sooner = keys > WORTH_A_FORK and keys / SCANNED_PER_S > server.diskless_delay_s + keys / STREAMED_PER_S
    if sooner or (patient and keys > WORTH_A_FORK_OF_THE_PATIENT):
        return ChosenMethod("stream", f"{keys:,} keys")
    return ChosenMethod("script", f"{keys:,} keys: a scan is faster than a replication stream")
