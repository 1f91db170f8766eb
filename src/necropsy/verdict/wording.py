"""Title and text of a cause, in the reader's words: who, how often, since when, and whether it goes on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from necropsy.model.figures import IMMORTAL_S, percent, several
from necropsy.model.finding import Finding
from necropsy.model.verdict import Actor, View
from necropsy.verdict.order import CREATORS
from necropsy.verdict.stopped import moment, what_stopped
from necropsy.visits.agents import hides_its_clients

_YEAR_S: Final = 31_556_952
_PAUSE: Final = 10
"""Longest pause of a restart, in slacks of two periods."""
_ALIKE: Final = 0.002
"""Difference of two periods, as a share of them, up to which they are one."""
_OUTSIDE: Final = 0.1
"""Share of the births beyond the log's time from which on it is said."""


def words(
    finding: Finding, actors: Sequence[Actor], lifetime_s: float | None, view: View | None, *, many: bool
) -> tuple[str, str]:
    """Return title and text of a cause.

    Parameters
    ----------
    finding, actors
        What was found, and who is named.
    lifetime_s
        Of most sessions of the store; negative: never expires; None: unknown.
    view
        How much of the store's births could be seen.
    many
        Whether there are several stores, so that this one needs its name.
    """
    title, text = finding.title, finding.text
    runs, actors = actors, _runs_joined(actors)
    if finding.slug == "probes/creates-sessions":
        title, text = _of_probes(finding, actors, runs, lifetime_s, many=many)
        text += f" Not certain: {finding.doubt}." if finding.doubt else ""
    if finding.slug not in CREATORS:
        return title, text
    parts = [text, _unseparated(actors), _times(finding.slug, actors, lifetime_s), _tie(actors), _covered(view)]
    return title, " ".join(part for part in parts if part)


def _runs_joined(actors: Sequence[Actor]) -> list[Actor]:
    """One actor for a client of a log that was restarted, or asks for another page now: one run begins as another ends."""
    joined: list[Actor] = []
    for actor in sorted(actors, key=lambda each: (each.first_at is None, each.first_at or each.last_at)):
        before = next((number for number, each in enumerate(joined) if _goes_on(each, actor)), None)
        if before is None:
            joined.append(actor)
        else:
            joined[before] = replace(
                actor, first_at=joined[before].first_at, sessions=joined[before].sessions + actor.sessions
            )
    order = {id(actor): number for number, actor in enumerate(actors)}
    return sorted(joined, key=lambda each: order.get(id(each), len(order)))


def _goes_on(before: Actor, actor: Actor) -> bool:
    """Whether an actor is another one after a restart, or after its page was changed."""
    if not actor.address or before.last_at is None or actor.first_at is None or not actor.period_s:
        return False
    same = (before.user_agent, before.address, before.period_s, before.prober)
    slack = timedelta(seconds=2 * actor.period_s)
    return same == (actor.user_agent, actor.address, actor.period_s, actor.prober) and (
        before.last_at - slack <= actor.first_at <= before.last_at + _PAUSE * slack
    )


def _of_probes(
    finding: Finding, actors: Sequence[Actor], runs: Sequence[Actor], lifetime_s: float | None, *, many: bool
) -> tuple[str, str]:
    where = f"store {finding.store}" if many else "this store"
    configured = any(actor.prober for actor in actors)
    over = bool(actors) and all(actor.over for actor in actors)
    plural = len(actors) > 1 and not configured and len({actor.user_agent for actor in actors if actor.user_agent}) != 1
    verb = "created" if over else "create" if plural else "creates"
    who = "Your own monitoring" if configured else _visitor(actors)
    title = f"{who} {verb} {percent(finding.share or 0)} of the sessions in {where}."
    jobs = sorted({actor.prober for actor in actors if actor.prober})
    periods = _apart({actor.period_s for actor in actors if actor.period_s})
    paths = sorted({_path(url) for actor in runs for url in (actor.url, *actor.one_of) if url})
    every = f" every {', '.join(f'{period:g} s' for period in periods)}" if periods else ""
    asked = "requested" if over else "request" if plural else "requests"
    methods = "/".join(sorted({actor.method or "GET" for actor in actors}))
    what = f" {asked} {methods} {', '.join(paths)}" if paths else " came"
    prober = "They" if plural else _prober_name(jobs)
    return title, f"{prober}{what}{every}; every request starts a new session{_lives(lifetime_s)}."


