r"""A plan: which sessions may go, by their keyed hashes, from which store, until when; sealed, so that nobody edits it.

::

    {"format": "necropsy purge plan", "version": 1, …}\n      one line of JSON
    8 bytes a session, little endian, ascending               keyed hashes of the ids and their places
    32 bytes                                                  seal: keyed BLAKE2b of all before

It holds no id and no password. Its key is the case's, or one of its own beside it (``PLAN.key``, mode 0600): without it
nobody finds the sessions again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from necropsy._internal.sql_quoting import literal
from necropsy.case.store import Case
from necropsy.model.errors import NecropsyError
from necropsy.treat.purge.frames import replace_file
from necropsy.treat.purge.identities import Place, place_number
from necropsy.treat.purge.judge import AUTHENTICATED, OVER, UNKNOWN, UNTIMED, USED, Rules
from necropsy.treat.purge.selection import Selection

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

VERSION: Final = 4
"""2: ``prefixes``, ``secured``. 3: hashes of ids with the places where they lie, ``touched``, ``judged_ms``. 4:
``planned_ms``."""
_FORMAT: Final = "necropsy purge plan"
_SEAL: Final = 32
LIFE: Final = timedelta(hours=24)
OTHER: Final = "not chosen"
_SAMPLE: Final = 5
_PAIRED: Final = ("spring-indexed", "spring-reactive-indexed")
"""Layouts of which a session is two keys."""
_TOUCHED: Final = """
SELECT DISTINCT namespace, db FROM (
  SELECT namespace, db, layout, epoch_ms(last_seen_at) - epoch_ms(born_at) AS later FROM session
  WHERE store = ? AND NOT starts_with(layout, 'spring')
) GROUP BY namespace, db, layout HAVING max(later) - min(later) > 3000 ORDER BY ALL
"""
"""Some were used later after they were written than others: a clock that is late makes it the same for all."""
_PARAMETER: Final = re.compile(r"\$(\w+)")


class PlanError(NecropsyError):
    """A plan cannot be used."""


@dataclass(frozen=True, slots=True)
class PurgePlan:
    """A purge: the sessions to delete, and those that are kept."""

    made_at: str
    expires_at: str
    address: str
    """Without user, password and options."""
    db: int
    identities: tuple[str, ...]
    """Replication ids of the store's servers."""
    server: str
    where: tuple[str, ...]
    idle_s: int
    unknown_is_anonymous: bool
    trust_inferred_lifetime: bool
    lifetimes: tuple[tuple[str, int, int], ...]
    """Namespace, database, inferred lifetime in seconds."""
    sessions: int
    keys: int
    bytes: int
    total: int
    kept: Mapping[str, int]
    """Sessions that stay, by reason; with ``sessions`` they are all."""
    halves: Mapping[str, int]
    """Sessions of two keys of which one is missing."""
    layouts: Mapping[str, int]
    """Chosen sessions by layout."""
    sample: tuple[str, ...]
    """A few chosen sessions, their ids masked."""
    prefixes: tuple[str, ...] = ()
    """Prefixes of the keys of the chosen sessions; none: any key."""
    secured: tuple[tuple[str, int], ...] = ()
    """Namespaces and databases of Spring in which Spring Security says who is logged in."""
    touched: tuple[tuple[str, int], ...] = ()
    """Namespaces and databases in which some session was used later than it was written: there a use leaves a trace."""
    judged_ms: int = 0
    """Moment at which the sessions were chosen, milliseconds since 1970: who used one since then keeps it."""
    planned_ms: int = 0
    """Moment at which the store was asked who it is, by its own clock; milliseconds since 1970."""
    undecided: int = 0
    """Chosen sessions that do not say each use: the server's idle times decide about them when the plan is applied."""
    case: str | None = None
    """Path of the case whose key it is sealed with."""
    notes: tuple[str, ...] = ()
    hashes: npt.NDArray[np.uint64] = field(repr=False, compare=False, kw_only=True)
    """Keyed hashes of the chosen ids and their places, ascending."""

    @property
    def rules(self) -> Rules:
        """The rules by which each is judged again."""
        lifetimes = {(namespace, db): seconds for namespace, db, seconds in self.lifetimes}
        return Rules(
            self.idle_s,
            self.unknown_is_anonymous,
            self.trust_inferred_lifetime,
            lifetimes,
            frozenset(self.secured),
            frozenset(self.touched),
            self.judged_ms,
        )


