"""Reads dumps and servers, merges them into one answer, and compares it with another one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from necropsy._internal.progress import Progress
from necropsy.evidence import OpenKeyspace, open_keyspace
from necropsy.evidence.redis.options import LiveOptions
from necropsy.model.errors import NoEvidence, UnreadableSource, UsageError
from necropsy.model.evidence import Absent, Blemish
from necropsy.model.figures import several
from necropsy.model.keyspace import GROUPINGS, BigKey, Figures, KeySource, Keyspace, KeyspaceRow
from necropsy.sessions.keyspace import Projection
from necropsy.wire.files import STANDARD_INPUT
from necropsy.wire.redis.address import is_address, masked
from necropsy.wire.redis.info import databases

if TYPE_CHECKING:
    from necropsy.keyspace.tally import Tally

_FACTS: Final = (("valkey-ver", "Valkey"), ("redis-ver", "Redis"))


def survey(
    locators: Sequence[str],
    *,
    before: Sequence[str] = (),
    by: Sequence[str] = ("pattern", "database", "type", "node"),
    top: int = 10,
    show_keys: bool = False,
    sample: float = 1.0,
    now: datetime | None = None,
    live: LiveOptions | None = None,
    progress: Progress | None = None,
) -> Keyspace:
    """Sum up the keys of dumps and servers.

    Parameters
    ----------
    locators
        Dumps (files, ``-``, folders of an append-only file) and addresses of servers, which together are one store.
    before
        The same for what to compare with.
    by
        Groupings of ``model.keyspace.GROUPINGS``.
    top
        How many of the biggest keys to list.
    show_keys
        Name them as they are, and not by a hash. An id of a session is a credential.
    sample
        Share of the keys to read, of dumps alone; 1 for all.
    now
        The moment for which keys count as expired; by default each source's own.
    live
        How servers are read.

    Raises
    ------
    NoEvidence
        Nothing was given, or nothing of it could be read.
    UsageError
        A grouping, a sample or a number that is none.
    """
    from necropsy.keyspace.tally import Tally

    _require(locators, before, by, top, sample)
    report_progress: Progress = progress or (lambda _what, _share: None)
    with closing(Tally(top=top, show_keys=show_keys, by_slot="slot" in by)) as tally:
        tallying = _Tallying(tally, sample, now, live or LiveOptions(), report_progress)
        for side, given in ((True, before), (False, locators)):
            for name, locator in _named(given):
                tallying.read(name, locator, before=side)
            tallying.require_some(given, before=side)
        report_progress("grouping keys by pattern", None)
        tally.settle()
        return _answer(tally, tallying, by, sample, show_keys=show_keys, compared=bool(before))


def _require(locators: Sequence[str], before: Sequence[str], by: Sequence[str], top: int, sample: float) -> None:
    given = [*locators, *before]
    if not locators:
        raise NoEvidence("nothing to read", hint="Give a dump: necropsy keys dump.rdb")
    if given.count(STANDARD_INPUT) > 1:
        raise UsageError(
            "standard input (-) is given more than once", hint="Only one dump can be read from standard input."
        )
    unknown = [name for name in by if name not in GROUPINGS]
    if unknown:
        raise UsageError(f"unknown grouping {unknown[0]!r}", hint=f"One of: {', '.join(GROUPINGS)}.")
    if not 0 < sample <= 1:
        raise UsageError(
            f"{sample:g} is not a share of the keys", hint="Give a number between 0 and 1: 0.1 reads a tenth of them."
        )
    if top < 0:
        raise UsageError(f"{top} is not a number of keys", hint="Write 0 to list no keys.")
    if sample < 1 and any(is_address(locator) for locator in given):
        raise UsageError("a server cannot be sampled", hint="Leave --sample out, or sample a dump of the server.")


def _named(locators: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Name each source by its file, and apart from the others: with its folders, or with a number."""
    stems = [
        "stdin" if locator == STANDARD_INPUT else locator if is_address(locator) else Path(locator).name
        for locator in locators
    ]
    names = [
        stem if stems.count(stem) == 1 else locator.rstrip("/") for stem, locator in zip(stems, locators, strict=True)
    ]
    for number, (name, locator) in enumerate(zip(names, locators, strict=True), 1):
        yield (name if names.count(name) == 1 else f"{name} ({number})"), locator


