"""Several creators at once, several stores, and incidents of which one kind of evidence is all that there is."""

from __future__ import annotations

from collections.abc import Callable

from incidents import arrivals, machines
from incidents.kinds import checks, sound, traffic
from incidents.kinds.checks import around, draw_period, prober
from incidents.kinds.setting import Setting, crowd, innocents, people_beside, setting
from incidents.scene import Actor, Scene

Part = Callable[[Setting, float, float], Actor]


def _visible(place: Setting, period: float, births: float) -> Actor:
    del births
    return prober(place, period, server=place.servers[0], port=80)


def _hidden(place: Setting, period: float, births: float) -> Actor:
    del births
    return prober(place, period, server=place.servers[-1], port=8081)


def _balancer(place: Setting, period: float, births: float) -> Actor:
    """One node of a load balancer; its timer drifts."""
    chance = place.chance.fork(f"node {len(place.actors)}")
    agent, address = chance.pick(machines.PROBERS["balancer"]), f"{place.network}.{chance.whole(20, 240)}"
    every = max(2.0, place.window / births / 1000)
    del period
    actor = place.actor("balancer", "culprit", slugs=checks.OUTSIDE, agents=(agent,), addresses=(address,), path="/",
                        period_s=every, rhythm="drifting")  # fmt: skip
    times = arrivals.drifting(
        chance, place.start, place.end, every * 1000, chance.between(1, 12), chance.between(0.5, 6)
    )
    machines.ask(place.application, actor, times, chance, agent=agent, addresses=(address,), server=place.servers[0],
                 host=place.address(place.servers[0]), follows=False)  # fmt: skip
    return actor


def _uptime(place: Setting, period: float, births: float) -> Actor:
    """An uptime service that spreads its checks over a part of the period."""
    chance = place.chance.fork(f"uptime {len(place.actors)}")
    agent, address = chance.pick(machines.PROBERS["uptime"]), traffic.public_addresses(place, 1)
    every = max(period, place.window / births / 1000)
    actor = place.actor("uptime", "culprit", slugs=checks.OUTSIDE, agents=(agent,), addresses=address, path="/", period_s=every,
                        rhythm="jittered")  # fmt: skip
    times = arrivals.jittered(chance, place.start, place.end, every * 1000, chance.between(0.02, 0.5))
    machines.ask(place.application, actor, times, chance, agent=agent, addresses=address, server=place.servers[0])
    return actor


def _disguised(place: Setting, period: float, births: float) -> Actor:
    """A crawler with thousands of addresses and one browser's name."""
    del period
    version = place.chance.fork("version").whole(60, 95)
    name = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.3987.1 Safari/537.36"
    return traffic.crawl(place, births, 2_500, name)


PARTS: dict[str, Part] = {
    "visible": _visible,
    "hidden": _hidden,
    "crawler": lambda place, _, births: traffic.crawl(place, births),
    "crawlers": lambda place, _, births: traffic.crawl(place, births, 300),
    "api": lambda place, _, births: traffic.call(place, births),
    "loop": lambda place, _, births: traffic.sign_in(place, births),
    "balancer": _balancer,
    "uptime": _uptime,
    "disguised": _disguised,
}


def _mixed(scene: Scene, count: int) -> None:
    chance = scene.chance.fork("mixture")
    names = chance.python.sample(list(PARTS), count)
    if "crawler" in names and "crawlers" in names:
        names[names.index("crawlers")] = (
            "visible" if "visible" not in names else "loop" if "loop" not in names else "hidden"
        )
    period = draw_period(scene, (5, 10, 15, 20, 30))
    place = setting(scene, rate_per_s=1 / period, sessions=(400, 3_000), styles=("guarded", "open"))
    base = place.window / period / 1000
    total = 0.0
    for name in names:
        births = base if name in {"visible", "hidden"} else base * chance.between(0.3, 1.5)
        PARTS[name](place, period, births)
        total += births
        scene.parts.append(name)
    people_beside(place, total, chance.between(0.5, 0.95))
    innocents(place, around(scene, period))


def two(scene: Scene) -> None:
    """Two creators at once."""
    _mixed(scene, 2)


def three(scene: Scene) -> None:
    """Three creators at once."""
    _mixed(scene, 3)


def two_stores(scene: Scene) -> None:
    """Two applications with a store each: one is probed, the other one is well (or has a crawler)."""
    period = draw_period(scene)
    one = setting(scene, rate_per_s=1 / period, sessions=(400, 3_000), servers=1)
    prober(one, period, server=one.servers[0], port=one.chance.fork("port").pick((80, 8080)))
    people_beside(one, one.window / period / 1000, one.chance.fork("finish").between(0.5, 0.97))
    other = setting(scene, sessions=(400, 3_000), servers=1, styles=("guarded", "open"))
    if other.chance.fork("ill").happens(0.4):
        births = other.chance.fork("wanted").between(400, 2_000)
        traffic.crawl(other, births)
        people_beside(other, births, 0.7)
    else:
        crowd(other, other.chance.fork("size").log_between(200, 1_500))
    innocents(one, (10.0,))
    innocents(other, (10.0,))


def only_dump(scene: Scene) -> None:
    """Nothing but a dump; a train of births is in it, or people are."""
    if scene.chance.fork("which").happens(0.6):
        scene.chance.fork("kind").pick((checks.visible, checks.hidden, checks.both, checks.cron))(scene)
    else:
        scene.chance.fork("kind").pick((traffic.crawler, traffic.login_loop))(scene)
    scene.evidence = ("dump",)


def only_log(scene: Scene) -> None:
    """Nothing but a log: of sessions nobody can tell."""
    scene.chance.fork("kind").pick((checks.visible, traffic.crawler, traffic.api_client))(scene)
    scene.evidence = ("log",)


def only_dump_sound(scene: Scene) -> None:
    """Nothing but a dump of a store that is well."""
    scene.chance.fork("kind").pick((sound.office, sound.shop))(scene)
    scene.evidence = ("dump",)


def signed_in(scene: Scene) -> None:
    """A check that sends credentials: every visit makes a session of somebody who is logged in."""
    period = draw_period(scene, (5, 10, 15, 30, 60))
    place = setting(scene, rate_per_s=1 / period, servers=1)
    chance = place.chance.fork("signed in")
    agent = chance.pick((*machines.PROBERS["script"], *machines.PROBERS["blackbox"]))
    actor = place.actor("signed-in", "culprit", slugs=(*checks.OUTSIDE, *traffic.LOOP), agents=(agent,), addresses=(place.monitor,),
                        path="/status", period_s=period, rhythm="ticker")  # fmt: skip
    times = arrivals.ticker(chance, place.start, place.end, period * 1000)
    machines.loop_login(place.application, actor, times, chance, agent=agent, address=place.monitor, server=place.servers[0],
                        path="/status", method="GET")  # fmt: skip
    people_beside(place, place.window / period / 1000, chance.between(0.5, 0.95))
    innocents(place, around(scene, period))
