"""Divide the rows of ``birth_claim`` among the slugs of creators, each to one of them.

The slugs of creators share the births of a store, so that their shares add up to 1 at most. What divides them is how a
creator behaves: it is configured or comes at one period; nobody knows it; it logs in; it is a program that keeps no
cookie; it is a robot, or a program under a browser's name.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from necropsy.model.finding import Confidence, Exhibit, Finding, Remedy, Severity
from necropsy.model.traffic import STATIC
from necropsy.probes.session_risk import LOGIN_WORDS
from necropsy.visits import agents

if TYPE_CHECKING:
    from necropsy.case.store import Case

Row = dict[str, Any]

PROBES: Final = "probes/creates-sessions"
UNLOGGED: Final = "traffic/unlogged-creator"
LOGIN: Final = "traffic/login-loop"
DROPS: Final = "traffic/client-drops-cookie"
BOTS: Final = "traffic/bot-creates-sessions"
PEOPLE: Final = "people"
_BY_CREATOR: Final = {"people": PEOPLE, "unlogged": UNLOGGED, "probe": PROBES}

LEAST_SHARE: Final = 0.05
"""Of a store's births: fewer are no cause of anything."""
FEWEST: Final = 20
"""Births: fewer are no cause of anything, whatever their share."""

_LOGIN: Final = re.compile(rf"(?i)(?:^|[/._-])(?:{LOGIN_WORDS}|session|token)s?(?:$|[/?._-])")
_ROBOTS: Final = frozenset(("crawler", "prober", "scanner"))
"""Kinds of programs that bring no cookie back, whatever they ask for."""
_SERVICE: Final = re.compile(r"(?i)(?:^|/)(?:api|v\d+|graphql|rpc|rest|ws)(?:/|$|\?)")
_FEW_CLIENTS: Final = 3
_RARELY: Final = 0.15
_EACH: Final = 2.0
"""Births per visit and per client of programs that keep their cookie."""
_MANY_BROWSERS: Final = 10
"""Browsers that ask for one page at one interval, from which it is the page's script that asks."""
_HARDLY_ANY: Final = 0.8
"""Births per visit of a browser to a page, from which hardly any brings its cookie back."""
_MOST_LOGINS: Final = 6
"""Logins of one client within a log: a wrong password, a browser that forgets, two people at one machine."""
_CLAIMS: Final = """
SELECT b.*, v.client, v.host, v.method, v.path, v.status, v.log,
  EXISTS (SELECT 1 FROM cookie_use c WHERE c.user_agent = coalesce(v.user_agent, b.user_agent) AND c.brought = 0
    AND c.renewed >= 3 * c.clients)
    AND b.user_agent <> '' AS drops
FROM birth_claim b LEFT JOIN visitor_class v ON v.class_id = b.class_id
ORDER BY b.store, b.births DESC, b.label, b.phase_s
"""
_FORMS: Final = """
SELECT v.user_agent, v.client, v.path, t.visits FROM creation_test t JOIN visitor_class v USING (class_id)
WHERE t.outcome = 'creates' AND v.method = 'POST' AND t.visits >= 20 AND t.probability >= 0.5
"""
_A_LOGIN_EACH: Final = 0.25
"""Logins that start a session, as a share of a client's visits, from which it is a login that sends it round."""
_BROWSERS: Final = """
SELECT coalesce(sum(t.probability * t.visits), 0.0) AS births, coalesce(sum(t.visits), 0)::BIGINT AS visits
FROM creation_test t JOIN visitor_class v USING (class_id)
WHERE regexp_matches(v.user_agent, '^@BROWSER@')
  AND NOT regexp_matches(v.path, '@STATIC@')
""".replace("@BROWSER@", agents.BEGINNING).replace("@STATIC@", STATIC)


