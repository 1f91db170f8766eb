"""A purge from the address to the plan, from the plan to the end, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from necropsy._internal.paths import exists
from necropsy.model.errors import UsageError
from necropsy.treat.purge import plan as plans
from necropsy.treat.purge.control import Control, Knobs
from necropsy.treat.purge.evictions import evicted_of, evicted_since
from necropsy.treat.purge.identities import hasher
from necropsy.treat.purge.journal import Journal, read_secret
from necropsy.treat.purge.judge import UNTIMED, Judge, Rules
from necropsy.treat.purge.permissions import acl_line
from necropsy.treat.purge.progress import Progress
from necropsy.treat.purge.selection import parse
from necropsy.treat.purge.stores import TreatmentError, WritableStore, opened
from necropsy.treat.purge.undo import Restored
from necropsy.wire.redis.address import Address, parse_address
from necropsy.wire.redis.info import number

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.evidence.redis.options import LiveOptions
    from necropsy.treat.purge.plan import PurgePlan

Say = Callable[[str, float | None], None]
_STORE: Final = "store"
READING, _SETTLING = "32MB", "48MB"
"""Memory of the database while keys are read and sessions are chosen, and while they are joined with their companions.
Rows that fill no group of 122,880 are written all at once: DuckDB 2.0 needs more than 16 MB for them."""
_CANNOT_TELL: Final = (
    "this server does not tell when a key was last read (CLIENT NO-TOUCH: Redis 7.2, Valkey; no policy by frequency): sessions"
    " whose use may leave no trace in them are kept"
)
_CACHED: Final = (
    "clients read sessions from caches of their own (client-side caching), which the server does not hear of: its idle times"
    " free nobody"
)
_ROWS: Final = 16_384
"""Keys of one batch of a plan: half of them takes a tenth more processor time and 12 MB less."""


@dataclass(frozen=True, slots=True)
class PurgeSelection:
    """The selection of a purge, as a person gave it."""

    where: tuple[str, ...]
    idle_s: int = 3600
    unknown_is_anonymous: bool = False
    trust_inferred_lifetime: bool = False
    case: Path | None = None
    store: str | None = None
    """Store of the case; None: its only one."""


def make_plan(address: Address, wish: PurgeSelection, options: LiveOptions, say: Say) -> tuple[PurgePlan, bytes]:
    """Read the store (or the case) and divide its sessions into chosen and kept.

    Raises
    ------
    TreatmentError, UnreadableSource, UsageError, CaseError
    """
    selection = parse(wish.where)
    if selection.needs_case and wish.case is None:
        raise UsageError("born-by= needs a case", hint="necropsy purge incident.case --where born-by=…")
    with opened(address) as store:
        facts = _facts(store, address)
        idle_times = _keep_idle_times(store)
        planned_ms = store.now_ms()
        evicted = evicted_of(store)
    idle_s = max(wish.idle_s, selection.idle_s)  # who was to be idle for a week must still be when it is applied
    rules = Rules(idle_s, wish.unknown_is_anonymous, wish.trust_inferred_lifetime)
    made_at = datetime.now(UTC)
    notes: list[str] = []
    if wish.case is not None:
        fields, key = _of_case(wish, rules, idle_times=idle_times)
        # The case has the time of the machine that examined: where that is ahead of the server, it is taken back.
        ahead_ms = max(0, int(1000 * datetime.now(UTC).timestamp()) - planned_ms)
        fields["judged_ms"] = min(fields["judged_ms"] - ahead_ms, planned_ms)
        facts["case"] = str(wish.case.resolve())
        notes.append("selected from the case; each session is checked again on the server before it is deleted")
    else:
        fields, key = _of_store(address, wish, rules, options, say, notes, idle_times=idle_times)
        fields["judged_ms"] = planned_ms  # by the server's clock, and before the first key was read
    if fields["kept"].get(UNTIMED) and not idle_times:
        notes.append(_CANNOT_TELL)
    if evicted is not None:
        with opened(address) as store:
            notes += evicted_since(evicted, store)
    plan = plans.PurgePlan(
        made_at=made_at.isoformat(timespec="seconds"),
        expires_at=(made_at + plans.LIFE).isoformat(timespec="seconds"),
        where=wish.where,
        idle_s=idle_s,
        unknown_is_anonymous=wish.unknown_is_anonymous,
        trust_inferred_lifetime=wish.trust_inferred_lifetime,
        notes=(*notes, *facts.pop("notes")),
        planned_ms=planned_ms,
        **facts,
        **fields,
    )
    return plan, key


def _keep_idle_times(store: WritableStore) -> bool:
    """Whether every server tells how long a key was idle, whatever we read."""
    return all(
        primary.connection.keeps_idle_times and "lfu" not in primary.info.get("maxmemory_policy", "")
        for primary in store.primaries
    )


def _facts(store: WritableStore, address: Address) -> dict[str, Any]:
    first = store.primaries[0]
    notes = []
    answer = first.pipeline([(b"CONFIG", b"GET", b"notify-keyspace-events")])[0]
    if isinstance(answer, list) and len(answer) == 2 and answer[1]:
        notes.append(
            "keyspace events are on: a session's hash and marker go in one command, so that applications are not"
            " notified; with --notify-application Spring publishes SessionDeletedEvent"
        )
    notes.append(
        "a user with exactly the needed permissions: "
        + acl_line(first.info.get("redis_version", ""), cluster=store.kind == "cluster")
    )
    return {
        "address": address.masked,
        "db": -1 if address.db is None else address.db,
        "identities": tuple(sorted(store.identities)),
        "server": ", ".join(dict.fromkeys(primary.product for primary in store.primaries)),
        "notes": notes,
    }


def _of_case(wish: PurgeSelection, rules: Rules, *, idle_times: bool) -> tuple[dict[str, Any], bytes]:
    from necropsy.case.store import Case

    with Case.open(wish.case or Path()) as case:
        names = [row["store"] for row in case.rows("SELECT DISTINCT store FROM session ORDER BY store")]
        name = wish.store or (names[0] if len(names) == 1 else None)
        if name is None or name not in names:
            raise UsageError(
                f"{wish.case}: {'has several stores' if names else 'holds no sessions'}",
                hint=f"Say which: --store {' or '.join(names)}." if names else "Examine with --redis or --rdb first.",
            )
        now = _moment(case) or datetime.now(UTC)
        return plans.choose(case, name, parse(wish.where), rules, now, idle_times=idle_times), case.key


def _moment(case: Case) -> datetime | None:
    said = case.meta().get("now")
    return datetime.fromisoformat(said) if said else None


def _of_store(
    address: Address,
    wish: PurgeSelection,
    rules: Rules,
    options: LiveOptions,
    say: Say,
    notes: list[str],
    *,
    idle_times: bool,
) -> tuple[dict[str, Any], bytes]:
    from necropsy.autopsy.filling import fill
    from necropsy.case.store import Case
    from necropsy.evidence import open_keyspace
    from necropsy.sessions.registry import projection

    say("reading the keys", None)
    with _nothing_kept(), Case.create(None, large=True, memory=READING) as case:
        case.execute("SET threads = 1")  # each would hold rows of its own
        progress = partial(say, "reading the keys")
        keyspace = open_keyspace(
            address, projection(), name=_STORE, live=options, each=False, progress=progress, batch_rows=_ROWS
        )
        fill(case, _STORE, keyspace, None, indexes=False, settling_memory=_SETTLING)
        case.execute(f"SET memory_limit = '{READING}'")
        if keyspace.blemishes:
            notes += [f"not completely read: {blemish.why}" for blemish in keyspace.blemishes[:3]]
        now = keyspace.taken_at or datetime.now(UTC)
        fields = plans.choose(case, _STORE, parse(wish.where), rules, now, idle_times=idle_times)
        return fields, case.key


@contextmanager
def _nothing_kept() -> Iterator[None]:
    """Have Arrow give back at once what it frees: its own pool keeps some of it."""
    import pyarrow as pa

    usual = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(usual)


@dataclass(frozen=True, slots=True)
class PurgeOrder:
    """Parameters for the application of a plan."""

    plan: Path
    journal: Path
    redis: Address | None = None
    """Address of the store, when the plan's own lacks a user, a password or options."""
    journal_key: Path | None = None
    control: Path | None = None
    knobs: Knobs | None = None
    notify: bool = False
    by: str = "auto"
    """Source of the journal's values: ``snapshot``, ``dump``, or ``auto``: a snapshot where it is worth it and safe."""


