"""Traffic that creates sessions: crawlers, clients that drop cookies, login loops, bursts."""

from __future__ import annotations

from incidents import arrivals, machines
from incidents.kinds.setting import Setting, innocents, people_beside, setting
from incidents.scene import Scene

CRAWLER = ("traffic/bot-creates-sessions", "traffic/client-drops-cookie")
CLIENT = ("traffic/client-drops-cookie", "traffic/bot-creates-sessions")
LOOP = ("traffic/login-loop", "traffic/client-drops-cookie", "traffic/bot-creates-sessions")
STYLES = ("guarded", "open")


def _public(place: Setting, count: int) -> tuple[str, ...]:
    random = place.chance.python
    head = random.randrange(40, 200)
    return tuple(
        f"{head}.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(1, 255)}" for _ in range(count)
    )


def _finish(place: Setting, births: float) -> None:
    chance = place.chance.fork("finish")
    people_beside(place, births, chance.between(0.4, 0.95))
    innocents(place, tuple(chance.python.sample([5.0, 10.0, 15.0, 30.0], chance.whole(1, 2))))


def _crawl(scene: Scene, addresses: int, agent: str = "") -> Setting:
    place = setting(scene, rate_per_s=0.5, sessions=(300, 4_000), styles=STYLES)
    chance = place.chance.fork("crawler")
    wanted = chance.between(400, 3_500)
    agent = agent or chance.pick(machines.PROBERS["crawler"])
    crowd = _public(place, addresses)
    actor = place.actor("crawler", "culprit", slugs=CRAWLER, agents=(agent,), addresses=crowd[:8], address_count=len(crowd),
                        path="/products/", paths=("/", "/news/"), rhythm="irregular")  # fmt: skip
    count = wanted * (place.end - place.start) / place.window
    times = arrivals.bursts(chance, place.start, place.end, count, chance.whole(3, 60), chance.log_between(300, 20_000))
    machines.ask(place.application, actor, times, chance, agent=agent, addresses=crowd, paths=("/products/{}", "/", "/news/{}"),
                 spread=True, follows=chance.happens(0.5))  # fmt: skip
    _finish(place, wanted)
    return place


def crawler(scene: Scene) -> None:
    """A crawler with one address."""
    _crawl(scene, 1)


def crawler_many(scene: Scene) -> None:
    """A crawler with hundreds or thousands of addresses."""
    _crawl(scene, scene.chance.fork("addresses").pick((200, 800, 3_000)))


def crawler_disguised(scene: Scene) -> None:
    """A crawler with thousands of addresses and a browser's name: no cookie comes back, no asset is fetched."""
    agent = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{scene.chance.whole(70, 95)}.0.4389.90 Safari/537.36"
    place = _crawl(scene, 3_000, agent)
    place.scene.actors["crawler"].slugs = (*CRAWLER, "probes/creates-sessions")


def api_client(scene: Scene) -> None:
    """Clients of an interface that never send the cookie back."""
    place = setting(scene, rate_per_s=0.4, sessions=(300, 4_000), styles=STYLES)
    chance = place.chance.fork("api")
    wanted = chance.between(400, 3_500)
    agent = chance.pick(machines.PROBERS["api"])
    addresses = tuple(f"{place.network}.{chance.whole(20, 240)}" for _ in range(chance.whole(1, 5)))
    actor = place.actor("api-client", "culprit", slugs=CLIENT, agents=(agent,), addresses=addresses, address_count=len(addresses),
                        path="/api/orders", rhythm="irregular")  # fmt: skip
    count = wanted * (place.end - place.start) / place.window
    draw = chance.pick((arrivals.poisson, arrivals.daily))
    times = draw(chance, place.start, place.end, count)
    machines.ask(place.application, actor, times, chance, agent=agent, addresses=addresses, paths=("/api/orders/{}", "/api/orders"),
                 spread=True, follows=False)  # fmt: skip
    _finish(place, wanted)


def login_loop(scene: Scene) -> None:
    """A script that logs in before every call, and forgets the cookie."""
    place = setting(scene, rate_per_s=0.3, sessions=(300, 4_000))
    chance = place.chance.fork("loop")
    agent = chance.pick(machines.PROBERS["api"])
    address = f"{place.network}.{chance.whole(20, 240)}"
    regular = chance.happens(0.5)
    wanted = chance.between(400, 3_000)
    count = wanted * (place.end - place.start) / place.window
    period = (place.end - place.start) / count
    path = chance.pick(("/login", "/api/login", "/oauth/token"))
    actor = place.actor("login-loop", "culprit", slugs=LOOP, agents=(agent,), addresses=(address,), path=path,
                        period_s=period / 1000 if regular else None, rhythm="drifting" if regular else "irregular")  # fmt: skip
    times = (arrivals.drifting(chance, place.start, place.end, period, 60, 40) if regular
             else arrivals.poisson(chance, place.start, place.end, count))  # fmt: skip
    machines.loop_login(
        place.application, actor, times, chance, agent=agent, address=address, server=place.servers[0], path=path
    )
    _finish(place, wanted)


def burst_over(scene: Scene) -> None:
    """A crawl or a load test that ended hours ago; what it left is still there."""
    place = setting(scene, rate_per_s=0.3, sessions=(300, 4_000), styles=STYLES)
    chance = place.chance.fork("burst")
    wanted = chance.between(500, 4_000)
    oldest = place.end - place.window
    start = oldest + place.window * chance.between(0.05, 0.5)
    end = start + place.window * chance.between(0.05, 0.3)
    agent = chance.pick(
        ("ApacheBench/2.3", "k6/0.45.0 (https://k6.io/)", *machines.PROBERS["script"], *machines.PROBERS["crawler"])
    )
    address = _public(place, 1)
    actor = place.actor(
        "burst",
        "culprit",
        slugs=CRAWLER,
        agents=(agent,),
        addresses=address,
        path="/",
        paths=("/products/",),
        rhythm="irregular",
    )
    times = arrivals.poisson(chance, start, end, wanted)
    machines.ask(place.application, actor, times, chance, agent=agent, addresses=address, paths=("/", "/products/{}"), spread=True,
                 follows=False)  # fmt: skip
    scene.log_from = start - 0.1 * place.window
    _finish(place, wanted)
