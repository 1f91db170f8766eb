"""Verifying a fix: read the stores of a case again, attribute their births with what the case knows, and compare."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from necropsy import __version__
from necropsy._internal.progress import Progress
from necropsy.model.errors import UsageError
from necropsy.model.verification import StoreCheck, Verification
from necropsy.rhythm.endings import LEAST_QUIET_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from necropsy.autopsy.sources import Sources, StoreSource
    from necropsy.case.store import Case
    from necropsy.model.probe import Probe, UpstreamPort
    from necropsy.verdict.evidence import Births, Circumstances, Claim
    from necropsy.verdict.verification import Reading


def verify(
    case_path: Path, sources: Sources, progress: Progress | None = None, *, least_quiet_s: float | None = None
) -> Verification:
    """Read stores again and say of each creator of the case whether it still starts sessions.

    Parameters
    ----------
    case_path
        The case of before the fix.
    sources
        The stores as they are now, by the names that they have in the case; access logs since the fix, if there are any; Consul,
        to say which target an instance of a dead agent keeps alive.
    least_quiet_s
        Seconds for which a creator with a rhythm must be silent at least; None: five minutes, as a restart takes no longer.

    Raises
    ------
    UsageError
        A store that the case does not have, or that was not read after the case was: it tells nothing of a fix.
    NoEvidence, CaseError
        Nothing could be read; the case cannot be opened.
    """
    from necropsy.autopsy import reading, verdict_inputs
    from necropsy.case.store import Case
    from necropsy.examine import case_queries as queries
    from necropsy.verdict.attribution import attribute
    from necropsy.verdict.verification import not_looked_at

    report_progress: Progress = progress or (lambda _stage, _share: None)
    with Case.open(case_path) as old:
        before = _before(old)
        probes = list(queries.probes(old).values())
        backends = queries.backends(old)
        case_at = datetime.fromisoformat(old.meta()["now"])
    sources = _named(sources, before)
    with Case.create(None, large=reading.needs_disk(sources)) as new:
        read = reading.read(new, sources, report_progress)
        births = verdict_inputs.births_by_store(new)
        around = _around(verdict_inputs.circumstances(new, read, births), probes, backends)
        report_progress("weighing the evidence", None)
        attribution = attribute(list(births.values()), around)
        claims = {name: [claim for claim in attribution.claims if claim.store == name] for name in births}
        moments = verdict_inputs.read_at(new, read.now)
        zombies = _zombies(new)
        unread = {store.name: _absence(new, store) for store in sources.stores if store.name not in births}
        checks = [
            _check(
                name,
                before[name],
                replace(
                    _after(new, births[name], claims[name], moments[name], around),
                    least_quiet_s=LEAST_QUIET_S if least_quiet_s is None else least_quiet_s,
                    zombies=zombies,
                ),
                probes,
            )
            for name in births
            if name in before
        ]
    checks += [
        not_looked_at(name, before[name], unread.get(name) or "it was not given: add it by --rdb or --redis")
        for name in before
        if name not in births and before[name].claims
    ]
    return Verification(__version__, str(case_path), case_at, tuple(checks))


def _before(case: Case) -> dict[str, Reading]:
    from necropsy.autopsy import verdict_inputs
    from necropsy.autopsy.kept_claims import claims_of
    from necropsy.verdict.verification import Reading

    now = datetime.fromisoformat(case.meta()["now"])
    made = claims_of(case)
    return {
        name: Reading(
            at=now,
            sessions=case.value("SELECT count(*) FROM session WHERE store = ?", [name]),
            claims=[claim for claim in made if claim.store == name],
            layout=_layout(case, name),
        )
        for name in verdict_inputs.stores(case)
    }


def _named(sources: Sources, before: dict[str, Reading]) -> Sources:
    """Give the stores the names that they have in the case: one store is the one of the case, whatever its file is called."""
    if len(sources.stores) == 1 and len(before) == 1:
        (name,) = before
        return replace(sources, stores=(replace(sources.stores[0], name=name),))
    unknown = [store.name for store in sources.stores if store.name not in before]
    if unknown:
        raise UsageError(
            f"the case has no store {', '.join(unknown)}",
            hint=f"It has {', '.join(before)}: write --rdb NAME=FILE or --redis NAME=URL.",
        )
    return sources


def _around(around: Circumstances, probes: Sequence[Probe], backends: Sequence[UpstreamPort]) -> Circumstances:
    """Return what is known now, with the probes of the case where no configuration was given again."""
    from necropsy.probes.session_risk import idle_probes

    if any(not probe.kind.startswith("consul") for probe in around.probes):  # Consul's own checks name no prober
        return around
    return replace(around, probes=probes, backends=backends, idle=idle_probes(probes, backends))


def _after(case: Case, births: Births, claims: Sequence[Claim], read_at: datetime, around: Circumstances) -> Reading:
    from necropsy.verdict.verification import Reading

    return Reading(
        at=read_at if read_at.tzinfo else read_at.replace(tzinfo=UTC),
        sessions=births.total,
        claims=claims,
        lifetime_s=births.lifetime_s,
        births_known=births.total == 0 or births.born_ms.size > 0,
        logs_given=around.logs_given,
        layout=_layout(case, births.store),
        unread=_unread(case, births.store),
        refuses=_refuses(case, births.store),
    )


def _refuses(case: Case, store: str) -> str:
    """Say why nobody could create a session in a store; empty when everybody could."""
    from necropsy.examine.memory.near_limit import refuses_writes
    from necropsy.examine.server import servers

    full = any(server.store == store and refuses_writes(server) for server in servers(case))
    return "the store is full and refuses every write: make room first, silence proves nothing" if full else ""


def _zombies(case: Case) -> dict[str, str]:
    """Return the node by address of each instance that Consul still has and whose agent is gone."""
    rows = case.rows(
        "SELECT address, node FROM service_instance WHERE node_health IS NOT NULL AND node_health <> 'passing'"
    )
    return {row["address"]: row["node"] for row in rows}


def _layout(case: Case, store: str) -> str:
    return case.value("SELECT mode(layout) FROM session WHERE store = ?", [store]) or ""


def _absence(case: Case, store: StoreSource) -> str:
    """Say why a store that was given could not be read."""
    rows = case.rows("SELECT reason, hint FROM absence WHERE locator = ?", [store.locator.masked])
    said = (f"{row['reason']}. {row['hint']}".rstrip(". ") for row in rows)
    return f"{store.locator.masked} could not be read: {'; '.join(said) or 'no reason is known'}"


def _unread(case: Case, store: str) -> str:
    """Say why the sessions of a store are not all known; empty when they are."""
    from necropsy.examine.case_queries import share_read
    from necropsy.model.figures import percent

    share = share_read(case, store)
    if share < 1.0:
        return f"only {percent(share)} of its keys could be read: give a complete dump"
    damaged = case.value(
        "SELECT count(*) FROM blemish b JOIN source s ON s.locator = b.file WHERE s.store = ? AND b.unit = 'byte'"
        " AND b.place > 0",
        [store],
    )
    return "its dump is damaged: give an undamaged one" if damaged else ""


def _check(name: str, before: Reading, after: Reading, probes: Sequence[Probe]) -> StoreCheck:
    from necropsy.verdict.verification import check

    if after.at <= before.at:
        relation = "as the case was" if after.at == before.at else f"before the case ({before.at:%Y-%m-%d %H:%M} UTC)"
        raise UsageError(
            f"store {name} was read at {after.at:%Y-%m-%d %H:%M} UTC, {relation}",
            hint="Give the case from before the fix, and a dump from after it.",
        )
    return check(name, before, after, probes)
