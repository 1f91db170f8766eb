"""Traffic that creates sessions: crawlers, clients that drop cookies, login loops, bursts.

A part (``crawl``, ``call``, ``sign_in``) adds one such actor with so many sessions; a kind sets a scene for it.
"""

from __future__ import annotations

from incidents import arrivals, machines
from incidents.kinds.setting import Setting, innocents, people_beside, setting
from incidents.scene import Actor, Scene

CRAWLER = ("traffic/bot-creates-sessions", "traffic/client-drops-cookie")
CLIENT = ("traffic/client-drops-cookie", "traffic/bot-creates-sessions")
LOOP = ("traffic/login-loop", "traffic/client-drops-cookie", "traffic/bot-creates-sessions")
STYLES = ("guarded", "open")


def public_addresses(place: Setting, count: int) -> tuple[str, ...]:
    """Addresses of one provider."""
    random = place.chance.python
    head = random.randrange(40, 200)
    return tuple(
        f"{head}.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(1, 255)}" for _ in range(count)
    )


def visits_for(place: Setting, births: float) -> float:
    """Visits in all its time for so many sessions in the store at the end."""
    return births * (place.end - place.start) / place.window


def crawl(place: Setting, births: float, addresses: int = 1, agent: str = "", *, follows: bool | None = None) -> Actor:
    """A crawler, in bursts, from one address or many."""
    chance = place.chance.fork(f"crawler {len(place.actors)}")
    agent = agent or chance.pick(machines.PROBERS["crawler"])
    crowd = public_addresses(place, addresses)
    actor = place.actor("crawler", "culprit", slugs=CRAWLER, agents=(agent,), addresses=crowd[:8], address_count=len(crowd),
                        path="/products/", paths=("/", "/news/"), rhythm="irregular")  # fmt: skip
    times = arrivals.bursts(
        chance, place.start, place.end, visits_for(place, births), chance.whole(3, 60), chance.log_between(300, 20_000)
    )
    machines.ask(place.application, actor, times, chance, agent=agent, addresses=crowd, paths=("/products/{}", "/", "/news/{}"),
                 spread=True, follows=chance.happens(0.5) if follows is None else follows)  # fmt: skip
    return actor


def call(place: Setting, births: float, share_creating: float = 1.0) -> Actor:
    """Clients of an interface that never send the cookie back."""
    chance = place.chance.fork(f"api {len(place.actors)}")
    agent = chance.pick(machines.PROBERS["api"])
    addresses = tuple(f"{place.network}.{chance.whole(20, 240)}" for _ in range(chance.whole(1, 5)))
    actor = place.actor("api-client", "culprit", slugs=CLIENT, agents=(agent,), addresses=addresses,
                        address_count=len(addresses), path="/api/orders", rhythm="irregular")  # fmt: skip
    draw = chance.pick((arrivals.poisson, arrivals.daily))
    times = draw(chance, place.start, place.end, visits_for(place, births) / share_creating)
    machines.ask(place.application, actor, times, chance, agent=agent, addresses=addresses, paths=("/api/orders/{}", "/api/orders"),
                 spread=True, follows=False, share_creating=share_creating)  # fmt: skip
    return actor


def sign_in(place: Setting, births: float) -> Actor:
    """A script that logs in before every call, and forgets the cookie."""
    chance = place.chance.fork(f"loop {len(place.actors)}")
    agent = chance.pick(machines.PROBERS["api"])
    address = f"{place.network}.{chance.whole(20, 240)}"
    regular = chance.happens(0.5)
    count = visits_for(place, births)
    period = (place.end - place.start) / count
    path = chance.pick(("/login", "/api/login", "/oauth/token"))
    actor = place.actor("login-loop", "culprit", slugs=LOOP, agents=(agent,), addresses=(address,), path=path,
                        period_s=period / 1000 if regular else None, rhythm="drifting" if regular else "irregular")  # fmt: skip
    if regular:
        times = arrivals.drifting(chance, place.start, place.end, period, 60, 40)
    else:
        times = arrivals.poisson(chance, place.start, place.end, count)
    machines.loop_login(
        place.application, actor, times, chance, agent=agent, address=address, server=place.servers[0], path=path
    )
    return actor


