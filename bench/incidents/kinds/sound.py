"""Healthy incidents: people make their sessions, whatever else goes on."""

from __future__ import annotations

from incidents import arrivals, machines
from incidents.kinds.setting import Setting, crowd, innocents, setting
from incidents.people import Habits
from incidents.scene import Check, Scene


def _checks(place: Setting, *periods: float) -> None:
    chance = place.chance.fork("which")
    innocents(
        place, periods or tuple(chance.python.sample([1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0], chance.whole(1, 3)))
    )


def _size(place: Setting) -> float:
    return place.chance.fork("size").log_between(150, 2_500)


def office(scene: Scene) -> None:
    """Staff that logs in, and checks of the health endpoint."""
    place = setting(scene, styles=("guarded", "form"))
    crowd(place, _size(place))
    _checks(place)


def shop(scene: Scene) -> None:
    """Visitors of a shop, most of whom never log in: one visitor, one session."""
    place = setting(scene, styles=("open",))
    crowd(place, _size(place), Habits(logs_in=0.15, returns=0.2, pages=4, think_ms=15_000))
    _checks(place)


def growth(scene: Scene) -> None:
    """More people every hour."""
    place = setting(scene)
    chance = place.chance.fork("growth")
    count = _size(place) * (place.end - place.start) / place.window
    crowd(place, 0, times=arrivals.growing(chance, place.start, place.end, count, chance.between(3, 12)))
    _checks(place)


def campaign(scene: Scene) -> None:
    """A mail went out: ten times the visitors for an hour or two, all of them people."""
    place = setting(scene)
    chance = place.chance.fork("campaign")
    size = _size(place) * (place.end - place.start) / place.window
    begin = place.end - place.window * chance.between(0.3, 0.9)
    wave = begin + chance.numpy.gamma(2.0, place.window * chance.between(0.02, 0.06), int(size * 0.7))
    usual = arrivals.daily(chance, place.start, place.end, size * 0.3)
    times = arrivals.within(sorted_of(wave, usual), place.start, place.end)
    crowd(place, 0, times=times)
    _checks(place)


def sorted_of(*parts: arrivals.Times) -> arrivals.Times:
    import numpy as np

    return np.sort(np.concatenate(parts))


def keeps_cookies(scene: Scene) -> None:
    """Monitoring with a cookie jar asks ``/`` every few seconds: one session, over and over."""
    place = setting(scene)
    chance = place.chance.fork("jar")
    crowd(place, _size(place))
    agent = chance.pick((*machines.PROBERS["script"], *machines.PROBERS["uptime"]))
    address = place.monitor
    period = chance.pick((5.0, 10.0, 30.0))
    path = "/login" if place.application.style == "form" else "/"
    actor = place.actor(
        "jar", "innocent", agents=(agent,), addresses=(address,), path=path, period_s=period, rhythm="ticker"
    )
    times = arrivals.ticker(chance, place.start, place.end, period * 1000)
    machines.keep(
        place.application, actor, times, chance, agent=agent, address=address, path=path, server=place.servers[0]
    )
    _checks(place)


def checks_of_all_periods(scene: Scene) -> None:
    """Many innocent checks: the health endpoint is asked at the same, shorter and longer periods, and by Prometheus too."""
    place = setting(scene)
    crowd(place, _size(place))
    _checks(place, 5.0, 10.0, 10.0, 20.0, 30.0)
    for server in place.servers:
        scene.checks.append(Check("blackbox", place.address(server), 80, "/health", 30.0))


def lazy_crawler(scene: Scene) -> None:
    """A crawler on pages that make no session."""
    place = setting(scene)
    chance = place.chance.fork("lazy")
    crowd(place, _size(place))
    agent = chance.pick(machines.PROBERS["crawler"])
    addresses = tuple(f"66.249.{chance.whole(1, 250)}.{chance.whole(1, 250)}" for _ in range(chance.whole(1, 40)))
    actor = place.actor("crawler", "innocent", agents=(agent,), addresses=addresses[:8], path="/api/public/", rhythm="irregular",
                        address_count=len(addresses))  # fmt: skip
    times = arrivals.bursts(chance, place.start, place.end, chance.between(500, 4_000), 20, 2_000)
    machines.ask(
        place.application,
        actor,
        times,
        chance,
        agent=agent,
        addresses=addresses,
        paths=("/api/public/{}",),
        spread=True,
    )
    _checks(place)


