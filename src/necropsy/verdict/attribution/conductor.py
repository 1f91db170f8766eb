"""Attribution of the births of all stores: who made each, by one model of visits, trains, people and nobody.

See docs/how-the-verdict-is-reached.md. In short, for each store:

1. Births whose session names its creator are that creator's.
2. The clock of each log is set by the births, and the delay from visit to birth is learnt.
3. Trains are found in the births, and each is given to the visits that were there at its ticks.
4. The other births are shared among visits by expectation maximisation, one birth a visit at most.
5. Browsers whose clients have more than one session a lifetime are machines; the others are people.
6. Outside the logs' time births that look like those inside have their creators; the rest has none known.
7. Sources are named after configured probes; what no log shows by period, phase and number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from necropsy.probes import session_risk
from necropsy.verdict import identity_match
from necropsy.verdict.attribution import claims as claiming
from necropsy.verdict.attribution import configured, creation_tests, named, restarts, server_clocks, shown, slow
from necropsy.verdict.attribution.clocks import set_clocks
from necropsy.verdict.attribution.groups import Group, Groups, make_groups
from necropsy.verdict.attribution.join import shares
from necropsy.verdict.attribution.reckoning import Reckoning, reckon, trains_of, unnamed_people
from necropsy.verdict.attribution.sources import BirthSource, settle
from necropsy.verdict.attribution.timeline import Timeline, lay_out
from necropsy.verdict.attribution.trains import Train
from necropsy.verdict.evidence import Account, Attribution, Births, Circumstances, ClockOffset, VisitorClass
from necropsy.visits.agents import is_browser

_LEAST_BIRTHS: Final = 1.0
_HERE: Final = 0.25
"""Share of the largest excess of births over chance from which visits of one host belong to a store as well."""
_RHYTHMS: Final = 64
"""Named creators, commonest first, whose rhythm is looked for."""


def attribute(stores: Sequence[Births], around: Circumstances) -> Attribution:
    """Attribute the births of all stores together: a target serves one application, so none is blamed in two stores.

    Returns
    -------
    Attribution
        Claims by store as given, largest first. The claims on one birth add up to 1 at most.
    """
    groups = make_groups(around.classes, around.visits) if around.visits is not None and around.classes else None
    known = groups.groups if groups is not None else []
    offsets: list[ClockOffset] = []
    held: dict[str, float] = {}
    timelines, trains = [], []
    periods = _periods(around, known)
    stores, clocks = list(stores), {}
    for number, births in enumerate(stores):
        timeline, found, said = _laid_out(births, around, groups, periods)
        clock = server_clocks.put_right(births, timeline, known)
        if clock is not None:
            stores[number], clocks[births.store] = clock.births, clock
            timeline, found, said = _laid_out(clock.births, around, groups, periods)
        timelines.append(timeline)
        trains.append(found)
        offsets += said
        held |= {log.name: log.complete for log in timeline.logs if log.complete < 1.0}
    not_here = _elsewhere(stores, timelines, known)
    fitting = _configured(known, around)
    hidden_s = configured.hidden_periods(around)
    reckonings = []
    for number, births in enumerate(stores):
        excluded = not_here[number] | _speak_for_themselves(births, known, around.classes)
        reckoning = reckon(births, timelines[number], groups, fitting, trains[number], excluded, hidden_s)
        reckoning.sources += unnamed_people(births, reckoning.sources, has_log=bool(reckoning.covered.any()))
        _name_creators(reckoning, timelines[number], around, periods)
        reckonings.append(reckoning)
    configured.name_probes(reckonings, known, around)
    result = Attribution([], [], offsets, [], {}, {}, held)
    for number, reckoning in enumerate(reckonings):
        _write(reckoning, known, around, not_here[number], result)
    for place, claim in enumerate(result.claims):
        claim.claim_id = place
    for name, clock in clocks.items():
        back = np.argsort(clock.order)
        result.owner[name], result.weight[name] = result.owner[name][back], result.weight[name][back]
        result.server_clocks[name] = clock.ahead_s, clock.moved / max(1, clock.order.size)
    return result


def _laid_out(
    births: Births, around: Circumstances, groups: Groups | None, periods: Sequence[float]
) -> tuple[Timeline, Sequence[Train], list[ClockOffset]]:
    """One store's births and all visits by right clocks, with the trains of the births, and what was wrong with the clocks."""
    timeline = lay_out(births, around.visits, groups)
    trains = trains_of(births, timeline, periods)
    if groups is None:
        return timeline, trains, []
    offsets = set_clocks(births, timeline, groups.groups, trains)
    slow.learn(births, timeline, groups.groups, trains)
    return timeline, trains, offsets