@dataclass(frozen=True, slots=True)
class Created:
    """The claims of one slug on one store."""

    store: str
    total: int
    """All sessions of the store."""
    claims: tuple[Row, ...]
    """Rows of ``birth_claim``, most births first."""
    unexplained: float = 0.0
    """Births of the store that nobody is known to have made."""

    def _share(self, name: str) -> float:
        return min(1.0, sum(claim[name] for claim in self.claims) / self.total) if self.total else 0.0

    @property
    def births(self) -> float:
        """Births of all of them."""
        return float(sum(claim["births"] for claim in self.claims))

    @property
    def share(self) -> float:
        """Share of all sessions of the store."""
        return self._share("births")

    @property
    def low(self) -> float:
        """Lower end of the interval of ``share``."""
        return min(self.share, self._share("births_low"))

    @property
    def high(self) -> float:
        """Upper end; what is unexplained may be anybody's, but is there once."""
        more = [claim["births_high"] - claim["births"] for claim in self.claims]
        anybodys = sum(min(self.unexplained, one) for one in more)
        own = sum(max(0.0, one - self.unexplained) for one in more)
        high = self.births + own + min(self.unexplained, anybodys)
        return max(self.share, min(1.0, high / self.total)) if self.total else 0.0

    @property
    def matters(self) -> bool:
        """Whether they are enough for a finding that warns."""
        return self.share >= LEAST_SHARE and self.births >= FEWEST

    @property
    def severity(self) -> Severity:
        """Critical from half of the births on."""
        if not self.matters:
            return Severity.INFO
        return Severity.CRITICAL if self.share >= 0.5 else Severity.WARNING

    @property
    def ids(self) -> tuple[int, ...]:
        """Numbers of the claims."""
        return tuple(claim["claim_id"] for claim in self.claims if claim["claim_id"] is not None)


def created(case: Case, slug: str) -> Iterator[Created]:
    """Yield what one slug of a creator, or ``people``, made: one value a store that has any of it."""
    totals = {row["store"]: row["n"] for row in case.rows("SELECT store, count(*) AS n FROM session GROUP BY store")}
    left = {row["store"]: row["n"] for row in case.rows("SELECT store, births - explained AS n FROM birth_account")}
    by_store: dict[str, list[Row]] = defaultdict(list)
    for claim in claims(case):
        if claim["slug"] == slug:
            by_store[claim["store"]].append(claim)
    for store, found in sorted(by_store.items()):
        yield Created(store, totals.get(store, 0), tuple(found), max(0.0, left.get(store, 0.0)))


def claims(case: Case) -> Sequence[Row]:
    """Return the rows of ``birth_claim``, each with its ``slug``; per store, most births first."""
    rows = case.rows(_CLAIMS)
    forms = _forms(case)
    for row in rows:
        row["slug"] = _slug(row, forms)
    _agree(rows)
    browsers = [row for row in rows if row["slug"] in (PROBES, BOTS) and agents.is_browser(row["user_agent"] or "")]
    asked = Counter(_asks(row) for row in browsers)
    for row in browsers:
        # A page's own script asks every so many seconds, too: of many browsers it is no monitoring.
        if row["slug"] == PROBES and asked[_asks(row)] >= _MANY_BROWSERS:
            row["slug"] = DROPS
    if len({row["user_agent"] for row in browsers if row["slug"] == BOTS}) >= _FEW_CLIENTS and _no_browser_returns(
        case
    ):
        for row in browsers:
            row["slug"] = DROPS if row["slug"] == BOTS else row["slug"]
    return rows


def _asks(claim: Row) -> tuple[str, ...]:
    return claim["store"], claim["method"] or "", claim["path"] or ""