class _Tallying:
    """Reads sources, and records those that could not be read."""

    def __init__(
        self, tally: Tally, sample: float, now: datetime | None, live: LiveOptions, report_progress: Progress
    ) -> None:
        self.sources: list[KeySource] = []
        self.blemishes: list[Blemish] = []
        self.absent: list[Absent] = []
        self._share: float | None = None
        """Progress of the source that is being read, if its size is known."""
        self._tally, self._sample, self._now, self._live, self._report_progress = (
            tally,
            sample,
            now,
            live,
            report_progress,
        )

    def read(self, name: str, locator: str, *, before: bool) -> None:
        """Read one source into the tally."""
        self._share = None
        try:
            reading = open_keyspace(
                locator,
                Projection(),
                live=self._live,
                sample=self._sample,
                progress=partial(self._is_at, masked(locator) if is_address(locator) else name),
            )
        except UnreadableSource as error:
            self.absent.append(Absent("keys", masked(locator), error.message, error.hint))
            return
        shown = reading.locator if is_address(locator) else name
        try:
            for batch in reading:
                moment = self._now or reading.taken_at or _written_at(locator)
                self._tally.add(batch, shown, moment, before=before)
                self._report_progress(f"reading {shown}: {reading.keys_read:,} keys", self._share)
        except UnreadableSource as error:  # a server that went away: what was read stays counted
            self.absent.append(Absent("keys", masked(locator), error.message, error.hint))
        if reading.blemishes and not reading.keys_read:  # nothing is known of it: that is no store without keys
            self.absent += [
                Absent("keys", masked(locator), _unread(shown, one.why), _AGAIN) for one in reading.blemishes
            ]
            return
        self.blemishes += reading.blemishes
        self.absent += reading.absent
        self.sources.append(
            KeySource(
                name=shown,
                locator=masked(locator),
                version=_version(reading),
                taken_at=reading.taken_at,
                keys=reading.keys_read,
                before=before,
                note=reading.note if reading.keys_read else _nothing_there(reading),
            )
        )

    def require_some(self, given: Sequence[str], *, before: bool) -> None:
        """Raise ``NoEvidence`` when nothing of this side could be read."""
        if given and not any(source.before == before for source in self.sources):
            absent = self.absent[-1]
            raise NoEvidence(absent.reason, hint=absent.hint)

    def _is_at(self, shown: str, share: float | None) -> None:
        self._share = share
        self._report_progress(f"reading {shown}", share)


_AGAIN: Final = "Copy the dump again, or take a new one; of a server, check the number of the database and its log."


def _unread(shown: str, why: str) -> str:
    """Say why a dump or a server could not be read; of a server the reason names it already."""
    return why if is_address(shown) else f"{shown}: {why}"


def _nothing_there(reading: OpenKeyspace) -> str:
    """Say which databases of the server have keys, as the one that was read has none."""
    elsewhere = [f"database {number} has {several(keys, 'key')}" for number, keys in databases(reading.facts).items()]
    return ", ".join(filter(None, [reading.note, *elsewhere]))


def _written_at(locator: str) -> datetime:
    """Return when a dump was written that does not say when: its file's time, else this moment."""
    try:
        return datetime.fromtimestamp(Path(locator).stat().st_mtime, UTC)
    except OSError:
        return datetime.now(UTC)


def _version(reading: OpenKeyspace) -> str:
    facts = reading.facts
    for fact, product in _FACTS:
        if facts.get(fact):
            return f"{product} {facts[fact]}"
    return f"{facts['magic']} {facts['rdb-version']}" if "magic" in facts else ""


def _answer(
    tally: Tally, tallying: _Tallying, by: Sequence[str], sample: float, *, show_keys: bool, compared: bool
) -> Keyspace:
    total = KeyspaceRow("all", tally.total(before=False, sample=sample))
    if compared:
        total = replace(total, before=tally.total(before=True, sample=sample))
    groups = []
    for grouping in dict.fromkeys(by):
        after = tally.grouped(grouping, before=False, sample=sample)
        earlier = tally.grouped(grouping, before=True, sample=sample) if compared else {}
        nothing = Figures()
        rows = [
            KeyspaceRow(name, after.get(name, nothing), earlier.get(name, nothing) if compared else None)
            for name in after.keys() | earlier.keys()
        ]
        rows.sort(key=lambda row: (-abs(row.bytes_grown), -row.figures.bytes, -row.figures.keys, row.name))
        groups.append((grouping, tuple(rows)))
    return Keyspace(
        total=total,
        groups=tuple(groups),
        biggest=tuple(_big(row) for row in tally.biggest()),
        sources=tuple(tallying.sources),
        sample=sample,
        keys_shown=show_keys,
        blemishes=tuple(tallying.blemishes),
        absent=tuple(tallying.absent),
    )


def _big(row: dict[str, Any]) -> BigKey:
    return BigKey(
        pattern=row["text"],
        name=bytes(row["name"]).decode("utf-8", "backslashreplace"),
        database=row["db"],
        type=row["type"],
        encoding=row["encoding"],
        elements=row["elements"],
        bytes=row["bytes"],
        ttl_s=None if row["left_ms"] is None else row["left_ms"] // 1000,
        idle_s=row["idle_s"],
        node=row["node"],
    )