def _elsewhere(
    stores: Sequence[Births], timelines: Sequence[Timeline], groups: Sequence[Group]
) -> list[frozenset[int]]:
    """Groups that belong to another store: a log and host are where births exceed chance the most."""
    if len(stores) < 2 or not groups:
        return [frozenset() for _ in stores]
    hosts = sorted({(group.log, group.host) for group in groups})
    excess = np.zeros((len(stores), len(hosts)))
    place = {host: number for number, host in enumerate(hosts)}
    host_of = np.asarray([place[group.log, group.host] for group in groups])
    for number, timeline in enumerate(timelines):
        if not timeline.born_s.size or not timeline.visit_s.size:
            continue
        low, high = timeline.windows()
        measured = shares(low, high, timeline.group, len(groups), timeline.born_s, timeline.stretches())
        error = np.sqrt(measured.visits * measured.chance + 1) + measured.visits * measured.chance_spread
        gained = measured.followed - measured.visits * measured.chance
        excess[number] = np.bincount(host_of, np.where(gained > 3 * error, gained, 0.0), minlength=len(hosts))
    best = excess.max(axis=0)
    return [
        frozenset(n for n in range(len(groups)) if excess[store, host_of[n]] < _HERE * best[host_of[n]])
        for store in range(len(stores))
    ]


def _speak_for_themselves(births: Births, groups: Sequence[Group], classes: Sequence[VisitorClass]) -> frozenset[int]:
    """Groups of machines whose sessions name them: what names nobody is not theirs."""
    used = set(births.creator.tolist()) if births.creator.size < 1_000_000 else set(range(len(births.creators)))
    agents = {
        creator.user_agent
        for number, creator in enumerate(births.creators)
        if number in used and creator.user_agent and not is_browser(creator.user_agent)
    }
    return frozenset(
        n
        for n, group in enumerate(groups)
        if not group.browser and all(classes[row].user_agent in agents for row in group.rows)
    )


def _configured(groups: Sequence[Group], around: Circumstances) -> frozenset[int]:
    """Groups that look like a configured probe that may create sessions."""
    probes = [probe for n, probe in enumerate(around.probes) if session_risk.may_create(probe) and n not in around.idle]
    return frozenset(
        number
        for number, group in enumerate(groups)
        if any(identity_match.class_fits(probe, around.classes[row]) for row in group.rows[:20] for probe in probes)
    )


def _periods(around: Circumstances, groups: Sequence[Group]) -> tuple[float, ...]:
    """Periods of the configuration, and whole seconds near the intervals that logs show."""
    periods = {p.period_s for p in around.probes if p.timing == "ticker" and p.period_s >= 0.5}
    for group in groups:
        if group.interval_s is not None and group.interval_s >= 0.9:
            whole = float(round(group.interval_s))
            if abs(group.interval_s - whole) < 0.02 * max(1.0, whole):
                periods.add(whole)
            if group.drift_s is not None:
                periods.add(whole + group.drift_s)
    return tuple(sorted(periods))


