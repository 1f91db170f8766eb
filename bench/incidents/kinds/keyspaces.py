"""Stores that are ill by themselves: sessions that never end, that are huge, that lost half; keys that are no sessions."""

from __future__ import annotations

from incidents.chance import Chance
from incidents.kinds.checks import around, draw_period, prober
from incidents.kinds.setting import Setting, crowd, innocents, people_beside, setting
from incidents.scene import Scene
from necropsy.lab.spring import pack

HOUR_MS = 3_600_000.0
ENDLESS_S = 2_147_483_647


def _endless(scene: Scene, **wanted: object) -> Setting:
    chance = scene.chance.fork("endless")
    layouts = {"spring-indexed": 3.0, "spring-plain": 1.0, "express": 2.0, "flask-msgpack": 0.5}
    place = setting(
        scene, lifetime_s=ENDLESS_S, history_ms=HOUR_MS * chance.log_between(5, 60), layouts=layouts, **wanted
    )  # type: ignore[arg-type]
    place.application.store.without_ttl = chance.happens(0.5)
    scene.extra_causes.append((("sessions/immortal",), place.application.store.name, 1.0, "sessions"))
    return place


def immortal(scene: Scene) -> None:
    """Sessions of people that never expire."""
    place = _endless(scene)
    crowd(place, place.chance.fork("size").log_between(300, 3_000))
    innocents(place, (10.0, 30.0))


def immortal_probed(scene: Scene) -> None:
    """Sessions that never expire, and a prober that makes them."""
    period = draw_period(scene, (15, 20, 30, 60))
    place = _endless(scene, servers=1)
    prober(place, period, server=place.servers[0], port=place.chance.fork("port").pick((80, 8080)))
    people_beside(place, place.window / period / 1000, place.chance.fork("finish").between(0.5, 0.97))
    innocents(place, around(scene, period))


def oversized(scene: Scene) -> None:
    """Some sessions carry a basket of tens of kilobytes, and are nearly all of the memory."""
    place = setting(scene)
    crowd(place, place.chance.fork("size").log_between(150, 600))
    chance = place.chance.fork("huge")
    share = chance.between(0.15, 0.8)
    sessions = scene.resident(place.application.store.name)
    for session in sessions:
        if chance.happens(share):
            session.padding = chance.whole(40_000, 110_000)
    scene.extra_causes.append((("sessions/oversized",), place.application.store.name, share, "bytes"))
    innocents(place, (10.0, 30.0))


def not_sessions(scene: Scene) -> None:
    """A cache or a queue beside the sessions is nearly all of the memory."""
    place = setting(scene)
    crowd(place, place.chance.fork("size").log_between(150, 800))
    chance = place.chance.fork("others")
    store = place.application.store
    store.others, store.other_bytes = _others(chance, scene.now_ms)
    scene.extra_causes.append((("memory/not-sessions",), store.name, 0.95, "bytes"))
    innocents(place, (10.0, 30.0))


def _others(chance: Chance, now: int) -> tuple[list[bytes], int]:
    commands: list[bytes] = []
    size = 0
    shape = chance.pick(("page", "queue", "model"))
    for number in range(chance.whole(1_500, 4_000)):
        body = chance.hex(16).encode() * chance.whole(250, 600)
        size += len(body)
        if shape == "queue":
            commands.append(pack(b"RPUSH", b"queue:mail:%d" % (number % 7), body))
        elif shape == "model":
            commands.append(pack(b"HSET", b"product:%d" % number, b"json", body, b"at", b"%d" % now))
        else:
            key = b"cache:page:%b" % chance.hex(12).encode()
            commands += [
                pack(b"SET", key, body),
                pack(b"PEXPIREAT", key, b"%d" % (now + chance.whole(60_000, 86_400_000))),
            ]
    return commands, size


def evicted(scene: Scene) -> None:
    """A full store under ``volatile-ttl``: the markers of many Spring sessions went, the hashes stayed."""
    period = draw_period(scene)
    place = setting(scene, rate_per_s=1 / period, layouts={"spring-indexed": 1.0}, servers=1)
    chance = place.chance.fork("evicted")
    store = place.application.store
    store.evicted_markers = chance.between(0.25, 0.6)
    scene.extra_causes.append((("sessions/evicted-halves",), store.name, store.evicted_markers, "keys"))
    if chance.happens(0.6):
        prober(place, period, server=place.servers[0])
        people_beside(place, place.window / period / 1000, chance.between(0.5, 0.95))
    else:
        crowd(place, chance.log_between(300, 2_000))
    innocents(place, around(scene, period))
