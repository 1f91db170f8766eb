"""Judge one report by the truth: every mark is a number or None (not asked here)."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from incidents.truth import CREATORS

ENOUGH_VISITS = 100


@dataclass(slots=True)
class Marks:
    """How one report did. Shares and rates run from 0 to 1."""

    healthy: bool = False
    said: str = ""
    """causes, healthy, unsure, or failed (no report)."""
    knowable: bool = True
    """Whether the evidence is enough for a verdict: else unsure is the right answer."""
    top: float | None = None
    """First cause right: 1; unsure: 0.5; else 0."""
    causes: float | None = None
    """Set of causes right: all that are asked for, no false one."""
    share_errors: list[float] = field(default_factory=list)
    covered: list[bool] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    actors_named: int = 0
    actors_right: int = 0
    actors_asked: int = 0
    actors_found: int = 0
    unlogged: bool | None = None
    false_alarms: int = 0
    """Creators named in a healthy incident."""
    innocents_accused: int = 0
    cleared_and_guilty: int = 0
    checks_asked: int = 0
    """Innocent checks with a hundred visits in the log."""
    checks_cleared: int = 0
    high: list[bool] = field(default_factory=list)
    """For each statement of high confidence whether it was right."""
    sum_of_shares: float = 0.0
    """The largest sum of creators' shares of one store."""
    why: list[str] = field(default_factory=list)
    cpu_s: float = 0.0
    peak_mb: float = 0.0

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def judge(
    report: dict[str, Any] | None, exit_code: int, facts: dict[str, Any], withheld: str = "", error: str = ""
) -> Marks:
    """Compare a report with the truth."""
    expect = facts["expect"][withheld or "all"]
    marks = Marks(healthy=facts["healthy"], knowable=expect["verdict"] != "nothing" and not expect["unsure_is_right"])
    if report is None:
        # exit 4 is NO VERDICT, and exit 3 is "nothing to examine"
        marks.said = "unsure" if exit_code in {3, 4} else "failed"
        marks.why.append(
            f"no report, exit {exit_code}: {error.strip()[-300:]}" if marks.said == "failed" else "no verdict"
        )
        said: list[dict[str, Any]] = []
        cleared: list[dict[str, Any]] = []
        called_healthy = False
    else:
        verdict = report["verdict"]
        asked_for = {slug for cause in expect["causes"] for slug in cause["slugs"]}
        tolerated = {"healthy", *facts["tolerated"]} - asked_for
        said = [cause for cause in verdict["causes"] if cause["slug"] not in tolerated]
        cleared = verdict["ruled_out"]
        findings = [one for one in report["findings"] if one["slug"] == "healthy"]
        findings += [cause for cause in verdict["causes"] if cause["slug"] == "healthy"]
        called_healthy = bool(findings) and not said and exit_code != 4
        marks.said = "causes" if said else "healthy" if called_healthy else "unsure"
        if called_healthy and any(one["confidence"] == "high" for one in findings):
            marks.high.append(bool(facts["healthy"]) and expect["verdict"] != "nothing")
    actors = {actor["name"]: actor for actor in facts["actors"]}
    _causes(marks, said, expect, actors, facts)
    _actors(marks, said, actors, facts, withheld)
    _clearances(marks, cleared, actors, withheld)
    return marks


def _causes(
    marks: Marks, said: list[dict[str, Any]], expect: dict[str, Any], actors: dict[str, Any], facts: dict[str, Any]
) -> None:
    asked = [cause for cause in expect["causes"] if cause["required"]]
    pairs = [(mine, its) for mine in said for its in expect["causes"] if _same(mine, its, actors)]
    right = [mine for mine in said if any(mine is one for one, _ in pairs)]
    wrong = [mine for mine in said if not any(mine is one for one, _ in pairs)]
    marks.high += [any(mine is one for one in right) for mine in said if mine["confidence"] == "high"]
    for mine in wrong:
        marks.why.append(f"false cause {mine['slug']} {mine['share']:.3f} ({mine['confidence']}): {_who(mine)}")
    if facts["healthy"]:
        marks.false_alarms = sum(mine["slug"] in CREATORS and mine["share"] >= 0.05 for mine in wrong)
    if _quiet(marks, expect, asked, wrong):
        return
    # what kills by itself has no share of the births, and may stand before a creator or after it
    largest = max((cause["share"] for cause in asked if cause["of"] == "births"), default=0.0)
    first = [its for mine, its in pairs if mine is said[0]]
    structural = any(its["of"] != "births" for its in first)
    marks.top = float(bool(first) and (structural or not asked or max(its["share"] for its in first) >= largest - 0.1))
    found = {id(its) for _, its in pairs}
    missed = [cause for cause in asked if id(cause) not in found]
    marks.causes = float(not wrong and not missed)
    if missed:
        marks.why.append(f"missed {_list(missed)}")
    if not marks.top and first:
        marks.why.append(f"first is {said[0]['slug']}, not {_list(asked)}")
    _shares(marks, [pair for pair in pairs if pair[1]["of"] in {"births", "sessions"}])
    for store in {mine["store"] for mine in said}:
        total = sum(mine["share"] for mine in said if mine["store"] == store and mine["slug"] in CREATORS)
        marks.sum_of_shares = max(marks.sum_of_shares, total)