def _apart(periods: Collection[float]) -> list[float]:
    """Periods, those that differ by a few milliseconds once: forty machines of one cron job have forty means.

    >>> _apart([299.93, 300.07, 300.0, 60.0]), _apart([3591.0, 3596.0, 3599.0, 3604.0, 3608.0])
    ([60.0, 300.0], [3599.0])
    """
    groups: list[list[float]] = []
    for period in sorted(periods):
        if groups and period - groups[-1][-1] <= _ALIKE * period:
            groups[-1].append(period)
        else:
            groups.append([period])
    return [alike[len(alike) // 2] for alike in groups]


def _visitor(actors: Sequence[Actor]) -> str:
    agents = {actor.user_agent for actor in actors if actor.user_agent}
    if len(agents) == 1:
        (agent,) = agents
        return f"A client behind {agent}" if hides_its_clients(agent) else agent
    known = {(actor.address, actor.user_agent) for actor in actors if actor.address}
    number = len(known) + sum(not actor.address for actor in actors)  # a batch of requests at each tick is one client's
    return "One client, at a fixed interval," if number == 1 else f"{number} clients, at fixed intervals,"


def _times(slug: str, actors: Sequence[Actor], lifetime_s: float | None) -> str:
    """Say when it began and, if it has, when it ended; of several that some have."""
    left = f"the remaining sessions {'stay, as they never expire' if _never(lifetime_s) else 'go as they expire'}"
    return what_stopped(actors, left, one_program=slug.startswith("traffic/"))


def _tie(actors: Sequence[Actor]) -> str:
    tied = [actor.alternative for actor in actors if actor.alternative]
    if not tied:
        return ""
    return f"It could also be {tied[0]}: both come in the same second of the log, and nothing distinguishes them."


def _unseparated(actors: Sequence[Actor]) -> str:
    """Say which targets cannot be told apart, where fewer of them create than there are."""
    groups: dict[tuple[str, ...], list[bool]] = {}
    for actor in actors:
        if actor.one_of:
            groups.setdefault(actor.one_of, []).append(actor.over)
    said = []
    for urls, over in groups.items():
        verb = "created" if all(over) else "creates" if over.count(False) == 1 else "create"
        number = len(over) if all(over) else over.count(False)
        if number >= len(urls) == 1:
            continue
        if number >= len(urls):
            which = ", ".join(dict.fromkeys(url.removeprefix("http://") for url in urls))
            said.append(f"All {len(urls)} targets {'created' if all(over) else 'create'} sessions: {which}.")
            continue
        said.append(
            f"{number} of these {len(urls)} targets {verb} sessions; no evidence tells which:"
            f" {', '.join(url.removeprefix('http://') for url in urls)}. --prometheus-host, or an access log of each, tells."
        )
    return " ".join(said)


def _covered(view: View | None) -> str:
    """Say what the logs cover, where that is not nearly all."""
    if view is None or view.covered_from is None or view.covered_to is None or not view.births:
        return ""
    share = view.covered / view.births
    if share >= 1 - _OUTSIDE:
        return ""
    return (
        f"The access logs cover {percent(share)} of the births ({moment(view.covered_from)} to {moment(view.covered_to)});"
        " outside that time the cause is inferred from rhythm and rate."
    )


def _path(url: str) -> str:
    if url.startswith("/"):
        return url
    return "/" + url.split("/", 3)[3] if url.count("/") >= 3 else "/"


def _never(lifetime_s: float | None) -> bool:
    return lifetime_s is not None and (lifetime_s < 0 or lifetime_s > IMMORTAL_S)


def _lives(lifetime_s: float | None) -> str:
    if lifetime_s is None:
        return ""
    return " that never expires" if lifetime_s < 0 else f" that lives for {span(lifetime_s)}"


def span(seconds: float) -> str:
    """Time in words.

    >>> span(86_400), span(5_400), span(30)
    ('1 day', '1.5 hours', '30 seconds')
    """
    for name, unit in (("year", _YEAR_S), ("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= unit:
            number = seconds / unit
            return f"{number:{'.0f' if number >= 10 else '.3g'}} {name}{'' if number == 1 else 's'}"
    return several(seconds, "second")


def _prober_name(jobs: Sequence[str]) -> str:
    if not jobs:
        return "It"
    family, _, name = jobs[0].partition("/")
    more = f" and {len(jobs) - 1} more" if len(jobs) > 1 else ""
    return f"{family.capitalize()} job {name}{more}" if family == "prometheus" else f"{jobs[0]}{more}"