def choose(
    case: Case, store: str, selection: Selection, rules: Rules, now: datetime, *, idle_times: bool = False
) -> dict[str, Any]:
    """Divide the sessions of a store into chosen and kept: the fields of ``PurgePlan`` that follow from its sessions.

    Parameters
    ----------
    idle_times
        Whether the server can tell, when the plan is applied, how long each key was idle: then those that say nothing of
        their last use are chosen, and it decides.
    """
    named = dict(selection.parameters)
    moment = now if now.tzinfo else now.replace(tzinfo=UTC)
    values: dict[str, object] = {"store": store, "now": moment.astimezone(UTC).replace(tzinfo=None), **named}
    touched = [(row["namespace"], row["db"]) for row in case.rows(_TOUCHED, [store])]
    when = _reason(selection, rules, touched, idle_times=idle_times)
    reason = _PARAMETER.sub(lambda found: _written(values[found[1]]), when)
    # A view, and no table: what is computed again is soon computed, and ten million rows need not be kept twice.
    case.execute(
        f"CREATE OR REPLACE TEMP VIEW chosen AS SELECT *, {reason} AS reason FROM session WHERE store = {_written(store)}"
    )
    groups = case.rows(  # in one pass: the reason of each row is computed each time
        "SELECT reason, layout, namespace, db, count(*) AS n, sum(keys)::BIGINT AS keys, sum(bytes)::BIGINT AS bytes,"
        " max(lifetime_s) FILTER (lifetime_s > 0)::BIGINT AS lifetime_s,"
        f" count(*) FILTER ({_untimed(rules, touched)}) AS undecided,"
        f" count(*) FILTER (keys = 1 AND layout IN ({', '.join(map(literal, _PAIRED))})) AS halves,"
        " coalesce(bool_or(starts_with(layout, 'spring') AND attributes > 0 AND authentication = 'no'), FALSE) AS secured"
        " FROM chosen GROUP BY ALL ORDER BY ALL"
    )
    goes = [row for row in groups if not row["reason"]]
    count = sum(row["n"] for row in goes)
    hashes = _distinct(_hashes(case, {(row["namespace"] or "", row["db"] or 0) for row in goes}, count))
    sample = case.rows(
        "SELECT layout, namespace, id_hash, last_seen_at, expires_at FROM chosen"
        f" WHERE reason = '' ORDER BY id_hash LIMIT {_SAMPLE}"
    )
    case.execute("DROP VIEW chosen")
    kept: Counter[str] = Counter()
    layouts: Counter[str] = Counter()
    lifetimes: dict[tuple[str, int], int] = {}
    for row in groups:
        place = (row["namespace"], row["db"])
        if row["reason"]:
            kept[row["reason"]] += row["n"]
        else:
            layouts[row["layout"]] += row["n"]
        if row["lifetime_s"] is not None:
            lifetimes[place] = max(row["lifetime_s"], lifetimes.get(place, 0))
    halves = sum(row["halves"] for row in groups)
    return {
        "sessions": count,
        "keys": sum(row["keys"] or 0 for row in goes),
        "bytes": sum(row["bytes"] or 0 for row in goes),
        "total": sum(row["n"] for row in groups),
        "undecided": sum(row["undecided"] for row in goes),
        "kept": dict(kept.most_common()),
        "halves": {"hash without marker": halves} if halves else {},
        "secured": tuple(dict.fromkeys((row["namespace"], row["db"]) for row in groups if row["secured"])),
        "touched": tuple(touched),
        "judged_ms": int(moment.timestamp() * 1000),
        "lifetimes": tuple((namespace, db, seconds) for (namespace, db), seconds in lifetimes.items()),
        "layouts": dict(layouts.most_common()),
        "prefixes": tuple(sorted({_prefix(row["namespace"] or "", row["layout"]) for row in goes})),
        "sample": tuple(shown(row) for row in sample),
        "hashes": hashes,
    }


