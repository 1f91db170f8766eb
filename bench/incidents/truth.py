"""What is so in an incident, and what can be known of it with each kind of evidence withheld."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from incidents.logs import Style, Written
from incidents.scene import Actor, Scene
from incidents.stores import DATED

CREATES = "births"
EVIDENCE = ("log", "dump", "configuration")
ENOUGH_SEEN = 0.6
"""Share of a store's sessions that must be born in the log's time before anything can be said of all of them."""
LEAST_SHARE = 0.05
"""A creator below this share need not be named, and may be."""
CREATORS = frozenset({
    "probes/creates-sessions", "traffic/bot-creates-sessions", "traffic/client-drops-cookie", "traffic/login-loop",
    "traffic/unlogged-creator",
})  # fmt: skip
SELF_EVIDENT = frozenset({
    "probes/wrong-path", "probes/duplicate-target", "probes/idle-backend", "probes/partial-fix", "probes/zombie-service",
    "monitoring/log-blind-spot", "monitoring/store-unwatched", "memory/no-limit", "memory/oversized-instance",
    "sessions/orphaned-index", "memory/fragmentation", "memory/fork-headroom",
})  # fmt: skip
"""Conditions that do not kill by themselves: named as a cause they are neither right nor wrong."""


@dataclass(slots=True)
class Cause:
    """One cause: what may be said of it, and its share."""

    slugs: tuple[str, ...]
    """Accepted slugs, the best first."""
    store: str
    share: float
    of: str = CREATES
    """births: of the store's sessions; sessions: of those that are there; bytes, keys: roughly, and not compared."""
    actors: list[str] = field(default_factory=list)
    required: bool = True
    share_known: bool = True
    """Whether the share of the whole can be known: a creator without rhythm, of whom the log shows a part, is an extrapolation."""


@dataclass(slots=True)
class Expectation:
    """What is right with this evidence."""

    verdict: str
    """causes; healthy; nothing (NO VERDICT is right, anything else is made up)."""
    causes: list[Cause] = field(default_factory=list)
    unsure_is_right: bool = False
    """What is asked cannot be known with this evidence, so that saying so is the right answer (and not half of it)."""


def judgeable(scene: Scene, style: Style | None, written: Written | None) -> dict[str, Any]:
    """The truth file, as plain values."""
    shares = _shares(scene)
    healthy = not any(
        share >= LEAST_SHARE for (_, name), share in shares.items() if scene.actors[name].role == "culprit"
    )
    healthy = healthy and not scene.extra_causes
    expectations = {}
    for withheld in ("all", *EVIDENCE):
        given = {kind: kind != withheld and kind in scene.evidence for kind in EVIDENCE}
        expectations[withheld] = _expect(scene, shares, healthy, style=style, **given)
    actors = []
    for actor in scene.actors.values():
        record = asdict(actor)
        record["share"] = shares.get((actor.store, actor.name), 0.0)
        record["dated"] = _can_be_dated(scene, actor.store)
        record["log_lines"] = written.lines.get(actor.name, 0) if written else 0
        actors.append(record)
    busiest = max(written.clients.items(), key=lambda one: one[1]) if written and written.clients else None
    return {
        "schema": "necropsy-bench/truth/1", "seed": scene.seed, "kind": scene.kind, "parts": scene.parts,
        "healthy": healthy, "now_ms": scene.now_ms, "history_ms": scene.history_ms, "notes": scene.notes,
        "stores": [
            {"name": store.name, "layout": store.layout, "lifetime_s": store.lifetime_s,
             "sessions": len(scene.resident(store.name)), "people_share": sum(
                 share for (where, name), share in shares.items()
                 if where == store.name and scene.actors[name].role == "people"),
             "other_bytes": store.other_bytes, "seen": _share_seen(scene, store.name, style)}
            for store in scene.stores.values()
        ],
        "actors": actors, "tolerated": sorted(scene.tolerated | SELF_EVIDENT), "beside": sorted(scene.expected_beside),
        "log": None if style is None else {
            "format": style.format, "start_ms": style.start_ms, "end_ms": style.end_ms, "offset_ms": style.offset_ms,
            "sample": style.sample, "milliseconds": style.milliseconds,
        },
        "busiest_client": None if busiest is None else {
            "agent": busiest[0][0], "address": busiest[0][1],
            "share": busiest[1] / max(1, sum(written.clients.values() if written else [])),
        },
        "expect": {name: asdict(one) for name, one in expectations.items()},
    }  # fmt: skip


