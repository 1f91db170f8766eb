"""Read the arrays that the verdict weighs from the tables of a case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from necropsy._internal.serialization import to_plain
from necropsy.autopsy.evidence_log import EvidenceInMemory
from necropsy.examine import case_queries
from necropsy.model.evidence import Absent
from necropsy.model.verdict import Prediction
from necropsy.probes.session_risk import idle_probes, may_create
from necropsy.verdict.actors import is_over
from necropsy.verdict.attribution.clocks import meet
from necropsy.verdict.chunks import chunks
from necropsy.verdict.evidence import (
    Attribution,
    Births,
    ChangedLifetime,
    Circumstances,
    Claim,
    CreationTest,
    Creator,
    LogSpan,
    VisitBins,
    VisitorClass,
    Visits,
)
from necropsy.verdict.forecast import StoreFacts, grace_s, predict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from necropsy.case.store import Case
    from necropsy.model.probe import Probe

_BIRTHS = """
FROM session s LEFT JOIN creators c
  ON c.user_agent IS NOT DISTINCT FROM s.creator_user_agent AND c.host IS NOT DISTINCT FROM s.creator_host
 AND c.method IS NOT DISTINCT FROM s.creator_method AND c.path IS NOT DISTINCT FROM s.creator_path
WHERE s.store = ? AND s.born_at IS NOT NULL
"""
_BORN, _CREATOR, _AUTHENTICATED = (
    "epoch_ms(s.born_at)",
    "coalesce(c.creator, -1)::BIGINT",
    "coalesce(s.authentication = 'yes', false)",
)
_SUMMARY = """
SELECT count(*) AS total, mode(layout) AS layout,
  coalesce(avg(bytes), 0) AS bytes, coalesce(max(born_precision_s), 0.001) AS resolution,
  epoch_ms(min(born_at)) AS first, epoch_ms(max(born_at)) AS last, mode(lifetime_s) AS lifetime,
  coalesce(avg((born_provenance = 'not later than')::INTEGER) FILTER (WHERE born_at IS NOT NULL), 0) AS derived
FROM session WHERE store = ?
"""
_BITS: Final = 62
"""Of a number in which birth, creator and whether the session is authenticated stand side by side."""
_WORTH_IT: Final = 1_000_000
"""Numbers from which on two threads sort them."""


def stores(case: Case) -> list[str]:
    """Names of the stores, in the order in which they were given."""
    return [row["store"] for row in case.rows("SELECT store FROM source WHERE store IS NOT NULL")]


def births_by_store(case: Case) -> dict[str, Births]:
    """Births of each store that was read."""
    return {store: _births(case, store) for store in stores(case)}


@contextmanager
def _creators(case: Case, store: str) -> Iterator[list[dict[str, Any]]]:
    """Number the requests that sessions name as their creators, commonest first: table ``creators``, and as rows."""
    rows = case.rows(
        "SELECT creator_user_agent AS user_agent, creator_host AS host, creator_method AS method, creator_path AS path,"
        " count(*) AS n FROM session WHERE store = ? AND (creator_user_agent IS NOT NULL OR creator_host IS NOT NULL)"
        " GROUP BY ALL ORDER BY n DESC, user_agent, host, method, path",
        [store],
    )
    with case.temporary(
        "creators", {"creator": "INTEGER", "user_agent": "VARCHAR", "host": "VARCHAR", "method": "VARCHAR", "path": "VARCHAR"},
        [{**row, "creator": number} for number, row in enumerate(rows)],
    ):  # fmt: skip
        yield rows


def _births(case: Case, store: str) -> Births:
    with _creators(case, store) as creators:
        summary = case.rows(_SUMMARY, [store])[0]
        born_ms, creator, authenticated = _in_order(case, store, len(creators), summary["first"], summary["last"])
    return Births(
        store=store,
        born_ms=born_ms,
        authenticated=authenticated,
        creator=creator,
        creators=tuple(
            Creator(row["user_agent"] or "", row["host"] or "", row["method"] or "", row["path"] or "")
            for row in creators
        ),
        resolution_s=float(summary["resolution"]),
        bytes_per_session=float(summary["bytes"]),
        total=summary["total"],
        coverage=case_queries.share_read(case, store),
        taken_ms=case.value("SELECT epoch_ms(max(taken_at)) FROM source WHERE store = ?", [store]),
        lifetime_s=None if summary["lifetime"] is None else float(summary["lifetime"]),
        grace_s=float(grace_s(summary["layout"] or "")),
        derived=float(summary["derived"]),
    )


def _in_order(
    case: Case, store: str, creators: int, first: int | None, last: int | None
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.bool_]]:
    """Return births, creators and who is authenticated, sorted by all three.

    The three are packed into one number where that has room: a third of the memory, and sorted five times as fast.
    """
    import numpy as np

    if first is None or last is None:
        return np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, bool)
    width = (creators + 1).bit_length()
    if (last - first).bit_length() + width + 1 > _BITS:
        ordered = f"SELECT {_BORN} AS b, {_CREATOR} AS c, {_AUTHENTICATED} AS a {_BIRTHS} ORDER BY ALL"
        columns = case.columns(ordered, [store])
        return columns["b"].astype(np.int64), columns["c"].astype(np.int32), columns["a"].astype(bool)
    packed = case.columns(
        f"SELECT ((({_BORN} - {first}) << {width}) | ({_CREATOR} + 1)) << 1 | ({_AUTHENTICATED})::BIGINT AS packed {_BIRTHS}",
        [store],
    )["packed"]
    packed = _sorted(np.asarray(packed, np.int64))
    creator, authenticated = np.empty(packed.size, np.int32), np.empty(packed.size, bool)
    for part in chunks(packed.size):
        authenticated[part] = packed[part] & 1
        creator[part] = (packed[part] >> 1 & ((1 << width) - 1)) - 1
        packed[part] = (packed[part] >> (width + 1)) + first
    return packed, creator, authenticated


def _sorted(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sort in place: halves side by side, then both together, which a stable sort merges in one pass."""
    import numpy as np

    if values.size < _WORTH_IT:
        values.sort()
        return values
    with ThreadPoolExecutor(2) as pool:  # NumPy lets go of the interpreter while it sorts
        list(pool.map(np.ndarray.sort, np.array_split(values, 2)))
    values.sort(kind="stable")
    return values


