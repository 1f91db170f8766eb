"""Reading access logs into a case: files in, ``visitor_class`` and ``visit_bin`` out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from necropsy._internal.progress import Progress
from necropsy.evidence.access_log import lines
from necropsy.evidence.access_log.backends.interface import KIND, Part, WantedLines
from necropsy.evidence.access_log.backends.registry import open_backend
from necropsy.evidence.access_log.files.copies import copied_files
from necropsy.evidence.access_log.files.rotation import logs_of
from necropsy.evidence.access_log.formats.layout import NamedLogFormat
from necropsy.model.evidence import Absent, Blemish, Source
from necropsy.model.figures import size
from necropsy.visits import case_rows
from necropsy.wire.files import STANDARD_INPUT, fingerprint_beside, is_packed, size_of

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.evidence.access_log.backends.interface import Backend
    from necropsy.visits.case_rows import Hash

SLACK_S: Final = 5.0
"""Seconds within which a redirect is followed: a client follows at once, after the answer's and the network's time."""


@dataclass(slots=True)
class ReadLog:
    """The result of reading all access logs."""

    blemishes: list[Blemish] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)
    requests: int = 0
    """Lines that were requests."""
    first_at: datetime | None = None
    """Time of the first request, UTC."""
    last_at: datetime | None = None
    summed: bool = True
    """Whether anybody wants checksums."""
    read: list[Source] = field(default_factory=list)
    """Sources without their checksums, which may take a while yet."""
    checksums: dict[str, Callable[[], tuple[str | None, int | None]]] = field(default_factory=dict)
    """What waits for checksum and size of a file."""

    @property
    def sources(self) -> list[Source]:
        """Sources, once their checksums are there."""
        done = []
        for source in self.read:
            checksum, size = self._checksum(source)
            done.append(replace(source, sha256=checksum, size=size))
        return done

    def begin_checksums(self) -> None:
        """Begin those that were not begun, beside whatever follows: a gigabyte takes a core half a second to three."""
        for source in self.read if self.summed else ():
            if source.locator not in self.checksums:
                self.checksums[source.locator] = fingerprint_beside(source.locator)

    def _checksum(self, source: Source) -> tuple[str | None, int | None]:
        try:
            return self.checksums[source.locator]()
        except (OSError, KeyError):  # gone in the meantime, or not begun
            return None, None


def read(
    case: Case,
    locators: Sequence[str],
    *,
    log_formats: Sequence[NamedLogFormat] = (),
    slack_s: float = SLACK_S,
    hash_with: Hash | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    engine: str | None = None,
    bins: bool = True,
    visits: bool = False,
    checksums: bool = True,
    meanwhile: Callable[[], object] | None = None,
    progress: Progress | None = None,
) -> ReadLog:
    """Read access logs and fill the case's ``visitor_class``, ``visit_bin`` and ``cookie_use``.

    Parameters
    ----------
    case
        A case that is open for writing.
    locators
        Paths, or ``-`` for standard input; plain or compressed (gzip, Zstandard, bzip2, xz, told by content). Rotated
        files (``access.log.1``, ``access.log-20240501.gz``) count as one log under the name of the current one.
    log_formats
        Formats of the nginx configuration, or from ``--log-format``; tried before the known ones.
    slack_s
        Seconds after a redirect within which the same client's next page counts as its continuation.
    hash_with
        Hashes addresses of clients before they enter the case, as ``Case.hashes`` does; by default they are kept.
    since, until
        Leave out requests before this time, and from that one on.
    engine
        Where to read and analyse them; see ``backends.registry``. None: here.
    bins
        Whether to fill ``visit_bin``.
    visits
        Whether to fill ``visit`` and ``log_span``.
    checksums
        Whether sources get checksum and size. A processor without instructions for it sums up a gigabyte in three
        seconds, about as long as it takes to read it.
    meanwhile
        What else to make ready while the lines are scanned.
    progress
        Called with the file and the bytes of it that were read, and the share of all files that are.

    A file that cannot be read becomes an ``Absent``, a damaged line a ``Blemish``; neither raises.
    """
    result = ReadLog(summed=checksums)
    for copy, original in copied_files(locators).items():
        reason = f"a copy of {original}: it has the same lines, and its visits would count twice"
        result.absent.append(Absent(KIND, copy, reason, "Its lines were read from the other file."))
        locators = [locator for locator in locators if locator != copy]
    logs = logs_of(locators)

    def get_ready() -> None:
        case.connect()
        if meanwhile is not None:
            meanwhile()

    report_bytes = _reporter(locators, progress) if progress is not None else None
    with open_backend(engine, get_ready) as open_log:
        for name, members in logs.items():
            with open_log() as backend:
                part = backend.read(WantedLines(members, log_formats, since, until, report_bytes))
                _analyse(case, backend, name, part, slack_s, hash_with, result, bins=bins, visits=visits)
    result.begin_checksums()
    return result


def _reporter(locators: Sequence[str], progress: Progress) -> Callable[[str, int], None]:
    """Return what says how far the reading is: of packed files and streams only what was unpacked of them is known."""
    sizes = {locator: size_of(locator) or 0 for locator in dict.fromkeys(locators)}
    plain = {locator: not is_packed(locator) for locator in sizes}
    total = sum(sizes.values())
    done: dict[str, int] = {}

    def report(locator: str, count: int) -> None:
        known = plain.get(locator, False) and sizes[locator]
        done.update({before: sizes[before] for before in done})  # those before this one are read whole
        done[locator] = min(count, sizes[locator]) if known else 0
        of = f" of {size(sizes[locator])}" if known else " unpacked"
        name = locator.rpartition("/")[2] if locator != STANDARD_INPUT else "standard input"
        progress(f"reading {name}: {size(count)}{of}", sum(done.values()) / total if total and known else None)

    return report


def _analyse(
    case: Case,
    backend: Backend,
    name: str,
    part: Part,
    slack_s: float,
    hash_with: Hash | None,
    result: ReadLog,
    *,
    bins: bool,
    visits: bool,
) -> None:
    """Make visits and classes of the lines of one log."""
    result.read += part.sources
    result.blemishes += part.blemishes
    result.absent += part.absent
    result.requests += part.requests
    if part.first_us is None or part.last_us is None:
        return
    first, last = lines.moment(part.first_us), lines.moment(part.last_us)
    result.first_at = min(first, result.first_at or first)
    result.last_at = max(last, result.last_at or last)
    result.begin_checksums()  # what follows leaves a core idle now and then
    between = (part.first_us, part.last_us) if visits else None
    analysis = backend.analyse(slack_us=round(slack_s * 1e6), bins=bins, visits_between=between)
    first_id = case.value("SELECT coalesce(max(class_id) + 1, 0) FROM visitor_class")
    case.append("visitor_class", case_rows.visitor_class(analysis, name, first_id, hash_with))
    if analysis.bins is not None:
        case.append("visit_bin", case_rows.visit_bin(analysis.bins, first_id))
    if analysis.visits is not None and analysis.blocks is not None:
        case.append("visit", case_rows.visit(analysis.visits, first_id, case.hashes))
        case.append(
            "log_span", case_rows.log_span(analysis.blocks, name, times_are_starts=2 * part.starts > part.requests)
        )
    uses = case_rows.cookie_use(analysis, name, hash_with)
    if uses is not None:
        case.append("cookie_use", uses)