def apply_plan(
    order: PurgeOrder, options: LiveOptions, report: Callable[[Progress], None], *, confirm: Callable[[PurgePlan], bool]
) -> Progress | None:
    """Apply a plan; None when it was not confirmed.

    Raises
    ------
    PlanError, JournalError, TreatmentError, UnreadableSource
    """
    from necropsy.treat.purge.apply import Purge
    from necropsy.treatment.snapshot import choose_source

    plan, key = plans.load(order.plan)
    address = order.redis or parse_address(plan.address)
    if address.db not in {None, plan.db}:
        of = f"database {plan.db}" if plan.db >= 0 else "all databases"
        raise UsageError(
            f"{order.plan}: made for {of}, not for database {address.db}",
            hint="Leave the database out of --redis, or make a plan of that one.",
        )
    address = replace(address, db=plan.db if plan.db >= 0 else None)
    with opened(address) as store:
        store.require_same(plan.identities)
        if not confirm(plan):
            return None
        journal = _journal(order, plan, store)
        try:
            control = Control(order.knobs or Knobs(), order.control)
            keeps = _keep_idle_times(store)
            up_s = min(number(primary.info, "uptime_in_seconds") for primary in store.primaries)
            booted_ms = store.now_ms() - 1000 * up_s
            judge = Judge(
                plan.rules,
                plan.hashes,
                hasher(key),
                keeps_idle_times=keeps,
                prefixes=plan.prefixes,
                booted_ms=booted_ms,
                since_ms=_idle_times_since(plan, store, booted_ms),
                switched=any(primary.was_configured for primary in store.primaries),
            )
            source, remarks = choose_source(order.by, address, store, order.journal, options)
            with control.signals():
                run = Purge(plan, store, source, judge, journal, control, notify=order.notify, report=report)
                run.progress.remarks += remarks
                if store.is_cached:
                    run.progress.remarks.append(_CACHED)
                evicted = evicted_of(store)
                done = run.run()
                done.remarks += evicted_since(evicted, store)
                return done
        finally:
            journal.close()