def circumstances(case: Case, evidence: EvidenceInMemory, births: Mapping[str, Births]) -> Circumstances:
    """Probes, backends, classes and visits of the case; of logs that were written at another time, nothing.

    A log whose clock is hours off was not: its visits tell, if they and the births agree at one lag.
    """
    simulation = evidence.simulation
    probes = simulation.probes if simulation else ()
    backends = simulation.backends if simulation else ()
    rows = case.rows(
        "SELECT class_id, user_agent, host, method, path, status, followed_to, visits, requests, period_s, phase_s,"
        " phase_spread_s, coverage, log, client FROM visitor_class ORDER BY class_id"
    )
    around = Circumstances(
        probes=probes,
        backends=backends,
        classes=[_class(row) for row in rows],
        bins=_bins(case) if rows else None,
        visits=_visits(case) if rows else None,
        logs_given=evidence.logs_given,
        idle=idle_probes(probes, backends),
    )
    elsewhen = _elsewhen(case, births)
    if elsewhen is None or meet(list(births.values()), around):
        return around
    case.append("absence", [to_plain(elsewhen)])
    return replace(around, classes=[], bins=None, visits=None, logs_given=False)


def _elsewhen(case: Case, births: Mapping[str, Births]) -> Absent | None:
    """Say so when no log covers any time at which a session was born: then no log can tell who created it.

    A prober keeps its phase for weeks: matched by phase alone, a log of another year would be a false witness.
    """
    born = [population.born_ms for population in births.values() if population.born_ms.size]
    log = case.rows("SELECT min(first_at) AS first, max(last_at) AS last FROM visitor_class")[0]
    if not born or log["first"] is None:
        return None
    first, last = (
        datetime.fromtimestamp(edge / 1000, UTC).replace(tzinfo=None)
        for edge in (min(int(ms.min()) for ms in born), max(int(ms.max()) for ms in born))
    )
    if log["first"] <= last and log["last"] >= first:
        return None
    names = [row["log"] for row in case.rows("SELECT DISTINCT log FROM visitor_class ORDER BY log")]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return Absent(
        "access_log",
        ", ".join(names[:3]) + more,
        f"covers {log['first']:%Y-%m-%d %H:%M} to {log['last']:%Y-%m-%d %H:%M} UTC, but the sessions were born"
        f" {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC: it does not show their creators",
        "Give the log of that time; if only a clock or a time zone is wrong, correct the times in the log.",
    )


