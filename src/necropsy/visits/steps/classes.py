"""Visitor classes: visits alike in client, user agent, host, method, path pattern and status.

A million clients must not cost a gigabyte. Classes that come at a fixed interval are kept, and of the others so many as the
limit says, those with the most visits. The rest is folded in two steps: first the client becomes ``*`` (many people asking
the same page with the same browser), and where that still leaves too many, user agent, host and path become ``*`` too.
Nothing is dropped: visits and requests of all classes add up to those of the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import ibis
import ibis.expr.types as ir

from necropsy.visits.line_flags import EMPTY_BODY
from necropsy.visits.visit_blocks import BLOCK_US

_MINUTE_US: Final = 60_000_000
_CLASSES: Final = 1 << 32
"""More than there are minutes since 1970; what a class number is multiplied with, so that one number tells both."""


def visit(t: Mapping[str, ir.Table]) -> ir.Table:
    """One row a visit: keys of everything that tells classes apart, of that without the client, of method and status."""
    pages = t["page"].select("page_key", "pattern_key", "method_id")
    first = t["line"].anti_join(t["follower"], "number").inner_join(pages, "page_key")
    overflow_key = first.agent_key ^ first.host_key ^ first.pattern_key ^ first.status.cast("int64")
    return first.select(
        class_key=overflow_key ^ first.client_key,
        overflow_key=overflow_key,
        rest_key=first.method_id * 1024 + first.status,
        visitor_key=first.client_key ^ first.agent_key,
        time_us=first.time_us,
        number=first.number,
    )


def classes(t: Mapping[str, ir.Table]) -> ir.Table:
    """One row a class: visits, first and last time, and the number of a line that stands for it."""
    return (
        t["visit"]
        .group_by("class_key")
        .agg(
            visits=ibis._.count(),
            first_us=ibis._.time_us.min(),
            last_us=ibis._.time_us.max(),
            number=ibis._.number.min(),
            overflow_key=ibis._.overflow_key.min(),
            rest_key=ibis._.rest_key.min(),
        )
    )


def redirect_target(t: Mapping[str, ir.Table]) -> ir.Table:
    """Commonest target of the redirects of a class: a page may lead different people to different places.

    ``followed`` and ``most`` count the requests that followed: in all classes of a row, and in the one that has the most.
    """
    visits = t["visit"].select("number", "class_key").inner_join(t["chain"], "number")
    ways = visits.group_by("class_key", "followed_to").agg(times=ibis._.count(), followed=ibis._.followed.sum())
    by_times = ibis.window(group_by="class_key", order_by=[ibis.desc("times"), ibis.asc("followed_to")])
    ranked = ways.mutate(
        place=ibis.row_number().over(by_times), all_followed=ways.followed.sum().over(ibis.window(group_by="class_key"))
    )
    first = ranked.filter(ranked.place == 0)
    return first.select("class_key", "followed_to", followed="all_followed", most="all_followed")


def judged(t: Mapping[str, ir.Table], fewest: int) -> ir.Table:
    """Visits of the classes that come often enough to have a rhythm."""
    often = t["classes"].filter(ibis._.visits >= fewest)
    return t["visit"].semi_join(often, "class_key").select("class_key", "time_us")


def frequent_classes(t: Mapping[str, ir.Table], fewest: int) -> ir.Table:
    """Number of classes by their number of visits."""
    return t["classes"].filter(ibis._.visits >= fewest).agg(value=ibis._.count())


def kept(t: Mapping[str, ir.Table], classes: int) -> ir.Table:
    """Classes that are kept apart."""
    most = t["classes"].order_by([ibis.desc("visits"), "number"]).limit(classes).select("class_key")
    return most.union(t["rhythm"].select("class_key")).distinct()


def overflow_class(t: Mapping[str, ir.Table], classes: int) -> ir.Table:
    """Classes without their clients that are kept apart."""
    rest = t["classes"].anti_join(t["kept"], "class_key")
    sums = rest.group_by("overflow_key").agg(visits=ibis._.visits.sum(), number=ibis._.number.min())
    return sums.order_by([ibis.desc("visits"), "number"]).limit(classes).select("overflow_key")


def _placed(t: Mapping[str, ir.Table], classes: ir.Table) -> ir.Table:
    """Classes with where they go: ``level`` and ``place`` (the key there).

    On level 0 a class is itself, on 1 its clients are folded, on 2 all but method and status.
    """
    itself = t["kept"].mutate(itself=ibis.literal(value=True))
    crowded = t["overflow_class"].mutate(crowded=ibis.literal(value=True))
    every = classes.left_join(itself, "class_key").left_join(crowded, "overflow_key")
    level = ibis.cases((every.itself.notnull(), 0), (every.crowded.notnull(), 1), else_=2)
    place = ibis.cases(
        (level == 0, every.class_key), (level == 1, every.overflow_key), else_=every.rest_key.cast("int64")
    )
    return every.select(*(classes[name] for name in classes.columns), level=level, place=place)


def folded(t: Mapping[str, ir.Table]) -> ir.Table:
    """One row a class after folding, numbered from 0."""
    classes = _placed(t, t["classes"])
    sums = classes.group_by("level", "place").agg(
        visits=classes.visits.sum(),
        first_us=classes.first_us.min(),
        last_us=classes.last_us.max(),
        number=classes.number.min(),
    )
    ways = _placed(t, t["classes"].inner_join(t["redirect_target"], "class_key"))  # few: most visits lead nowhere
    same = ibis.window(group_by=["level", "place"])
    by_most = ibis.window(group_by=["level", "place"], order_by=[ibis.desc("most"), ibis.asc("followed_to")])
    ranked = ways.mutate(rank=ibis.row_number().over(by_most), all_followed=ways.followed.sum().over(same))
    first = ranked.filter(ranked.rank == 0).select("level", "place", "followed_to", "all_followed")
    rows = sums.left_join(first, ["level", "place"])
    order = ibis.window(order_by=["level", "first_us", "number"])
    return rows.select(
        *(sums[name] for name in sums.columns), "followed_to",
        class_id=ibis.row_number().over(order).cast("int32"),
        requests=sums.visits + ibis.coalesce(rows.all_followed, 0),
    )  # fmt: skip


def unanswered(t: Mapping[str, ir.Table]) -> ir.Table:
    """Number of pages that were answered without a body."""
    answers = _answers(t["line"])
    return answers.filter(answers.empty).agg(value=ibis._.count())


def shown(t: Mapping[str, ir.Table]) -> ir.Table:
    """Number of answers with a body, of each page that was shown."""
    answers = _answers(t["line"])
    return answers.group_by("page_key", "host_key", "status").agg(filled=ibis._.empty.ifelse(0, 1).sum())


def bare(t: Mapping[str, ir.Table]) -> ir.Table:
    """Pages that were shown without a body each time."""
    # Counted before they are joined: there are far fewer pages than lines.
    paged = t["shown"].inner_join(t["page"].select("page_key", "pattern_key"), "page_key")
    asked = paged.group_by("pattern_key", "host_key", "status").agg(filled=paged.filled.sum())
    return asked.filter(asked.filled == 0).select("pattern_key", "host_key", "status", bare=ibis.literal(1, "int8"))


def _answers(line: ir.Table) -> ir.Table:
    told = line.filter((line.status >= 200) & (line.status < 300))
    return told.select("page_key", "host_key", "status", empty=(told.flags.cast("int32") & EMPTY_BODY) == EMPTY_BODY)


def summed(t: Mapping[str, ir.Table]) -> ir.Table:
    """The same with keys and status of the line that stands for it, its page and whether that is bare, and its rhythm."""
    line = t["line"].select("number", "client_key", "agent_key", "host_key", "page_key", "status")
    standing = line.semi_join(t["folded"], "number")
    rows = t["folded"].inner_join(standing, "number")
    rows = rows.inner_join(t["page"].select("page_key", "pattern_key", "method", "path"), "page_key")
    rhythms = t["rhythm"].rename(place="class_key").mutate(level=ibis.literal(0, "int8"))
    judged = rows.left_join(rhythms, ["level", "place"])
    found = judged.left_join(t["bare"], ["pattern_key", "host_key", "status"])
    return found.select(
        *(rows[name] for name in rows.columns), "period_s", "phase_s", "phase_spread_s", "coverage", "probers",
        bare=(rows.level < 2) & found.bare.notnull(),
    )  # fmt: skip


def class_texts(t: Mapping[str, ir.Table]) -> ir.Table:
    """The texts behind the keys of those rows."""
    rows = t["summed"]
    keys = rows.filter(rows.level == 0).select(key="client_key")
    for name in ("agent_key", "host_key"):
        keys = keys.union(rows.filter(rows.level <= 1).select(key=name))
    return t["given"].semi_join(keys.distinct(), "key").group_by("key").agg(text=ibis._.text.min())


def _numbered(t: Mapping[str, ir.Table], visits: ir.Table) -> tuple[ir.Table, ir.Value]:
    """Return visits joined with the folded classes, and the number of the class of each."""
    rows = t["folded"].select("level", "place", "class_id")
    own = rows.filter(rows.level == 0).select(class_key="place", own_id="class_id")
    crowds = rows.filter(rows.level == 1).select(overflow_key="place", overflow_id="class_id")
    rest = rows.filter(rows.level == 2).select(rest_key=rows.place.cast("int32"), rest_id=rows.class_id)
    joined = visits.left_join(own, "class_key").left_join(crowds, "overflow_key").left_join(rest, "rest_key")
    return joined, ibis.coalesce(joined.own_id, joined.overflow_id, joined.rest_id)


def bins(t: Mapping[str, ir.Table]) -> ir.Table:
    """Visits by class and minute, both in one number: grouping and sorting by one is twice as fast as by two."""
    visits, class_id = _numbered(t, t["visit"])
    cells = visits.select(cell=class_id.cast("int64") * _CLASSES + visits.time_us // _MINUTE_US)
    return cells.group_by("cell").agg(visits=ibis._.count()).order_by("cell")


def busy(t: Mapping[str, ir.Table]) -> ir.Table:
    """Visits by block of time, and whether any of them has a time finer than a second."""
    visits = t["visit"]
    timed = visits.select(block=visits.time_us // BLOCK_US, fine=(visits.time_us % 1_000_000 != 0).ifelse(1, 0))
    return timed.group_by("block").agg(visits=ibis._.count(), fine=ibis._.fine.sum()).order_by("block")


def started(t: Mapping[str, ir.Table]) -> ir.Table:
    """Class, visitor and time of each visit within the blocks that are kept, in order of time."""
    visits = t["visit"]
    visits = visits.mutate(block=visits.time_us // BLOCK_US).semi_join(t["block"], "block")
    joined, class_id = _numbered(t, visits)
    rows = joined.select("time_us", "visitor_key", class_id=class_id.cast("int32"))
    return rows.order_by("time_us", "class_id", "visitor_key")