def _idle_times_since(plan: PurgePlan, store: WritableStore, booted_ms: int) -> int:
    """Return from when on the servers' idle times tell of every use.

    A server that was a replica knows nothing of what was read on its master, and says not when it became one: it was one
    already when the plan was made, if that names it. Under a policy that evicts by use idle times are saved, and loaded as
    they were at the last save. What clients read from caches of their own no server hears of.
    """
    since = 0
    for primary in store.primaries:
        if primary.info.get("run_id") not in plan.identities:
            since = max(since, primary.now_ms())
        elif primary.was_replica:
            since = max(since, plan.planned_ms)
        if primary.is_cached:
            since = max(since, primary.now_ms())
        if "lru" in primary.info.get("maxmemory_policy", ""):
            since = max(since, booted_ms)
    return since


def _journal(order: PurgeOrder, plan: PurgePlan, store: WritableStore) -> Journal:
    secret = read_secret(order.journal_key) if order.journal_key else None
    digest = plans.digest(order.plan)
    if exists(order.journal / "journal.json"):
        journal = Journal.open(order.journal, secret)
        if journal.header.get("plan") != digest:
            journal.close()
            raise TreatmentError(f"{order.journal}: belongs to another plan", hint="Give a new folder with --journal.")
        journal.load()
        return journal
    return Journal.create(
        order.journal,
        {
            "plan": digest,
            "address": plan.address,
            "db": plan.db,
            "identities": sorted(store.identities),
            "server": plan.server,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "where": list(plan.where),
            "notify": order.notify,
        },
        secret,
    )