def _class(row: dict[str, Any]) -> VisitorClass:
    texts = {name: row[name] or "" for name in ("user_agent", "host", "method", "path", "log", "client")}
    return VisitorClass(**{**row, **texts, "status": row["status"] or 0})


def _bins(case: Case) -> VisitBins:
    import numpy as np

    columns = case.columns("SELECT class_id, epoch_ms(bin) // 60000 AS minute, visits FROM visit_bin ORDER BY 1, 2")
    return VisitBins(
        class_id=np.asarray(columns["class_id"], dtype=np.int64),
        minute=np.asarray(columns["minute"], dtype=np.int64),
        visits=np.asarray(columns["visits"], dtype=np.float64),
    )


def _visits(case: Case) -> Visits | None:
    import numpy as np

    spans = case.rows("SELECT log, epoch_us(first_at) AS first_us, epoch_us(last_at) AS last_us, resolution_s,"
                      " times_are_starts FROM log_span ORDER BY first_us, log")  # fmt: skip
    if not spans:  # a case of schema 1
        return None
    columns = case.columns(
        "SELECT class_id, client, epoch_us(started_at) AS at_us FROM visit ORDER BY started_at, class_id, client"
    )
    return Visits(
        class_id=np.asarray(columns["class_id"], np.int32),
        client=np.asarray(columns["client"], np.int64),
        at_us=np.asarray(columns["at_us"], np.int64),
        spans=tuple(LogSpan(**span) for span in spans),
    )


def record(case: Case, attribution: Attribution) -> None:
    """Write what attribution found into the case."""
    claims = [{**asdict(claim), "claim_id": number} for number, claim in enumerate(attribution.claims)]
    case.append("birth_claim", claims)
    names = [field.name for field in fields(CreationTest)]
    values = attrgetter(*names)  # a test a class, thousands: they hold nothing that had to be copied
    case.append("creation_test", [dict(zip(names, values(test), strict=True)) for test in attribution.tests])
    case.append("clock_offset", [asdict(offset) for offset in attribution.offsets])
    case.append("birth_account", [asdict(account) for account in attribution.accounts])
    for store, owner in attribution.owner.items():
        if case.name is not None or owner.size <= _WORTH_IT:  # what nobody can open again need not name ten million
            _record_sessions(case, store, owner, attribution.weight[store])


def _record_sessions(case: Case, store: str, owner: NDArray[np.int32], weight: NDArray[np.float32]) -> None:
    """Write which session was claimed by which claim.

    Attribution was given the births in order of birth, creator and authentication (``_in_order``). Sessions that are alike
    in all three are interchangeable, so the order among them does not matter.
    """
    import numpy as np
    import pyarrow as pa

    with _creators(case, store):
        ordered = f"SELECT s.id_hash AS id_hash {_BIRTHS} ORDER BY {_BORN}, {_CREATOR}, {_AUTHENTICATED}"
        identifiers = np.asarray(case.columns(ordered, [store])["id_hash"], np.uint64)
    claimed = owner >= 0
    rows = pa.table(
        {
            "store": pa.repeat(pa.scalar(store), int(claimed.sum())),
            "id_hash": identifiers[claimed],
            "claim_id": owner[claimed],
            "weight": weight[claimed],
        }
    )
    case.append("session_claim", rows)


def layouts(case: Case) -> dict[str, str]:
    """Commonest session layout of each store that has sessions."""
    return {
        row["store"]: row["layout"]
        for row in case.rows("SELECT store, mode(layout) AS layout FROM session GROUP BY store")
    }


_CHANGED: Final = """
WITH kind AS (
  SELECT store, namespace, db, lifetime_s, min(born_at) AS first, max(born_at) AS last FROM session
  WHERE born_at IS NOT NULL AND born_provenance <> 'explicit' AND lifetime_s > 0 GROUP BY ALL HAVING count(*) >= 60)
SELECT older.store, older.lifetime_s AS older_s, newer.lifetime_s AS newer_s, newer.first AS moment
FROM kind older JOIN kind newer USING (store, namespace, db)
WHERE older.lifetime_s <> newer.lifetime_s
  AND newer.first BETWEEN older.last - INTERVAL 2 MINUTE AND older.last + INTERVAL 15 MINUTE
  AND newer.last > older.last AND older.first < newer.first ORDER BY moment
"""


