"""Incidents in which something changed: restarts, half a fix, a fix of the application, late comers, clocks."""

from __future__ import annotations

from incidents import arrivals, machines
from incidents.kinds.checks import CHECK, around, draw_period, prober
from incidents.kinds.setting import Setting, innocents, people_beside, setting
from incidents.kinds.traffic import crawl
from incidents.scene import Check, Scene


def _finish(place: Setting, period: float, births: float) -> None:
    people_beside(place, births, place.chance.fork("finish").between(0.45, 0.97))
    innocents(place, around(place.scene, period))


def restarted(scene: Scene) -> None:
    """The prober was restarted once or twice: one phase ends, another begins. It is one prober."""
    period = draw_period(scene)
    place = setting(scene, rate_per_s=1 / period, servers=1)
    chance = place.chance.fork("restarts")
    port = chance.pick((80, 8080))
    cuts = sorted(chance.between(place.end - 0.9 * place.window, place.end) for _ in range(chance.whole(1, 2)))
    actor = prober(place, period, server=place.servers[0], port=port, end=cuts[0])
    for low, high in zip(cuts, [*cuts[1:], place.end], strict=True):
        times = arrivals.ticker(chance, low, high, period * 1000, 0.6)
        machines.ask(place.application, actor, times, chance, agent=actor.agents[0], addresses=actor.addresses, paths=(actor.path,),
                     server=place.servers[0] if port == 80 else None, host=place.address(place.servers[0]),
                     keeps_cookies=True)  # fmt: skip
    _finish(place, period, place.window / period / 1000)


def half_fixed(scene: Scene) -> None:
    """One of two servers was fixed some time ago: its check now asks /health; the other one goes on."""
    period = draw_period(scene)
    place = setting(scene, rate_per_s=2 / period, servers=2)
    chance = place.chance.fork("fix")
    agent = chance.pick(machines.PROBERS["blackbox"])
    fixed_at = place.end - place.window * chance.between(0.15, 1.3)
    port = chance.pick((80, 80, 8080))
    old = prober(place, period, server=place.servers[0], port=port, agent=agent, end=fixed_at)
    scene.checks.clear()
    old.in_configuration = False
    old.slugs = (*CHECK, "probes/partial-fix")
    place.scene.checks.append(Check("consul-blackbox", place.address(place.servers[0]), port, "/health", period))
    now_fine = place.actor(f"fixed-{place.servers[0]}", "innocent", agents=(agent,), addresses=(place.monitor,), path="/health",
                           period_s=period, rhythm="ticker", in_log=port == 80, in_configuration=True)  # fmt: skip
    times = arrivals.ticker(chance, fixed_at, place.end, period * 1000)
    machines.ask(place.application, now_fine, times, chance, agent=agent, addresses=(place.monitor,), paths=("/health",),
                 server=place.servers[0] if port == 80 else None, host=place.address(place.servers[0]))  # fmt: skip
    for other in (80, 8080) if chance.happens(0.5) else (80,):
        actor = prober(place, period, server=place.servers[1], port=other, agent=agent, consul=True)
        actor.slugs = (*CHECK, "probes/partial-fix")
    scene.expected_beside.add("probes/partial-fix")
    _finish(place, period, 1.5 * place.window / period / 1000)


