"""Visits: a redirect and what followed it are one action of one client.

A prober asks ``GET /``, is sent to ``/login`` and follows: two lines of the log, one visit, one session. ::

    18:41:34  172.12.1.189:80  GET /       302                                  ┐ one visit: GET /, 302,
    18:41:34  172.12.1.189     GET /login  200   Referer http://172.12.1.189:80 ┘ followed to /login, 2 requests

Lines are put in order of time, those of one moment in the order of the log. Within one *flow* (same client and user
agent, and the same host) a run of redirects is followed by a run of other pages; the first of the one belongs to the
first of the other, the second to the second. So two probers that interleave in the same second come apart. Two rounds,
the second over what the first left:

1. by the page that the follower's Referer names, host and path (Go's HTTP client names the page that redirected it);
2. by host without port (a redirect may lose the port, as above; browsers do not name the page that redirected them).

Within each round, pairs that are mere coincidence are dropped: where a page redirects often, a follower must be seen
behind it more than now and then; and two redirects that seem to lead to each other, as often the one way as the other, are
two requests of a client that follows none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import ibis
import ibis.expr.types as ir

from necropsy.model.traffic import REDIRECTS

_COINCIDENCE: Final = 0.05
"""Share of a page's redirects that a follower must have, where there are enough of them to tell."""
_ENOUGH: Final = 20
_BACK: Final = 0.3
"""Of the times that one redirect seems to lead to another, how often the other leads back, from which neither does: a
client that follows none asks for both in turn."""

_HOP: Final = ("number", "time_us", "flow", "pattern_key", "bare_key", "free")


def redirect_candidates(t: Mapping[str, ir.Table], slack_us: int) -> ir.Table:
    """The redirects, and what the same client asked for within the slack after one, and a little more."""
    # Lines of the same client in the same or the next stretch of time: a join finds them, where a window would sort.
    line = t["line"]
    timed = line.select(
        "number", "time_us", "host_key", "page_key", "address_key", "referer_key",
        flow=line.client_key ^ line.agent_key,
        redirect=line.status.isin(REDIRECTS),
    )  # fmt: skip
    stretch = timed.time_us - timed.time_us % slack_us
    first = timed.filter(timed.redirect)
    begun = first.time_us - first.time_us % slack_us
    places = first.select(place=ibis.array([first.flow ^ begun, first.flow ^ (begun + slack_us)]).unnest())
    return timed.semi_join(places, (timed.flow ^ stretch) == places.place)


def redirects(t: Mapping[str, ir.Table]) -> ir.Table:
    """Number of lines that are redirects."""
    return t["redirect_candidates"].filter(ibis._.redirect).agg(value=ibis._.count())


def host(t: Mapping[str, ir.Table]) -> ir.Table:
    """Hosts of those lines, and a key for each host without its port."""
    hosts = t["given"].semi_join(t["redirect_candidates"], t["given"].key == t["redirect_candidates"].host_key)
    hosts = hosts.group_by("key").agg(text=ibis._.text.min())
    bare = hosts.select(host_key=hosts.key, bare=hosts.text.lower().re_replace(":[0-9]+$", ""))
    return bare.select("host_key", bare_key=bare.host_key.min().over(ibis.window(group_by="bare")))


def hop(t: Mapping[str, ir.Table]) -> ir.Table:
    """Those lines with the keys of their page and of their host without its port; all may follow."""
    hops, pages = t["redirect_candidates"], t["page"].select("page_key", "pattern_key")
    joined = hops.inner_join(pages, "page_key").left_join(t["host"], "host_key")
    return joined.select(
        "number", "time_us", "flow", "host_key", "address_key", "referer_key", "pattern_key", "redirect",
        bare_key=ibis.coalesce(joined.bare_key, 0),
        free=ibis.literal(value=True),
    )  # fmt: skip


def by_referer(t: Mapping[str, ir.Table]) -> ir.Table:
    """Hops under the key of their flow and of the page that redirected: redirects lead, those that name it follow.

    A Referer may name a page by its host alone.
    """
    hops = t["hop"]
    leading = hops.filter(hops.redirect & (hops.address_key != 0))
    names = leading.select(name="address_key").union(leading.select(name="host_key")).distinct()
    names = names.semi_join(hops, names.name == hops.referer_key)
    named = leading.mutate(name=leading.address_key).union(
        leading.filter(leading.host_key != leading.address_key).mutate(name=ibis._.host_key)
    )
    named = named.semi_join(names, "name")
    following = hops.semi_join(names, hops.referer_key == names.name)
    return named.select(*_HOP, key=named.flow ^ named.name, leads=ibis.literal(1), what=ibis.literal(1, "int64")).union(
        following.select(
            *_HOP, key=following.flow ^ following.referer_key, leads=ibis.literal(0), what=ibis.literal(0, "int64")
        )
    )