def changed_lifetimes(case: Case) -> dict[str, ChangedLifetime]:
    """Return by store the last change of its lifetime: no session of the older one was written after the first of the newer."""
    rows = case.rows(_CHANGED)
    return {row["store"]: ChangedLifetime(row["older_s"], row["newer_s"], row["moment"]) for row in rows}


def log_files(case: Case) -> dict[str, list[str]]:
    """Return the files of each access log by its name, as they were given."""
    from necropsy.evidence.access_log.files.sources import family

    files: dict[str, list[str]] = {}
    for row in case.rows("SELECT locator FROM source WHERE reader = 'access_log' ORDER BY locator"):
        files.setdefault(family(row["locator"]), []).append(row["locator"])
    return files


def read_at(case: Case, now: datetime) -> dict[str, datetime]:
    """Time at which each store was read, UTC, where it is known; not later than the moment that the user calls now."""
    rows = case.rows("SELECT store, max(taken_at) AS at FROM source WHERE store IS NOT NULL GROUP BY store")
    return {row["store"]: min(now, row["at"].replace(tzinfo=UTC)) for row in rows if row["at"] is not None}


def facts(case: Case, store: str, now: datetime, births_per_hour: float) -> StoreFacts:
    """Counts of one store, as the forecast wants them; the rate is what goes on, whoever makes it."""
    row = case.rows(
        "SELECT count(*) AS sessions, mode(layout) AS layout, mode(lifetime_s) AS lifetime, coalesce(avg(keys), 0) AS keys,"
        " coalesce(avg(bytes), 0) AS bytes FROM session WHERE store = $1",
        [store],
    )[0]
    totals = case.rows(
        "SELECT coalesce(sum(keys), 0)::BIGINT AS keys, coalesce(sum(bytes), 0)::BIGINT AS bytes FROM key_family WHERE store = ?",
        [store],
    )[0]
    limit = case.value(
        "SELECT value FROM server_fact WHERE store = ? AND name IN ('memory-limit', 'maxmemory') AND value <> '0' LIMIT 1",
        [store],
    )
    return StoreFacts(
        name=store,
        layout=row["layout"] or "none",
        lifetime_s=row["lifetime"],
        keys_per_session=float(round(row["keys"])) if row["sessions"] else 0.0,
        bytes_per_session=float(row["bytes"]),
        sessions=row["sessions"],
        keys=totals["keys"],
        bytes=totals["bytes"],
        births_per_hour=births_per_hour,
        memory_limit=int(limit) if limit is not None else None,
        taken_at=now,
    )


def predictions(
    case: Case, evidence: EvidenceInMemory, around: Circumstances, births: Mapping[str, Births], claims: Sequence[Claim]
) -> tuple[Prediction, ...]:
    """Predict each store from the probes that belong to it."""
    read = read_at(case, evidence.now)
    return tuple(
        predict(
            facts(case, name, evidence.now, _rate(name, claims, read.get(name, evidence.now))),
            _probes_of(name, around, births, claims),
        )
        for name in births
    )


def _rate(store: str, claims: Sequence[Claim], read: datetime) -> float:
    """Births an hour that go on: what had stopped when the store was read will fill nothing."""
    return sum(claim.births_per_hour for claim in claims if claim.store == store and not is_over(claim, read))


def _probes_of(store: str, around: Circumstances, births: Mapping[str, Births], claims: Sequence[Claim]) -> list[Probe]:
    """Probes that create sessions in this store: those of the services that the claims found there.

    With a single store and no claim, configuration alone decides: every probe that may create sessions.
    """
    creating = {
        number: probe for number, probe in enumerate(around.probes) if may_create(probe) and number not in around.idle
    }
    claimed = {claim.probe_id for claim in claims if claim.store == store and claim.probe_id is not None}
    services = {around.probes[number].service for number in claimed} - {None}
    if services:
        return [probe for number, probe in creating.items() if probe.service in services or number in claimed]
    if claimed:
        return [around.probes[number] for number in sorted(claimed)]
    return list(creating.values()) if len(births) == 1 else []