def application_fixed(scene: Scene) -> None:
    """The application was fixed a while ago: the prober still asks ``/`` and makes nothing any more; its old sessions stay."""
    period = draw_period(scene)
    place = setting(scene, rate_per_s=1 / period, servers=1, styles=("open",))
    chance = place.chance.fork("fix")
    fixed_at = place.end - place.window * chance.between(0.2, 0.7)
    actor = prober(place, period, server=place.servers[0], end=fixed_at)
    times = arrivals.ticker(chance, fixed_at, place.end, period * 1000)
    machines.ask(place.application, actor, times, chance, agent=actor.agents[0], addresses=actor.addresses, server=place.servers[0],
                 host=place.address(place.servers[0]), creates=False)  # fmt: skip
    late = place.actor("late", "innocent", agents=(chance.pick(machines.PROBERS["uptime"]),), addresses=("34.1.2.3",), path="/",
                       period_s=15.0, rhythm="ticker")  # fmt: skip
    times = arrivals.ticker(chance, fixed_at, place.end, 15_000)
    machines.ask(place.application, late, times, chance, agent=late.agents[0], addresses=late.addresses, server=place.servers[0],
                 creates=False)  # fmt: skip
    scene.log_from = fixed_at - 0.15 * place.window
    _finish(place, period, (fixed_at - place.end + place.window) / period / 1000)


def late_prober(scene: Scene) -> None:
    """A crawler made the sessions; a prober that began only now asks the same page."""
    period = draw_period(scene)
    place = setting(scene, rate_per_s=0.5, sessions=(400, 4_000), styles=("guarded", "open"), servers=1)
    chance = place.chance.fork("late")
    births = chance.between(600, 3_000)
    crawl(place, births, chance.pick((1, 40)))
    begun = place.end - min(0.02 * place.window, 40 * period * 1000)
    actor = prober(place, period, server=place.servers[0], start=begun, configured=chance.happens(0.5))
    del actor
    _finish(place, period, births)


def clock_apart(scene: Scene) -> None:
    """The proxy's clock is an hour off: a time zone that was taken for UTC."""
    period = draw_period(scene)
    place = setting(scene, rate_per_s=1 / period, servers=1)
    chance = place.chance.fork("clock")
    scene.log_offset_ms = chance.pick((-1, 1, 2)) * 3_600_000.0 + chance.between(-50, 50)
    if chance.happens(0.6):
        prober(place, period, server=place.servers[0], port=80)
        births = place.window / period / 1000
    else:
        place.application.style = "open"
        births = chance.between(500, 3_000)
        crawl(place, births)
    _finish(place, period, births)


def sampled(scene: Scene) -> None:
    """The log holds only a part of the lines, drawn at random (the shipper samples)."""
    period = draw_period(scene)
    place = setting(scene, rate_per_s=1 / period, servers=1, styles=("guarded", "open"))
    chance = place.chance.fork("sample")
    scene.log_sample = chance.between(0.3, 0.9)
    if chance.happens(0.5):
        prober(place, period, server=place.servers[0], port=80)
        births = place.window / period / 1000
    else:
        births = chance.between(500, 3_000)
        crawl(place, births, chance.pick((1, 200)))
    _finish(place, period, births)


def zombie(scene: Scene) -> None:
    """Consul still lists a former registration of the server, without the health endpoint: it is asked for ``/``."""
    period = draw_period(scene)
    place = setting(scene, rate_per_s=1 / period, servers=1)
    chance = place.chance.fork("zombie")
    port = chance.pick((80, 8080))
    address = place.address(place.servers[0])
    agent = chance.pick(machines.PROBERS["blackbox"])
    actor = prober(place, period, server=place.servers[0], port=port, agent=agent, consul=True)
    actor.slugs = (*CHECK, "probes/zombie-service", "probes/partial-fix")
    scene.checks.clear()
    scene.checks.append(Check("zombie", address, port, "/", period))
    scene.checks.append(Check("registered", address, port, "/health", period))
    fine = place.actor("registered", "innocent", agents=(agent,), addresses=(place.monitor,), path="/health", period_s=period,
                       rhythm="ticker", in_log=port == 80, in_configuration=True)  # fmt: skip
    times = arrivals.ticker(chance, place.start, place.end, period * 1000)
    machines.ask(place.application, fine, times, chance, agent=agent, addresses=(place.monitor,), paths=("/health",),
                 server=place.servers[0] if port == 80 else None, host=address)  # fmt: skip
    scene.expected_beside.add("probes/zombie-service")
    _finish(place, period, place.window / period / 1000)