def by_host(t: Mapping[str, ir.Table]) -> ir.Table:
    """Hops under the key of their flow and of their host without its port."""
    hops = t["hop"]
    return hops.select(*_HOP, key=hops.flow ^ hops.bare_key, leads=hops.redirect.ifelse(1, 0), what=hops.pattern_key)


def pair_count(t: Mapping[str, ir.Table]) -> ir.Table:
    """Number of times that a page followed another, and of those in which it led on itself."""
    guesses = t["guess"]
    return guesses.group_by("from_pattern", "to_pattern").agg(seen=guesses.count(), onward=guesses.onward.sum())


def typical_pair(t: Mapping[str, ir.Table]) -> ir.Table:
    """Pairs of pages of which one follows the other more often than by coincidence, and not as often the other way round."""
    seen = t["pair_count"]
    all_seen = seen.mutate(all_seen=seen.seen.sum().over(ibis.window(group_by="from_pattern")))
    often = all_seen.filter((all_seen.all_seen < _ENOUGH) | (all_seen.seen >= _COINCIDENCE * all_seen.all_seen))
    back = seen.select(from_pattern="to_pattern", to_pattern="from_pattern", back="onward")
    both = often.left_join(back, ["from_pattern", "to_pattern"])
    alone = both.filter((both.onward <= 0.5 * both.seen) | (ibis.coalesce(both.back, 0) < _BACK * both.seen))
    return alone.select("from_pattern", "to_pattern")


def coincidences(t: Mapping[str, ir.Table]) -> ir.Table:
    """Number of guesses that are mere coincidence."""
    rare = t["pair_count"].anti_join(t["typical_pair"], ["from_pattern", "to_pattern"])
    return rare.agg(value=ibis.coalesce(ibis._.seen.sum(), 0))


def typical(t: Mapping[str, ir.Table]) -> ir.Table:
    """Pairs of a redirect and its follower, with the page that redirects, and whether the follower does, too."""
    kept = t["guess"].semi_join(t["typical_pair"], ["from_pattern", "to_pattern"])
    return kept.group_by("number", "flow").agg(
        follower=ibis._.follower.min(), from_pattern=ibis._.from_pattern.min(), onward=ibis._.onward.max()
    )


def bystander(t: Mapping[str, ir.Table]) -> ir.Table:
    """Lines that only pass by: no redirects, and of pages that no redirect of this log leads to."""
    others = t["hop"].filter(~t["hop"].redirect)
    return others.anti_join(t["typical_pair"], others.pattern_key == t["typical_pair"].to_pattern).select("number")


def ambiguous(t: Mapping[str, ir.Table]) -> ir.Table:
    """Keys with a passer-by under them: their guesses are made again. Those of all others would be the same."""
    return t["keyed"].semi_join(t["bystander"], "number").select("key").distinct()


def confirmed_pair(t: Mapping[str, ir.Table]) -> ir.Table:
    """Guesses of the other keys."""
    return t["guess"].anti_join(t["ambiguous"], "key")


def retried(t: Mapping[str, ir.Table]) -> ir.Table:
    """Lines under doubtful keys, without the passers-by."""
    # Not an anti-join beside the semi-join: Ibis writes two of them in words that PostgreSQL does not have.
    lines = t["keyed"]
    joined = lines.left_join(t["bystander"].mutate(passing=ibis.literal(value=True)), "number")
    kept = joined.filter(joined.passing.isnull()).select(*(lines[name] for name in lines.columns))
    return kept.semi_join(t["ambiguous"], "key")


def merged_pairs(t: Mapping[str, ir.Table]) -> ir.Table:
    """All guesses."""
    return t["confirmed_pair"].union(t["guess"])


def unpaired(t: Mapping[str, ir.Table]) -> ir.Table:
    """Hops that the first round left: what led leads no more, what followed is not free any more."""
    hops, pairs = t["hop"], t["first_pair"]
    led = pairs.select(number="number", led=ibis.literal(value=True))
    followed = pairs.select(number="follower", followed=ibis.literal(value=True))
    joined = hops.left_join(led, "number").left_join(followed, "number")
    now = joined.select(
        **{name: hops[name] for name in hops.columns if name not in {"redirect", "free"}},
        redirect=hops.redirect & joined.led.isnull(),
        free=hops.free & joined.followed.isnull(),
    )
    return now.filter(now.redirect | now.free)


def pair(t: Mapping[str, ir.Table]) -> ir.Table:
    """Pairs of both rounds, with their flow."""
    return t["first_pair"].union(t["second_pair"])


def chain(t: Mapping[str, ir.Table]) -> ir.Table:
    """Visits of several requests: the line that began each, how many followed, and the page of the last."""
    # Of all lines, only those near a redirect can have followed one: the others need not be looked through.
    walked = t["follower"].inner_join(t["redirect_candidates"].select("number", "page_key"), "number")
    walked = walked.inner_join(t["page"].select("page_key", "path"), "page_key")
    return walked.group_by(number=walked.root).agg(
        followed=walked.count(), followed_to=walked.path.argmax(walked.place)
    )