def _quiet(marks: Marks, expect: dict[str, Any], asked: list[dict[str, Any]], wrong: list[dict[str, Any]]) -> bool:
    """Mark what names no cause, or should name none; return whether that was all."""
    unsure = 1.0 if expect["unsure_is_right"] else 0.5
    if expect["verdict"] == "nothing":
        marks.top = marks.causes = float(marks.said == "unsure")
        if marks.said != "unsure":
            marks.why.append(f"said {marks.said} without a store")
        return True
    if expect["verdict"] == "healthy":
        marks.top = marks.causes = {"healthy": 1.0, "unsure": unsure}.get(marks.said, 0.0)
        if marks.said == "causes" and not wrong:  # named what is true and too small to be asked for
            marks.top = marks.causes = 1.0
        elif marks.said != "healthy":
            marks.why.append(f"healthy, and called {marks.said}")
        return True
    if marks.said != "causes":
        marks.top = marks.causes = unsure if marks.said == "unsure" else 0.0
        marks.why.append(f"{marks.said}; asked for {_list(asked)}")
        return True
    return False


def _shares(marks: Marks, pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    """Compare shares; causes of the report and of the truth that cannot be told apart are compared as sums."""
    left = list(pairs)
    while left:
        mine, its = [left[0][0]], [left[0][1]]
        grown = True
        while grown:
            grown = False
            for one, other in left:
                inside = any(one is m for m in mine), any(other is t for t in its)
                if any(inside) and not all(inside):
                    if not inside[0]:
                        mine.append(one)
                    else:
                        its.append(other)
                    grown = True
        left = [(one, other) for one, other in left if not any(one is m for m in mine)]
        truth = sum(cause["share"] for cause in its)
        claim = sum(cause["share"] for cause in mine)
        low, high = sum(cause["share_low"] for cause in mine), sum(cause["share_high"] for cause in mine)
        certain = all(cause["share_known"] for cause in its)
        if certain:
            marks.share_errors.append(abs(claim - truth))
        marks.covered.append(low - 0.001 <= truth <= high + 0.001)
        marks.widths.append(high - low)
        if not marks.covered[-1]:
            marks.why.append(
                f"interval {low:.3f} to {high:.3f} of {'+'.join(m['slug'] for m in mine)}, truth {truth:.4f}"
            )
        if abs(claim - truth) > (0.08 if certain else 0.3):
            marks.why.append(f"share {claim:.3f} of {'+'.join(m['slug'] for m in mine)}, truth {truth:.3f}")


def _same(mine: dict[str, Any], its: dict[str, Any], actors: dict[str, Any]) -> bool:
    """Whether a reported cause is this true one: slug, store, and, where it names somebody, the right one."""
    if mine["slug"] not in its["slugs"] or mine["store"] not in {None, "", its["store"]}:
        return False
    if not its["actors"] or not mine["actors"]:
        return True
    return any(_is(one, actors[name]) for one in mine["actors"] for name in its["actors"])


def _is(reported: dict[str, Any], actor: dict[str, Any]) -> bool:
    """Whether a reported actor can be this one: by URL where both have one, by user agent and path where a log shows it.

    Of a client that no log shows and no configuration names, the period is all that there is.
    """
    url = urlsplit(reported["url"])
    if actor["url"] and url.netloc:
        its = urlsplit(actor["url"])
        return its.hostname == url.hostname and (its.port or 80) == (url.port or 80)
    if reported["in_access_log"] is False and not actor["in_log"]:
        return _periods_agree(reported, actor) or (not reported["period_s"] and _asks(reported, actor))
    agents = [agent for agent in actor["agents"] if agent]
    if reported["user_agent"] and agents:
        return _named(reported["user_agent"], agents) and _asks(reported, actor)
    return _periods_agree(reported, actor) or (not reported["period_s"] and bool(url.path) and _asks(reported, actor))


def _accused(reported: dict[str, Any], actor: dict[str, Any]) -> bool:
    """Whether a reported actor is this innocent one, by name."""
    return bool(reported["user_agent"]) and bool(urlsplit(reported["url"]).path) and _is(reported, actor)


def _named(agent: str, agents: list[str]) -> bool:
    return any(agent == one or one.startswith(agent) or agent.startswith(one) for one in agents)


def _periods_agree(reported: dict[str, Any], actor: dict[str, Any]) -> bool:
    return bool(reported["period_s"] and actor["period_s"]) and abs(reported["period_s"] / actor["period_s"] - 1) < 0.03


def _asks(reported: dict[str, Any], actor: dict[str, Any]) -> bool:
    path = urlsplit(reported["url"]).path
    return not path or any(_paths_agree(path, one) for one in (actor["path"], *actor["paths"]))


def _paths_agree(one: str, other: str) -> bool:
    head, tail = (one or "/").rstrip("/").split("/"), (other or "/").rstrip("/").split("/")
    return head[:2] == tail[:2]


def _actors(
    marks: Marks, said: list[dict[str, Any]], actors: dict[str, Any], facts: dict[str, Any], withheld: str
) -> None:
    culprits = [actor for actor in actors.values() if actor["role"] == "culprit" and actor["share"] > 0]
    reported = [one for cause in said if cause["slug"] in CREATORS for one in cause["actors"]]
    if withheld == "dump":
        return
    marks.actors_named = len(reported)
    marks.actors_right = sum(any(_is(one, actor) for actor in culprits) for one in reported)
    wanted = [
        actor
        for actor in culprits
        if actor["share"] >= 0.05 and actor["dated"] and (withheld != "log" or actor["in_configuration"])
    ]
    marks.actors_asked = len(wanted)
    marks.actors_found = sum(any(_is(one, actor) for one in reported) for actor in wanted)
    for one in reported:
        innocent = [actor for actor in actors.values() if actor["role"] == "innocent"]
        if not any(_is(one, actor) for actor in culprits) and any(_accused(one, actor) for actor in innocent):
            marks.innocents_accused += 1
            marks.why.append(f"innocent accused: {one['user_agent']} {one['url']}")
    if withheld or facts["log"] is None or facts["healthy"]:
        return
    hidden = sum(
        max(1, actor["address_count"] if actor["rhythm"] == "ticker" and actor["name"].startswith("kubelet") else 1)
        for actor in culprits
        if not actor["in_log"] and actor["share"] >= 0.02 and actor["dated"] and _log_was_kept(actor, facts["log"])
    )
    claimed = sum(one["in_access_log"] is False for one in reported)
    if hidden or claimed:
        marks.unlogged = hidden == claimed
        if hidden != claimed:
            marks.why.append(f"unlogged creators: {claimed}, truth {hidden}")


def _log_was_kept(actor: dict[str, Any], log: dict[str, Any]) -> bool:
    """Whether a log was kept while this actor was there: of others nobody can say that no log shows them."""
    return bool(actor["first_ms"] < log["end_ms"] and actor["last_ms"] > log["start_ms"])


def _clearances(marks: Marks, cleared: list[dict[str, Any]], actors: dict[str, Any], withheld: str) -> None:
    texts = [one["text"] for one in cleared if one["slug"].startswith(("probes/creates", "traffic/", "healthy"))]
    for actor in actors.values():
        mentioned = next((text for text in texts if _mentions(text, actor)), "")
        if actor["role"] == "culprit" and actor["share"] >= 0.02 and mentioned:
            marks.cleared_and_guilty += 1
            marks.why.append(f"cleared and guilty: {mentioned[:140]}")
        if actor["role"] == "innocent" and actor["log_lines"] >= ENOUGH_VISITS and withheld not in {"log", "dump"}:
            marks.checks_asked += 1
            marks.checks_cleared += bool(mentioned)


def _mentions(text: str, actor: dict[str, Any]) -> bool:
    """Whether a text names this actor with its path: ``AGENT (PATH)``, ``AGENT GET PATH``, its URL, or its configured job."""
    path = re.escape(actor["path"].rstrip("/") or "/") + r"(?=$|[\s),;:*]|/\*)"
    names = [re.escape(agent) for agent in actor["agents"] if agent] if actor["in_log"] else []
    names += [re.escape(address) for address in actor["addresses"] if actor["in_log"] and address != "127.0.0.1"]
    if actor["in_configuration"] and actor["url"]:
        names.append(r"prometheus/[\w-]+")
    who = rf"(?:{'|'.join(names)})[ (]{{1,2}}(?:(?:GET|POST|HEAD) )?{path}" if names else ""
    url = re.escape(actor["url"]) + r"(?=$|[\s),;:])" if actor["url"] else ""
    return any(re.search(pattern, text) is not None for pattern in (who, url) if pattern)


def _who(cause: dict[str, Any]) -> str:
    return "; ".join(
        f"{one['user_agent'][:40]} {one['url']} {one['period_s']} log={one['in_access_log']}"
        for one in cause["actors"][:3]
    )


def _list(causes: list[dict[str, Any]]) -> str:
    return ", ".join(f"{cause['slugs'][0]} {cause['share']:.3f}" for cause in causes)