def _can_be_dated(scene: Scene, store: str) -> bool:
    """Whether anything in a store tells when its sessions were born: the session itself, or its expiry."""
    one = scene.stores[store]
    return not one.without_ttl or one.layout in (*DATED, "express")


def _share_seen(scene: Scene, store: str, style: Style | None) -> float:
    """Share of a store's sessions that were born in the log's time."""
    born = [session.born_ms for session in scene.resident(store)]
    if style is None or not born:
        return 0.0
    return sum(style.start_ms <= at <= style.end_ms for at in born) / len(born)


def _shares(scene: Scene) -> dict[tuple[str, str], float]:
    """Share of each store's live sessions by creator."""
    counts: dict[tuple[str, str], int] = {}
    totals: dict[str, int] = {}
    for name in scene.stores:
        for session in scene.resident(name):
            counts[name, session.creator] = counts.get((name, session.creator), 0) + 1
            totals[name] = totals.get(name, 0) + 1
    return {(store, actor): count / totals[store] for (store, actor), count in counts.items()}


def _expect(scene: Scene, shares: dict[tuple[str, str], float], healthy: bool, *, log: bool, dump: bool, configuration: bool,
            style: Style | None) -> Expectation:  # fmt: skip
    if not dump:
        return Expectation("nothing")
    causes: list[Cause] = []
    blind = False
    seen = {store: _share_seen(scene, store, style) if log else 0.0 for store in scene.stores}
    named: set[str] = set()
    for (store, name), share in sorted(shares.items(), key=lambda one: -one[1]):
        actor = scene.actors[name]
        if actor.role != "culprit":
            continue
        slugs, known = _accepted(actor, log=log and _seen(actor, style), configuration=configuration)
        if not log and actor.url and actor.url in named:  # a second prober of one URL: without a log, somebody unknown
            slugs = _add(slugs, "traffic/unlogged-creator")
        named.add(actor.url)
        certain = actor.rhythm in {"ticker", "drifting", "cron"} or seen[store] >= ENOUGH_SEEN
        known &= _can_be_dated(scene, store)
        blind |= not known and share >= LEAST_SHARE
        same = next((c for c in causes if c.slugs[0] == slugs[0] and c.store == store and c.required == known), None)
        if same is None:
            causes.append(Cause(slugs, store, share, actors=[name], required=known, share_known=certain))
        else:
            same.share_known &= certain
            same.share += share
            same.slugs = _add(same.slugs, *slugs)
            same.actors.append(name)
    for cause in causes:
        cause.required = cause.required and cause.share >= LEAST_SHARE
    causes += [Cause(slugs, store, share, of) for slugs, store, share, of in scene.extra_causes]
    causes.sort(key=lambda one: -one.share)
    if healthy:
        return Expectation("healthy", causes, unsure_is_right=min(seen.values()) < ENOUGH_SEEN)
    return Expectation("causes", causes, unsure_is_right=blind and not any(c.required for c in causes))


def _seen(actor: Actor, style: Style | None) -> bool:
    """Whether the log shows enough of it."""
    return style is not None and (
        not actor.in_log or (actor.first_ms < style.end_ms and actor.last_ms > style.start_ms)
    )


def _accepted(actor: Actor, *, log: bool, configuration: bool) -> tuple[tuple[str, ...], bool]:
    """Slugs that are right for it with this evidence, and whether it can be known at all."""
    configured = actor.in_configuration and configuration
    if log and actor.in_log:
        also = () if configured or not actor.in_configuration else ("traffic/bot-creates-sessions",)
        return _add(actor.slugs, *also), True
    if configured:
        return actor.slugs, actor.rhythm in {"ticker", "cron", "drifting"}
    anybody = ("traffic/unlogged-creator", "probes/creates-sessions", "traffic/bot-creates-sessions")
    return _add(actor.slugs, *anybody), actor.rhythm in {"ticker", "cron"}


def _add(slugs: tuple[str, ...], *more: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*slugs, *more)))
