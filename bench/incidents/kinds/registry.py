"""All kinds of incidents, in one tuple. A third of a run is healthy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from incidents.kinds import changes, checks, keyspaces, mixtures, sound, traffic
from incidents.scene import Scene


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its name and what fills a scene."""

    name: str
    fill: Callable[[Scene], None]
    healthy: bool = False

    @property
    def about(self) -> str:
        return (self.fill.__doc__ or "").partition("\n")[0]


KINDS: tuple[Kind, ...] = (
    Kind("prober-visible", checks.visible),
    Kind("prober-hidden", checks.hidden),
    Kind("prober-both", checks.both),
    Kind("replicas", checks.replicas),
    Kind("balancers", checks.balancers),
    Kind("kubelets", checks.kubelets),
    Kind("each-second", checks.each_second),
    Kind("cron", checks.cron),
    Kind("uptime", checks.uptime),
    Kind("follows-redirects", checks.follows_redirects),
    Kind("synthetic", checks.synthetic),
    Kind("crawler", traffic.crawler),
    Kind("crawler-redirected", traffic.crawler_redirected),
    Kind("crawler-many", traffic.crawler_many),
    Kind("crawler-disguised", traffic.crawler_disguised),
    Kind("api-client", traffic.api_client),
    Kind("login-loop", traffic.login_loop),
    Kind("burst-over", traffic.burst_over),
    Kind("sometimes", traffic.sometimes),
    Kind("restarted", changes.restarted),
    Kind("half-fixed", changes.half_fixed),
    Kind("application-fixed", changes.application_fixed),
    Kind("late-prober", changes.late_prober),
    Kind("clock-apart", changes.clock_apart),
    Kind("sampled", changes.sampled),
    Kind("zombie", changes.zombie),
    Kind("immortal", keyspaces.immortal),
    Kind("immortal-probed", keyspaces.immortal_probed),
    Kind("oversized", keyspaces.oversized),
    Kind("not-sessions", keyspaces.not_sessions),
    Kind("evicted", keyspaces.evicted),
    Kind("two", mixtures.two),
    Kind("three", mixtures.three),
    Kind("two-stores", mixtures.two_stores),
    Kind("signed-in", mixtures.signed_in),
    Kind("only-dump", mixtures.only_dump),
    Kind("only-log", mixtures.only_log),
    Kind("office", sound.office, healthy=True),
    Kind("shop", sound.shop, healthy=True),
    Kind("growth", sound.growth, healthy=True),
    Kind("campaign", sound.campaign, healthy=True),
    Kind("keeps-cookies", sound.keeps_cookies, healthy=True),
    Kind("innocent-checks", sound.checks_of_all_periods, healthy=True),
    Kind("lazy-crawler", sound.lazy_crawler, healthy=True),
    Kind("rotation", sound.rotation, healthy=True),
    Kind("one-address", sound.one_address, healthy=True),
    Kind("mended", sound.mended, healthy=True),
    Kind("only-dump-healthy", mixtures.only_dump_sound, healthy=True),
    Kind("bounces", sound.bounces, healthy=True),
    Kind("devices", sound.application_users, healthy=True),
    Kind("interface-users", sound.interface_users, healthy=True),
)

BY_NAME = {kind.name: kind for kind in KINDS}


def schedule(seed: int, count: int, names: tuple[str, ...] = (), *, exact: bool = False) -> list[tuple[int, str]]:
    """Return ``count`` pairs of seed and kind: every third healthy (unless ``exact``), all kinds as often as each other.

    >>> [kind for _, kind in schedule(7, 3)]
    ['prober-visible', 'prober-hidden', 'office']
    """
    chosen = [BY_NAME[name] for name in names] or list(KINDS)
    if exact:
        return [(seed + number, chosen[number % len(chosen)].name) for number in range(count)]
    ill = [kind for kind in chosen if not kind.healthy] or chosen
    sound_ones = [kind for kind in chosen if kind.healthy] or chosen
    pairs = []
    counts = {True: 0, False: 0}
    for number in range(count):
        healthy = number % 3 == 2
        kinds = sound_ones if healthy else ill
        pairs.append((seed + number, kinds[counts[healthy] % len(kinds)].name))
        counts[healthy] += 1
    return pairs