def _agree(rows: Sequence[Row]) -> None:
    """Give one program that asks for one page one slug: a service of many addresses has a rhythm at some of them."""
    made: dict[tuple[str, ...], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in rows:
        if row["user_agent"] and row["creator"] == "visitor":
            made[(*_asks(row), row["user_agent"])][row["slug"]] += row["births"]
    for row in rows:
        if row["user_agent"] and row["creator"] == "visitor" and row["slug"] in (PROBES, BOTS, DROPS):
            by_slug = made[(*_asks(row), row["user_agent"])]
            row["slug"] = max(by_slug, key=lambda slug: (by_slug[slug], slug))


def _no_browser_returns(case: Case) -> bool:
    """Whether hardly any visit of a browser brings a session: then its cookie is lost, whoever comes."""
    told = case.rows(_BROWSERS)[0]
    return bool(told["visits"]) and told["births"] >= _HARDLY_ANY * told["visits"]


def _forms(case: Case) -> dict[tuple[str, str], int]:
    """Visits by which clients log in and start sessions, by User-Agent and address."""
    sent: Counter[tuple[str, str]] = Counter()
    for row in case.rows(_FORMS):
        if _LOGIN.search(row["path"] or ""):
            sent[row["user_agent"] or "", row["client"] or ""] += row["visits"]
    return sent


def _slug(claim: Row, forms: Mapping[tuple[str, str], int]) -> str:
    if claim["creator"] in _BY_CREATOR:
        return _BY_CREATOR[claim["creator"]]
    if logs_in(claim):
        return LOGIN
    # Who is sent round and round by a login asks for its page as often as for the form.
    sent = forms.get((claim["user_agent"] or "", claim["client"] or ""), 0) if claim["class_id"] is not None else 0
    if claim["evidence"] == "visits" and sent and sent >= _A_LOGIN_EACH * (claim["visits"] or 0):
        return LOGIN
    if _keeps_its_cookie(claim):
        return PEOPLE
    return PROBES if claim["period_s"] is not None else _program(claim)


def _keeps_its_cookie(claim: Row) -> bool:
    """Whether these are programs that come back with their session, as an application on a telephone does."""
    clients, probability = claim["clients"] or 0, claim["creation_probability"]
    if probability is None or not clients or claim["evidence"] != "visits":
        return False
    inside = claim["births"] - (claim["extrapolated"] or 0.0)
    return bool(probability <= _RARELY and inside <= _EACH * clients)


def _program(claim: Row) -> str:
    """Tell programs that keep no cookie, and come again and again, from robots and what goes by a browser's name."""
    agent = claim["user_agent"] or ""
    if agents.kind_of(agent) in _ROBOTS:
        return BOTS
    if claim["drops"]:
        return DROPS
    if agents.begins_as_browser(agent) or not agent:
        return BOTS
    several_clients = (claim["clients"] or 0) >= _FEW_CLIENTS
    return DROPS if several_clients or _SERVICE.search(claim["path"] or "") else BOTS


_POSTS_AGAIN: Final = """
SELECT count(*) > 0 FROM (
  SELECT visit.class_id, visit.client FROM visit JOIN visitor_class USING (class_id)
  WHERE method = 'POST' AND NOT list_contains($1::INTEGER[], visit.class_id)
    AND visit.class_id NOT IN (SELECT class_id FROM creation_test WHERE outcome = 'innocent' AND class_id IS NOT NULL)
  GROUP BY ALL HAVING count(*) >= $2)
"""


def logins_are_people(case: Case) -> bool:
    """Whether the logins that the logs show are those of people: few of them by clients that log in again and again.

    False also where no log shows a login: then nobody knows. An address whose name says nothing may be a login, too: a
    client that posts to it again and again, and was not found to be innocent, may be who logs in.
    """
    posted = case.rows("SELECT class_id, path FROM visitor_class WHERE method = 'POST'")
    forms = [row["class_id"] for row in posted if _LOGIN.search(row["path"] or "")]
    if case.value(_POSTS_AGAIN, [forms, _FEWEST_TICKS]):
        return False
    clients = (
        case.rows("SELECT count(*) AS logins FROM visit WHERE list_contains($1, class_id) GROUP BY client", [forms])
        if forms
        else []
    )
    logins: int = sum(row["logins"] for row in clients)
    again: int = sum(row["logins"] for row in clients if row["logins"] > _MOST_LOGINS)
    return logins > 0 and again <= _MOST_TIED * logins


def logs_in(claim: Row) -> bool:
    """Whether the requests of a claim are logins: a form that is sent to an address that says so."""
    return claim["method"] == "POST" and bool(_LOGIN.search(claim["path"] or ""))


_TESTED: Final = "SELECT class_id, probe_id, outcome FROM creation_test WHERE store = ? AND outcome = 'creates'"
_FOLLOWED: Final = """
SELECT class_id FROM creation_test WHERE store = ? AND class_id IS NOT NULL AND outcome <> 'creates' AND visits >= 20
  AND followed::DOUBLE / visits - chance > 0.5 LIMIT 1
"""
"""Clients whose visits are followed by births, far above chance, and that were not found to make them."""
_MOST_TIED: Final = 0.1
_MOST_EXTRAPOLATED: Final = 0.5
_FEWEST_TICKS: Final = 50
_WIDEST: Final = 0.3


def confidence(case: Case, made: Created, *, least_probability: float = 0.0) -> tuple[Confidence, str]:
    """Confidence of a finding on a creator, and the reason why it is not higher; empty where it is high.

    High only where nothing else fits: no tie with another creator, enough births, a test against chance, little that is
    inferred beyond the log's time, an interval that is narrow.
    """
    births = max(1.0, made.births)
    tests = case.rows(_TESTED, [made.store])
    was_tested = case.has("creation_test")
    classes, probes = ({test[name] for test in tests} - {None} for name in ("class_id", "probe_id"))
    tied = sum(claim["births"] for claim in made.claims if claim["alternative"])
    extrapolated = sum(claim["extrapolated"] or 0.0 for claim in made.claims)
    tested = sum(
        claim["births"]
        for claim in made.claims
        if claim["class_id"] in classes
        or claim["probe_id"] in probes
        or claim["evidence"] == "named"
        or (claim["creator"] == "unlogged" and (claim["creation_probability"] or 0.0) >= least_probability)
    )
    reasons = []
    if tied > _MOST_TIED * births:
        reasons.append("another creator fits equally well")
    if made.births < _FEWEST_TICKS:
        reasons.append(f"only {made.births:,.0f} births")
    if was_tested and tested < 0.9 * births:
        reasons.append("not tested visit by visit")
    if any(claim["creator"] == "unlogged" for claim in made.claims) and case.rows(_FOLLOWED, [made.store]):
        reasons.append("births follow another client of the logs as often, and the two could not be distinguished")
    if extrapolated > _MOST_EXTRAPOLATED * births:
        reasons.append("the log covers less than half of the births")
    unseen = sum(c["births"] for c in made.claims if c["creator"] == "unlogged" and c["in_access_log"] is None)
    if unseen > _MOST_TIED * births and case.has("log_span"):
        reasons.append("no log covers the time in which it was there")
    if made.high - made.low > _WIDEST:
        reasons.append("the interval is wide")
    if not reasons:
        return Confidence.HIGH, ""
    low = made.births < FEWEST or tied > 0.5 * births
    return (Confidence.LOW if low else Confidence.MEDIUM), "; ".join(reasons)


def finding(
    case: Case,
    made: Created,
    title: str,
    text: str,
    shown: tuple[Exhibit, ...],
    remedy: Remedy | None = None,
    *,
    least_probability: float = 0.0,
) -> Finding:
    """Return the finding on a creator: its share, its confidence and, after ``text``, why it is not certain.

    ``least_probability`` as for ``confidence``.
    """
    certainty, why = confidence(case, made, least_probability=least_probability)
    return Finding(
        severity=made.severity,
        confidence=certainty,
        title=title,
        text=text + (f" Not certain: {why}." if why else ""),
        primary=shown[0],
        supporting=shown[1:],
        remedy=remedy,
        store=made.store,
        share=made.share,
        share_low=made.low,
        share_high=made.high,
        claims=made.ids,
        doubt=why,
    )