def _finish(place: Setting, births: float) -> None:
    chance = place.chance.fork("finish")
    people_beside(place, births, chance.between(0.4, 0.95))
    innocents(place, tuple(chance.python.sample([5.0, 10.0, 15.0, 30.0], chance.whole(1, 2))))


def _public(scene: Scene) -> tuple[Setting, float]:
    place = setting(scene, rate_per_s=0.5, sessions=(300, 4_000), styles=STYLES)
    return place, place.chance.fork("wanted").between(400, 3_500)


def crawler(scene: Scene) -> None:
    """A crawler with one address."""
    place, births = _public(scene)
    crawl(place, births)
    _finish(place, births)


def crawler_redirected(scene: Scene) -> None:
    """A crawler that follows each page's redirect to the login page, and brings no cookie along: two sessions a visit."""
    place, births = _public(scene)
    place.application.style, place.application.login_page_starts, place.application.saves_requests = (
        "guarded",
        True,
        False,
    )
    crawl(place, births / 2, follows=True)
    _finish(place, births)


def crawler_many(scene: Scene) -> None:
    """A crawler with hundreds or thousands of addresses."""
    place, births = _public(scene)
    crawl(place, births, place.chance.fork("addresses").pick((200, 800, 3_000)))
    _finish(place, births)


def crawler_disguised(scene: Scene) -> None:
    """A crawler with thousands of addresses and a browser's name: no cookie comes back, no asset is fetched."""
    version = f"{scene.chance.whole(70, 95)}.0.4389.90"
    agent = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version} Safari/537.36"
    place, births = _public(scene)
    crawl(place, births, 3_000, agent)
    _finish(place, births)


def api_client(scene: Scene) -> None:
    """Clients of an interface that never send the cookie back."""
    place, births = _public(scene)
    call(place, births)
    _finish(place, births)


def sometimes(scene: Scene) -> None:
    """A client of which only every other request makes a session (some carry a token)."""
    place, births = _public(scene)
    call(place, births, place.chance.fork("sometimes").between(0.25, 0.75))
    _finish(place, births)


def login_loop(scene: Scene) -> None:
    """A script that logs in before every call, and forgets the cookie."""
    place = setting(scene, rate_per_s=0.3, sessions=(300, 4_000))
    births = place.chance.fork("wanted").between(400, 3_000)
    sign_in(place, births)
    _finish(place, births)


def burst_over(scene: Scene) -> None:
    """A crawl or a load test that ended hours ago; what it left is still there."""
    place = setting(scene, rate_per_s=0.3, sessions=(300, 4_000), styles=STYLES)
    chance = place.chance.fork("burst")
    wanted = chance.between(500, 4_000)
    oldest = place.end - place.window
    start = oldest + place.window * chance.between(0.05, 0.5)
    end = start + place.window * chance.between(0.05, 0.3)
    tools = ("ApacheBench/2.3", "k6/0.45.0 (https://k6.io/)")
    agent = chance.pick((*tools, *machines.PROBERS["script"], *machines.PROBERS["crawler"]))
    address = public_addresses(place, 1)
    actor = place.actor("burst", "culprit", slugs=CRAWLER, agents=(agent,), addresses=address, path="/", paths=("/products/",),
                        rhythm="irregular")  # fmt: skip
    times = arrivals.poisson(chance, start, end, wanted)
    machines.ask(place.application, actor, times, chance, agent=agent, addresses=address, paths=("/", "/products/{}"), spread=True,
                 follows=False)  # fmt: skip
    scene.log_from = start - 0.1 * place.window
    _finish(place, wanted)
