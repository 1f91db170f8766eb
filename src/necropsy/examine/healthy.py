"""``healthy``: the sessions are those that people make.

It is a finding of its own, and not what is left when nothing else was found. Signs, all of them: the births are known;
people explain them, one session a visitor; nobody else makes a twentieth of them; an access log was there that could have
shown a machine, and its browsers behave as browsers do; every session expires; memory and lifetimes were not complained of.

Where a sign is missing nothing is said to be healthy: the store is unexamined, with what to bring.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from necropsy._internal.sql_quoting import literal
from necropsy.examine import case_queries, creation
from necropsy.examine.interface import Examiner
from necropsy.examine.sessions.immortal import IMMORTAL
from necropsy.model.figures import percent, several
from necropsy.model.finding import Confidence, Exhibit, Finding, Severity, Unexamined
from necropsy.model.traffic import STATIC
from necropsy.probes import session_risk
from necropsy.visits import agents

if TYPE_CHECKING:
    from necropsy.case.store import Case

_LEAST_KNOWN: Final = 0.8
"""Share of the sessions whose birth must be known."""
_LEAST_PEOPLE: Final = 0.8
"""Share of the sessions that people must explain."""
_CERTAIN: Final = 0.9
_MOST_EACH: Final = 3.0
"""Sessions that one visitor may have within the log: browsers, devices, a lost cookie."""
_LOOKS_AROUND: Final = 2.0
"""Visits of each client from which, of a log that tells no User-Agent, the clients are taken for people."""
_LEAST_COVERED: Final = 0.1
"""Share of the births that a log must cover before it could have shown who else there is."""


@dataclass(frozen=True, slots=True)
class _Store:
    """The creators of the sessions of one store, as far as they are known."""

    name: str
    total: int
    known: int
    """Of them, those whose birth is known; and users' of unknown birth, where the logs show that only people log in."""
    people: float
    machines: float
    each: float | None
    """Sessions a visitor; None without a log."""
    covered: float
    """Share of the births within the time of a log."""
    immortal: int
    named: bool
    """Whether a log tells User-Agents, so that a program can be told from a browser by its name."""
    visits_each: float
    """Visits of each client, of those that keep no interval."""


_TESTABLE: Final = 100
"""Visits of a client at a fixed interval from which it must have been tested."""
_VISITS_EACH: Final = """
SELECT coalesce(count(*) / nullif(count(DISTINCT client), 0), 0.0)::DOUBLE FROM visit
WHERE class_id IN (SELECT class_id FROM visitor_class WHERE period_s IS NULL)
"""
_FILES: Final = 0.6
"""Share of the browsers that ask for two pages and more, and fetch files, from which the log shows who fetches none."""
_BARE: Final = 0.5
"""Share of the browsers that may ask for one page and nothing else: people who leave at once have fetched its files."""
_ENOUGH: Final = 50
"""Browsers that tell."""
_FETCHED: Final = """
WITH browser AS (
  SELECT visit.client, count(*) AS visits, count(*) FILTER (regexp_matches(path, '@STATIC@')) AS files
  FROM visit JOIN visitor_class USING (class_id)
  WHERE regexp_matches(user_agent, '^@BROWSER@') AND period_s IS NULL GROUP BY 1)
SELECT count(*) AS browsers, count(*) FILTER (visits = 1 AND files = 0) AS bare,
  count(*) FILTER (visits - files > 1) AS around, count(*) FILTER (visits - files > 1 AND files > 0) AS fetching
FROM browser
""".replace("@BROWSER@", agents.BEGINNING).replace("@STATIC@", STATIC)
_UNTESTED: Final = """
SELECT v.user_agent, v.path, v.period_s, t.visits, t.probability_high FROM creation_test t JOIN visitor_class v USING (class_id)
WHERE t.store = ? AND t.outcome IN ('untested', 'tied') AND v.period_s IS NOT NULL AND t.visits >= ? ORDER BY t.visits DESC
"""


def examine(case: Case) -> Iterator[Finding | Unexamined]:
    """One finding per healthy store; per store of which it cannot be said, what would tell."""
    for store in _stores(case):
        ill = max(store.machines, store.immortal)
        if ill >= creation.LEAST_SHARE * store.total:
            if ill < creation.FEWEST:
                few = f"store {store.name}: {several(store.total, 'session')}, too few to judge"
                yield Unexamined("", ("session",), few)
            continue
        lack = _lack(case, store)
        yield Unexamined("", *lack) if lack else _finding(store)


def _stores(case: Case) -> Iterator[_Store]:
    people = {made.store: made for made in creation.created(case, creation.PEOPLE)}
    accounts = {row["store"]: row for row in case.rows("SELECT * FROM birth_account")}
    machines: dict[str, float] = {}
    for claim in creation.claims(case):
        if claim["slug"] != creation.PEOPLE:
            machines[claim["store"]] = machines.get(claim["store"], 0.0) + claim["births"]
    named = case.value("SELECT count(*) = 0 OR bool_or(user_agent <> '') FROM visitor_class")
    visits_each = case.value(_VISITS_EACH) if not named else 0.0
    for name, total in case_queries.sessions_by_store(case).items():
        if not total:
            continue
        known = case.value("SELECT count(born_at) FROM session WHERE store = ?", [name])
        users = 0
        if known < total and creation.logins_are_people(case):
            users = case.value(
                "SELECT count(*) FROM session WHERE store = ? AND born_at IS NULL AND authentication = 'yes'", [name]
            )
        made, account = people.get(name), accounts.get(name)
        visits = [claim for claim in made.claims if claim["clients"]] if made else []
        clients = sum(claim["clients"] for claim in visits)
        inside = sum(claim["births"] - (claim["extrapolated"] or 0.0) for claim in visits)
        yield _Store(
            name=name,
            total=total,
            known=known + users,
            people=(made.births if made else 0.0) + users,
            machines=machines.get(name) or 0.0,
            each=inside / clients if clients else None,
            covered=account["covered"] / account["births"] if account and account["births"] else 0.0,
            named=named,
            visits_each=visits_each,
            immortal=case.value(f"SELECT count(*) FROM session WHERE store = ? AND {IMMORTAL}", [name]),
        )