def undo(
    folder: Path,
    *,
    redis: Address | None,
    journal_key: Path | None,
    batches: Sequence[int] = (),
    lenient: bool = False,
    other_store: bool = False,
    report: Callable[[Restored], None] | None = None,
) -> Restored:
    """Bring back what a journal holds.

    Parameters
    ----------
    other_store
        The store is another one on purpose: a migration, an upgrade.

    Raises
    ------
    JournalError, TreatmentError, UnreadableSource
    """
    from necropsy.treat.purge.apply import resolve
    from necropsy.treat.purge.undo import undo as run

    # What is taken as far as it goes is not written to any more.
    journal = Journal.open(folder, read_secret(journal_key) if journal_key else None, to_read=lenient)
    try:
        if journal.header.get("kind") == "cap-ttl":
            raise TreatmentError(f"{folder}: a journal of cap-ttl", hint=f"necropsy cap-ttl --undo {folder}")
        journal.load(lenient=lenient)
        if batches:
            _require(batches, {batch.number for batch in journal.batches(lenient=lenient)}, folder)
        address = redis or parse_address(journal.header["address"])
        if address.db is None and journal.header["db"] >= 0:
            address = replace(address, db=journal.header["db"])
        with opened(address) as store:
            if not other_store:
                store.require_same(journal.header["identities"], "--other-store restores to it all the same.")
                if not lenient:
                    resolve(journal, store)
            control = Control(Knobs())
            with control.signals():
                return run(journal, store, control, batches=set(batches) or None, lenient=lenient, report=report)
    finally:
        journal.close()


def _require(wanted: Sequence[int], there: set[int], folder: Path) -> None:
    missing = sorted(set(wanted) - there)
    if missing:
        said = f"it holds batches {min(there)} to {max(there)}" if there else "it holds no batch"
        raise UsageError(
            f"{folder}: no batch {', '.join(map(str, missing))}: {said}", hint="Leave --batch out to undo all of them."
        )


@dataclass(frozen=True, slots=True)
class Verified:
    """The content of a journal."""

    header: dict[str, Any]
    batches: int
    sessions: int
    deleted: int
    restored: int
    unknown: int
    """Sessions of which nobody knows yet whether they were deleted: the run was killed."""
    bytes: int


def verify(folder: Path, *, journal_key: Path | None = None) -> Verified:
    """Check every seal of a journal, and count.

    Raises
    ------
    JournalError
        It was cut or changed.
    """
    from necropsy.treat.purge.scripts import DELETED
    from necropsy.treat.purge.undo import RESTORED

    journal = Journal.open(folder, read_secret(journal_key) if journal_key else None, to_read=True)
    try:
        counts = {"batches": 0, "sessions": 0, "deleted": 0, "restored": 0, "unknown": 0, "bytes": 0}
        for batch in journal.batches():
            counts["batches"] += 1
            counts["sessions"] += len(batch.records)
            counts["bytes"] += sum(len(record.payload) for record in batch.records)
            if batch.outcome is None:
                counts["unknown"] += len(batch.records)
            else:
                counts["deleted"] += sum(said in DELETED for said, _, _ in batch.outcome)
            counts["restored"] += sum(code == RESTORED for code in batch.restored or ())
        return Verified(journal.header, **counts)
    finally:
        journal.close()


def shred(folder: Path) -> int:
    """Overwrite and remove a journal; return its bytes.

    Raises
    ------
    JournalError
    """
    journal = Journal.open(folder, bytes(32))
    try:
        return journal.shred()
    finally:
        journal.close()