def _name_creators(reckoning: Reckoning, timeline: Timeline, around: Circumstances, periods: Sequence[float]) -> None:
    """Find the class, the probe and the rhythm of each creator that sessions name.

    ``timeline`` has the visits that the reckoning was done without, as their sessions speak for them.
    """
    named_sources = [source for source in reckoning.sources if source.creator is not None]
    others = [source for source in reckoning.sources if source.creator is None]
    split: list[BirthSource] = []
    for source in named_sources[:_RHYTHMS]:
        split += named.rhythms(source, reckoning.timeline, periods, reckoning.births.coverage)
    split += named_sources[_RHYTHMS:]
    visits_of = shown.VisitsOfRows(timeline)
    for source in split:
        assert source.creator is not None  # noqa: S101 -- chosen above
        rows = named.rows_of(source, reckoning.births.creators, around.classes)
        source.row = shown.row_of(source, rows, visits_of)
        if source.row is not None:
            alike = rows if source.pages else _of_one_page(rows, source, around.classes)
            source.visits = sum(around.classes[row].visits for row in alike)
            source.clients = len(alike) if len(alike) > 1 and not source.pages else None
    split = restarts.joined_by_name(split, reckoning.timeline, reckoning.births.creators)
    reckoning.sources = split + others
    proxied = configured.proxied_ports(around)
    taken: set[int] = set()
    # What a log shows goes by the proxy: it has the first choice of the probes of the proxy's ports.
    for source in sorted(split, key=lambda source: source.row is None):
        assert source.creator is not None  # noqa: S101 -- chosen above
        creator = reckoning.births.creators[source.creator]
        period_s = source.train.period_s if source.train is not None else None
        by_proxy = (source.row is not None, proxied) if visits_of.any else None
        source.probe = named.probe_named(
            creator, around.probes, period_s=period_s, taken=frozenset(taken), by_proxy=by_proxy
        )
        if source.probe is not None and source.train is not None:
            taken.add(source.probe)


def _of_one_page(rows: Sequence[int], source: BirthSource, classes: Sequence[VisitorClass]) -> list[int]:
    """Classes of a creator without a rhythm of its own that come at one interval to one page: a balancer's many addresses."""
    assert source.row is not None  # noqa: S101 -- asked of what a log shows
    first = classes[source.row]
    if source.train is not None or first.period_s is None:
        return [source.row]
    period_s = first.period_s
    return [
        row
        for row in rows
        if classes[row].path == first.path
        and classes[row].period_s is not None
        and configured.same_period(classes[row].period_s or 0.0, period_s)
    ]


def _write(
    reckoning: Reckoning, groups: Sequence[Group], around: Circumstances, elsewhere: frozenset[int], result: Attribution
) -> None:
    """Turn one store's sources into claims, tests and an account."""
    births, timeline = reckoning.births, reckoning.timeline
    young = timeline.row[(timeline.visit_s >= timeline.horizon_s) & (timeline.row >= 0)]
    seen = np.bincount(young, minlength=len(around.classes))
    for source in reckoning.sources:
        source.row = claiming.representative(source, groups, around, seen)
        if source.rivals:
            source.also = claiming.label_of_row(groups[source.rivals[0]].rows[0], around)
    sources = [source for source in reckoning.sources if source.amount >= _LEAST_BIRTHS]
    sources.sort(key=lambda source: -source.amount)
    reckoning.sources = sources
    owner, weight, total = settle(sources, births.born_ms.size)
    explained = float(total.sum())
    unexplained = births.born_ms.size - explained
    first = len(result.claims)
    result.claims += claiming.make_claims(sources, reckoning, groups, around, unexplained)
    result.owner[births.store] = np.where(owner >= 0, owner + first, -1).astype(np.int32)
    result.weight[births.store] = weight
    tests = creation_tests.try_classes(reckoning, groups, around, elsewhere=elsewhere)
    result.tests += tests
    result.tests += creation_tests.try_probes(reckoning, around, tests)
    result.accounts.append(_account(reckoning, around, explained))


def _account(reckoning: Reckoning, around: Circumstances, explained: float) -> Account:
    births, timeline = reckoning.births, reckoning.timeline
    account = Account(births.store, births.born_ms.size, births.total - births.born_ms.size, explained)
    base_ms = timeline.origin_us // 1000
    if np.isfinite(timeline.horizon_s):
        account.horizon_at = claiming.moment(base_ms + round(timeline.horizon_s * 1000))
    account.covered = int(reckoning.covered.sum())
    if timeline.logs and account.covered:
        spans = np.concatenate([log.spans_s for log in timeline.logs])
        account.covered_from = claiming.moment(base_ms + round(float(spans[:, 0].min()) * 1000))
        account.covered_to = claiming.moment(base_ms + round(float(spans[:, 1].max()) * 1000))
    if not births.born_ms.size:
        account.reason = "no session has a creation time" if births.total else "no session"
    elif not around.logs_given:
        account.reason = "no access log: clients are identified only by rhythm and configuration"
    elif not account.covered:
        account.reason = "no access log covers the time of these births"
    return account
