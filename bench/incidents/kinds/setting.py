"""Where an incident plays: one application with its store, its proxies, and the time that it has been running."""

from __future__ import annotations

from dataclasses import dataclass, field

from incidents import arrivals, machines, people
from incidents.application import STYLES, Application
from incidents.chance import Chance
from incidents.people import Habits
from incidents.scene import Actor, Check, Scene, Store
from incidents.stores import DATED

LIFETIMES_S = (900, 1_800, 2_700, 3_600, 7_200, 14_400, 28_800, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_678_400)
LAYOUTS = {"spring-indexed": 6.0, "spring-plain": 2.0, "spring-reactive": 1.0, "express": 3.0, "flask-pickle": 1.5,
           "flask-msgpack": 1.0, "django": 1.5}  # fmt: skip
HOUR_MS = 3_600_000.0


@dataclass
class Setting:
    """One application of a scene, and what is needed to send somebody there."""

    scene: Scene
    chance: Chance
    application: Application
    start: float
    end: float
    servers: tuple[str, ...]
    monitor: str
    """Address of the machine that monitors."""
    network: str
    logs_address: bool = True
    actors: list[Actor] = field(default_factory=list)

    @property
    def window(self) -> float:
        """Milliseconds of births that can still be in the store."""
        return min(self.end - self.start, self.application.store.lifetime_s * 1000.0)

    def actor(self, name: str, role: str, **facts: object) -> Actor:
        """Add an actor under a name of its own."""
        base, number = name, 2
        while name in self.scene.actors:
            name, number = f"{base}-{number}", number + 1
        actor = Actor(name=name, role=role, store=self.application.store.name, **facts)  # type: ignore[arg-type]
        self.scene.actors[name] = actor
        self.actors.append(actor)
        return actor

    def address(self, server: str) -> str:
        return self.scene.servers[server]


def setting(scene: Scene, *, rate_per_s: float | None = None, sessions: tuple[float, float] = (500, 6_000),
            layouts: dict[str, float] | None = None, styles: tuple[str, ...] = STYLES, name: str = "", servers: int | None = None,
            lifetime_s: int | None = None, history_ms: float | None = None) -> Setting:  # fmt: skip
    """Draw an application whose store can hold what a creator of ``rate_per_s`` makes, within ``sessions``."""
    chance = scene.chance.fork(f"setting{len(scene.stores)}")
    layout = chance.weighted(layouts or LAYOUTS)
    style = chance.pick(styles)
    if layout.startswith("flask-pickle"):
        style = "open" if "open" in styles else style
    fitting = [
        life for life in LIFETIMES_S
        if rate_per_s is None or rate_per_s * min(life, 129_600) >= sessions[0]
    ] or [129_600]  # fmt: skip
    life = lifetime_s or chance.pick(fitting)
    span = life * 1000.0 * chance.between(1.05, 1.5) if life <= 86_400 else 86_400_000.0 * chance.between(0.35, 1.5)
    if rate_per_s is not None and rate_per_s * min(span / 1000, life) > sessions[1]:
        # a store that was emptied, or an application that was deployed, not long ago
        span = sessions[1] / rate_per_s * 1000 * chance.between(0.6, 1.0)
    span = history_ms or span
    title = name or chance.pick(("shop", "admin", "portal", "intranet", "booking", "crm"))
    while title in scene.stores:
        title += "-b"
    store = Store(title, layout, life)
    if layout.startswith("spring") and chance.happens(0.3):
        store.namespace = f"{title}:session" if chance.happens(0.5) else f"spring:session:{title}"
    scene.stores[title] = store
    scene.history_ms = max(scene.history_ms, span)
    network = f"10.{chance.whole(0, 250)}.{chance.whole(0, 250)}"
    host = f"{title}.{chance.pick(('example.org', 'example.com', 'corp.example', 'example.net'))}"
    names = []
    for number in range(servers or chance.weighted({1: 4, 2: 4, 3: 1})):
        server = f"{title}{number + 1}"
        scene.servers[server] = f"{network}.{10 + number}"
        scene.hosts[server] = host
        names.append(server)
    application = Application(scene, title, style, host, tuple(names), chance.log_between(3, 40))
    return Setting(scene, chance, application, scene.now_ms - span, float(scene.now_ms), tuple(names),
                   f"{network}.{chance.whole(100, 250)}", network)  # fmt: skip


def crowd(place: Setting, sessions: float, habits: Habits | None = None, times: arrivals.Times | None = None) -> Actor:
    """People of whom about ``sessions`` sessions are in the store at the end."""
    chance = place.chance.fork("people")
    actor = place.actor("people", "people", path="/", rhythm="irregular", address_count=10_000)
    arriving = sessions / (1 - 0.12) * (place.end - place.start) / place.window
    if times is None:
        times = arrivals.daily(
            chance, place.start, place.end, arriving, chance.between(8, 18), chance.between(0.3, 0.95)
        )
    style = place.application.style
    habits = habits or Habits(
        logs_in=chance.between(0.6, 0.95) if style != "open" else chance.between(0.1, 0.6),
        returns=chance.between(0.05, 0.45), pages=chance.between(1.5, 7), think_ms=chance.between(6_000, 40_000),
        rotates="fresh" if place.application.store.layout.startswith(("express", "django", "flask")) and chance.happens(0.5) else "rename",
    )  # fmt: skip
    people.live(place.application, actor, times, habits, chance,
                entries=("/", "/", "/orders/{}") if style != "open" else ("/", "/", "/products/{}", "/news/{}"))  # fmt: skip
    return actor


def people_beside(place: Setting, births: float, share: float) -> Actor:
    """So many people that creators of ``births`` sessions have about this share."""
    return crowd(place, max(12.0, births * (1 - share) / share))


def innocents(place: Setting, periods: tuple[float, ...], *, configured: bool = True) -> None:
    """Checks of the health endpoint, one for each period, at every proxy; they create nothing."""
    chance = place.chance.fork("innocents")
    families = ["balancer", "consul", "kubelet", "uptime", "blackbox"]
    chance.python.shuffle(families)
    for number, period in enumerate(periods):
        family = families[number % len(families)]
        agent = chance.pick(machines.PROBERS[family]) or "HAProxy"
        for server in place.servers:
            actor = place.actor(f"innocent-{family}-{server}", "innocent", agents=(agent,), path="/health", period_s=period,
                                rhythm="drifting" if family in {"balancer", "consul"} else "ticker",
                                in_configuration=configured and family == "consul")  # fmt: skip
            draw = arrivals.drifting if actor.rhythm == "drifting" else arrivals.ticker
            times = draw(chance, place.start, place.end, period * 1000)
            address = "127.0.0.1" if family == "consul" else f"{place.network}.{chance.whole(30, 90)}"
            actor.addresses = (address,)
            host = "localhost" if family == "consul" else place.address(server)
            machines.ask(place.application, actor, times, chance, agent=agent, addresses=(address,), paths=("/health",),
                         server=server, host=host)  # fmt: skip
            if actor.in_configuration:
                place.scene.checks.append(
                    Check("consul", place.address(server), 80, "/health", period, service=place.application.store.name)
                )


def dated(place: Setting) -> bool:
    """Whether the sessions of this store tell when they were born."""
    return place.application.store.layout in DATED