def _hashes(case: Case, places: set[Place], count: int) -> npt.NDArray[np.uint64]:
    """Return the hashes of the chosen sessions, each with its place."""
    numbers = {place: place_number(case.key, place) for place in sorted(places)}
    if len(numbers) <= 1:
        return case.numbers(
            f"SELECT xor(id_hash, {next(iter(numbers.values()), 0)}::UBIGINT) FROM chosen WHERE reason = ''", count
        )
    rows = [{"name": name, "database": db, "number": number} for (name, db), number in numbers.items()]
    with case.temporary("place", {"name": "VARCHAR", "database": "INTEGER", "number": "UBIGINT"}, rows):
        return case.numbers(
            "SELECT xor(id_hash, place.number) FROM chosen JOIN place"
            " ON place.name = coalesce(namespace, '') AND place.database = coalesce(db, 0) WHERE reason = ''",
            count,
        )


def _distinct(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return hashes in ascending order, each once: in their own memory, as the database would take three times as much."""
    import numpy as np

    hashes.sort()
    again = hashes[1:] == hashes[:-1]
    return np.delete(hashes, np.flatnonzero(again)) if again.any() else hashes


def _written(value: object) -> str:
    """Write a value as SQL does: a view takes no parameters.

    >>> _written(datetime(2026, 11, 30, 12)), _written("it's")
    ("TIMESTAMP '2026-11-30T12:00:00'", "'it''s'")
    """
    return f"TIMESTAMP '{value.isoformat()}'" if isinstance(value, datetime) else literal(str(value))


def _prefix(namespace: str, layout: str) -> str:
    """Return what the keys of a namespace's sessions begin with: of a folded one what comes before the first fold.

    >>> _prefix("spring:session", "spring-indexed"), _prefix("shop:*:sess", "express")
    ('spring:session:sessions:', 'shop:')
    """
    literal, fold, _ = namespace.partition("*")
    return f"{literal}:sessions:" if layout.startswith("spring") and not fold else literal


def _reason(selection: Selection, rules: Rules, touched: Sequence[Place], *, idle_times: bool) -> str:
    """Return the SQL of why a session stays; the empty text for one that is chosen.

    Where no idle time tells who only read a session, its own times tell it if a use leaves a trace there.
    """
    unknown = "FALSE" if rules.unknown_is_anonymous else "authentication <> 'no'"
    cases = (
        ("authentication = 'yes'", AUTHENTICATED),
        (f"NOT coalesce({selection.sql}, FALSE)", OTHER),
        (unknown, UNKNOWN),
        (f"last_seen_at > $now - to_seconds({rules.idle_s})", USED),
        (f"expires_at - to_seconds(lifetime_s) > $now - to_seconds({rules.idle_s})", USED),
        ("FALSE" if idle_times else _untimed(rules, touched), UNTIMED),
        ("state = 'grace' OR (state = 'expired' AND expires_at IS NOT NULL)", OVER),
    )
    return "CASE " + " ".join(f"WHEN {when} THEN '{then}'" for when, then in cases) + " ELSE '' END"


def _untimed(rules: Rules, touched: Sequence[Place]) -> str:
    """Return the SQL of whether a session does not say each use."""
    traced = " OR ".join(f"(namespace = {literal(name or '')} AND db = {db})" for name, db in touched) or "FALSE"
    silent = f"NOT starts_with(layout, 'spring') AND NOT coalesce({traced}, FALSE)" if rules.idle_s else "FALSE"
    return f"(last_seen_at IS NULL AND expires_at IS NULL AND lifetime_s IS NULL) OR ({silent})"


def shown(row: Mapping[str, Any]) -> str:
    """Return a chosen session as a plan shows it: its id masked, times in UTC, the end of another year by its date."""
    last, end = row["last_seen_at"], row["expires_at"]
    used = f"used {last:%m-%d %H:%M}" if last else "last use unknown"
    same_year = last and end and last.year == end.year
    until = f"expires {end:{'%m-%d %H:%M' if same_year else '%Y-%m-%d'}}" if end else "never expires"
    return f"{row['namespace']}:#{row['id_hash']:016x}, {used}, {until}"


def save(plan: PurgePlan, path: Path, key: bytes) -> None:
    """Write a plan, and unless the key is a case's, its key beside it; both mode 0600.

    Raises
    ------
    PlanError
        It cannot be written.
    """
    said = {name: value for name, value in asdict(plan).items() if name != "hashes"}
    body = (
        json.dumps({"format": _FORMAT, "version": VERSION, **said}).encode()
        + b"\n"
        + plan.hashes.astype("<u8").tobytes()
    )
    try:
        if plan.case is None:
            replace_file(key_file(path), key.hex().encode() + b"\n")
        replace_file(path, body + _sealed(body, key))
    except OSError as error:
        raise PlanError(f"{path}: cannot write: {error.strerror}", hint="Choose another place with --plan.") from error


def key_file(path: Path) -> Path:
    """Return where the key of a plan without case lies."""
    return path.with_name(path.name + ".key")


def load(path: Path, now: datetime | None = None) -> tuple[PurgePlan, bytes]:
    """Read a plan; return it with its key.

    Raises
    ------
    PlanError
        No plan, of a newer necropsy, edited, too old, or without its key.
    """
    import numpy as np

    try:
        data = path.read_bytes()
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else f"cannot read: {error.strerror}"
        raise PlanError(f"{path}: {reason}", hint="Make one with necropsy purge --plan FILE.") from error
    head, newline, rest = data.partition(b"\n")
    try:
        said = json.loads(head)
        if not newline or said.pop("format") != _FORMAT:
            raise ValueError  # noqa: TRY301 -- the same as a file that is no JSON
        version = int(said.pop("version"))
    except (ValueError, KeyError, AttributeError, TypeError):
        raise PlanError(f"{path}: not a plan of a purge", hint="Make one with necropsy purge --plan FILE.") from None
    if version > VERSION:
        raise PlanError(
            f"{path}: written by a newer necropsy (plan {version}; this one knows {VERSION})",
            hint="Update necropsy: git pull and pip install . in its checkout; or make the plan again.",
        )
    if version < VERSION:
        raise PlanError(f"{path}: written by an older necropsy (plan {version})", hint="Make a new plan.")
    key = _key_of(path, said.get("case"))
    if len(rest) < _SEAL or not hmac.compare_digest(_sealed(data[:-_SEAL], key), data[-_SEAL:]):
        raise PlanError(f"{path}: changed since it was made, or truncated", hint="Make a new plan.")
    for name in ("identities", "where", "sample", "notes", "prefixes"):
        said[name] = tuple(said.get(name, ()))
    said["lifetimes"] = tuple((namespace, db, seconds) for namespace, db, seconds in said["lifetimes"])
    for name in ("secured", "touched"):
        said[name] = tuple((namespace, db) for namespace, db in said[name])
    plan = PurgePlan(**said, hashes=np.frombuffer(rest[:-_SEAL], "<u8").astype(np.uint64))
    if (now or datetime.now(UTC)) > datetime.fromisoformat(plan.expires_at):
        raise PlanError(f"{path}: too old: it was valid until {plan.expires_at}", hint="Make a new plan.")
    return plan, key


def digest(path: Path) -> str:
    """Return what names a plan: its seal."""
    return path.read_bytes()[-_SEAL:].hex()


def _key_of(path: Path, case: str | None) -> bytes:
    if case is not None:
        with Case.open(Path(case)) as opened:
            key = opened.meta().get("key")
        if not key:
            raise PlanError(
                f"{case}: its key was withheld: the plan cannot be checked", hint="Plan again without the case."
            )
        return bytes.fromhex(key)
    try:
        return bytes.fromhex(key_file(path).read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        raise PlanError(
            f"{key_file(path)}: the plan's key is missing or damaged",
            hint="Keep it beside the plan, or make a new plan.",
        ) from None


def _sealed(body: bytes, key: bytes) -> bytes:
    return hashlib.blake2b(body, key=key, digest_size=_SEAL, person=b"purge plan").digest()
