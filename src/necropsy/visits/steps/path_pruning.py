"""Prune path templates: where one path has very many children, only the frequent ones keep their names.

``/users/alice`` holds a name that folding by shape (``pages`` of the reader) cannot know from a word.
"""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir


def counted(t: Mapping[str, ir.Table]) -> ir.Table:
    """Number of requests of each page."""
    return t["line"].group_by("page_key").agg(requests=ibis._.count())


def asked(t: Mapping[str, ir.Table]) -> ir.Table:
    """Pages and how often they were asked for."""
    counted = t["counted"]
    texts = t["given"].semi_join(counted, t["given"].key == counted.page_key)
    texts = texts.group_by("key").agg(text=ibis._.text.min())
    words = texts.text.split(" ")
    named = texts.select(page_key=texts.key, method=words[0], path=words[1])
    return named.inner_join(counted, "page_key").select("page_key", "requests", "method", "path")


def paths(t: Mapping[str, ir.Table]) -> ir.Table:
    """Number of paths."""
    return t["asked"].agg(value=ibis._.path.nunique())


def crowded_paths(t: Mapping[str, ir.Table], depth: int, children: int) -> ir.Table:
    """Number of paths at a depth that have more children than they may keep."""
    below = _below(t["asked"], depth)
    counted = below.group_by("parent").agg(names=ibis._.child.nunique())
    return counted.filter(counted.names > children).agg(value=ibis._.count())


def pruned_paths(t: Mapping[str, ir.Table], depth: int, children: int) -> ir.Table:
    """The same pages, the rare children of that depth folded."""
    pages = t["asked"]
    below = _below(pages, depth)
    counted = below.group_by("parent", "child").agg(requests=ibis._.requests.sum())
    place = ibis.row_number().over(ibis.window(group_by="parent", order_by=[ibis.desc("requests"), ibis.asc("child")]))
    ranked = counted.mutate(place=place)
    rare = ranked.filter(ranked.place >= children)
    rest = below.path.substr(below.parent.length() + 1 + below.child.length())
    folded = below.select("page_key", "parent", "child", folded=below.parent + "/*" + rest)
    folded = folded.semi_join(rare, ["parent", "child"]).select("page_key", "folded")
    joined = pages.left_join(folded, "page_key")
    return joined.select(pages.page_key, pages.requests, pages.method, path=ibis.coalesce(joined.folded, pages.path))


def _below(pages: ir.Table, depth: int) -> ir.Table:
    """Pages that reach to a depth, with the path above it and the name at it."""
    deep = pages.filter(pages.path.split("/").length() >= depth)
    parts = deep.path.split("/")
    return deep.mutate(
        parent=parts[: ibis.literal(depth) - 1].join("/"), child=parts[(ibis.literal(depth) - 1).cast("int32")]
    )


def page(t: Mapping[str, ir.Table]) -> ir.Table:
    """Keys of pages, and the key that stands for all that became the same: its ``pattern_key``."""
    pages = t["asked"]
    same = ibis.window(group_by=["method", "path"])
    return pages.select(
        "page_key",
        "method",
        "path",
        pattern_key=pages.page_key.min().over(same),
        method_id=ibis.dense_rank().over(ibis.window(order_by="method")).cast("int32"),
    )