def _lack(case: Case, store: _Store) -> tuple[tuple[str, ...], str] | None:
    """Evidence that is missing before the store can be called healthy, and why; None when none is."""
    where = f"store {store.name}"
    expired = case_queries.kept_expired(case).get(store.name)
    if expired is not None:
        return (
            "session",
        ), f"{where}: {percent(expired)} of its sessions had expired when it was read; read its master"
    if store.known < _LEAST_KNOWN * store.total:
        unknown = store.total - store.known
        return ("birth",), f"{where}: the creation time of {unknown:,} of {several(store.total, 'session')} is unknown"
    if store.people < _LEAST_PEOPLE * store.total:
        return _unexplained(
            store,
            f"{where}: people are known to have created {percent(store.people / store.total)} of the sessions",
            case,
        )
    if not case.has("visitor_class") or store.covered < _LEAST_COVERED:
        # A session that names a browser, or a user, may be a program's: only visits tell whether it comes back.
        return ("visitor_class",), f"{where}: no given log shows whether visitors return; add --access-log"
    if store.each is not None and store.each > _MOST_EACH:
        return ("visitor_class",), f"{where}: {store.each:.1f} sessions per visitor are more than people create"
    unclear = _nameless(store) or _untested(case, store) or _without_files(case)
    return (("visitor_class",), f"{where}: {unclear}") if unclear else None


def _nameless(store: _Store) -> str:
    """Visitors of a log without User-Agents who look at as little as robots do."""
    if store.named or store.visits_each >= _LOOKS_AROUND:
        return ""
    return (
        f"the access log has no User-Agent, and its clients send {store.visits_each:.1f} requests each, as robots do;"
        " add a log with $http_user_agent"
    )


def _untested(case: Case, store: _Store) -> str:
    """Machines at a fixed interval whose page may make as many sessions as would matter, and that nothing could test."""
    rows = case.rows(_UNTESTED, [store.name, _TESTABLE])
    likely = [row for row in rows if not session_risk.is_harmless_path(row["path"] or "")]
    births = sum(row["visits"] * row["probability_high"] for row in likely)
    if not likely or births < creation.LEAST_SHARE * store.covered * store.total:
        return ""
    first = likely[0]
    return (
        f"{first['user_agent'] or 'a client without User-Agent'} requests {first['path']} every {first['period_s']:g} s, and"
        " births are too many to tell whether it makes any; stop it for ten minutes and look whether births go on"
    )


def _without_files(case: Case) -> str:
    """Browsers most of which fetch nothing that belongs to the one page that they ask for, as the others do."""
    told = case.rows(_FETCHED)[0]
    if (
        told["around"] < _ENOUGH
        or told["fetching"] < _FILES * told["around"]
        or told["bare"] < _BARE * told["browsers"]
    ):
        return ""
    return (
        f"{told['bare']:,} of {told['browsers']:,} browsers request one page and none of its files, while others fetch them, so"
        " that they may be programs under browsers' names; look whose addresses they are"
    )


def _unexplained(store: _Store, said: str, case: Case) -> tuple[tuple[str, ...], str]:
    if not case.has("visitor_class"):
        return (
            "visitor_class",
        ), f"{said}; add the access log of the hours in which these began: --access-log 'access*.log'"
    if store.covered < _LEAST_PEOPLE:
        covers = f"the access logs cover {percent(store.covered)} of the births"
        return ("visitor_class",), f"{said}, and {covers}; add older ones (access.log.1 …)"
    return ("probe",), f"{said}; add the other logs of this application, --prometheus and --consul"


def _finding(store: _Store) -> Finding:
    share = min(1.0, store.people / store.total)
    machine = min(1.0, store.machines / store.total)
    unexplained = max(0.0, 1.0 - share - machine)
    certain = share >= _CERTAIN and store.total >= creation.FEWEST and store.covered >= 0.5 and store.named
    each = f", {store.each:.1f} per visitor" if store.each is not None else ""
    return Finding(
        severity=Severity.INFO,
        confidence=Confidence.HIGH if certain else Confidence.MEDIUM,
        title=f"Store {store.name} holds people's sessions: {percent(share)} of {store.total:,}{each}",
        text=f"Machines create {percent(machine)}; {percent(unexplained)} are unexplained; every session expires.",
        primary=Exhibit(
            title=f"{store.people:,.0f} of {several(store.total, 'session')} are explained by people",
            query=(f"SELECT creator, sum(births) FROM birth_claim WHERE store = {literal(store.name)} GROUP BY 1"),
        ),
        store=store.name,
        share=share,
        share_low=share,
        share_high=max(share, 1.0 - machine),
    )


EXAMINER: Final = Examiner(
    slug="healthy",
    meaning="People account for the sessions in the store.",
    severity=Severity.INFO,
    needs=("session",),
    helped_by=("visitor_class", "probe"),
    examine=examine,
)