def rotation(scene: Scene) -> None:
    """Every login makes a new session and drops the old one (session fixation is prevented)."""
    place = setting(scene, styles=("form", "open"))
    crowd(place, _size(place), Habits(logs_in=0.95, rotates="fresh"))
    _checks(place)


def one_address(scene: Scene) -> None:
    """Everybody comes from one address (an office behind NAT, or a proxy that hides addresses)."""
    place = setting(scene)
    address = place.chance.pick(("10.0.0.1", "203.0.113.7"))
    crowd(place, _size(place), Habits(logs_in=0.8, address=address))
    _checks(place)


def mended(scene: Scene) -> None:
    """The prober was taught the health endpoint so long ago that its sessions are gone."""
    place = setting(scene, lifetime_s=3_600, styles=("guarded", "open"))
    chance = place.chance.fork("mended")
    crowd(place, _size(place))
    agent = chance.pick(machines.PROBERS["blackbox"])
    for server in place.servers:
        actor = place.actor("mended", "innocent", agents=(agent,), addresses=(place.monitor,), path="/health", period_s=10.0,
                            rhythm="ticker", in_configuration=True)  # fmt: skip
        times = arrivals.ticker(chance, place.start, place.end, 10_000)
        machines.ask(place.application, actor, times, chance, agent=agent, addresses=(place.monitor,), paths=("/health",),
                     server=server, host=place.address(server))  # fmt: skip
        scene.checks.append(Check("blackbox", place.address(server), 80, "/health", 10.0))
    _checks(place)


def interface_users(scene: Scene) -> None:
    """Scripts that call an interface which makes no session, more often than people come."""
    place = setting(scene)
    chance = place.chance.fork("interface")
    crowd(place, _size(place))
    agent = chance.pick(machines.PROBERS["api"])
    address = f"{place.network}.{chance.whole(20, 240)}"
    actor = place.actor(
        "interface", "innocent", agents=(agent,), addresses=(address,), path="/api/public/", rhythm="irregular"
    )
    times = arrivals.poisson(chance, place.start, place.end, chance.between(1_000, 6_000))
    machines.ask(
        place.application,
        actor,
        times,
        chance,
        agent=agent,
        addresses=(address,),
        paths=("/api/public/{}",),
        spread=True,
    )
    _checks(place)


def bounces(scene: Scene) -> None:
    """Visitors from a search engine: one page, no asset in this log (they lie elsewhere), and gone."""
    place = setting(scene, styles=("open",))
    chance = place.chance.fork("bounces")
    habits = Habits(logs_in=0.03, returns=0.05, pages=chance.between(0.3, 1.2), think_ms=20_000, assets=0.0)
    crowd(place, _size(place), habits)
    _checks(place)


def application_users(scene: Scene) -> None:
    """A program on telephones keeps its cookie: one session a device, many calls."""
    place = setting(scene, styles=("open",))
    chance = place.chance.fork("devices")
    crowd(place, _size(place))
    agent = chance.pick(("okhttp/4.9.3", "Dart/3.1 (dart:io)", "CFNetwork/1410.0.3 Darwin/22.6.0"))
    for number in range(chance.whole(5, 25)):
        address = f"{chance.whole(60, 190)}.{chance.whole(0, 250)}.{chance.whole(0, 250)}.{chance.whole(1, 250)}"
        actor = place.actor(f"device-{number}", "innocent", agents=(agent,), addresses=(address,), path="/api/orders",
                            rhythm="irregular")  # fmt: skip
        times = arrivals.poisson(chance, place.start, place.end, chance.between(20, 120))
        machines.keep(place.application, actor, times, chance, agent=agent, address=address, path="/api/orders",
                      server=place.servers[0])  # fmt: skip
    _checks(place)
