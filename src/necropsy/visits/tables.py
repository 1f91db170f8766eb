"""The tables that steps read: those of the reader, and those that functions make. Whole numbers and texts only.

A key is a hash of a text, 64 bits, from the reader (``path_templates.key_of``); 0 stands for no text. Keys of different fields
have different seeds, so that one of the class of a visit is the exclusive or of those of its parts: an operation that every
engine has, and that none refuses for being too large.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pyarrow as pa

LINE: Final[Mapping[str, str]] = {
    "number": "int64",  # place in the log, ascending; not without holes
    "time_us": "int64",  # start of the request, microseconds since 1970, UTC
    "status": "int16",  # -1: not known
    "client_key": "int64",
    "agent_key": "int64",
    "host_key": "int64",
    "page_key": "int64",  # of method and folded path
    "address_key": "int64",  # of a redirect: what a Referer would call it; else 0
    "referer_key": "int64",  # the page that the Referer names, under the seed of hosts and addresses
    "flags": "int8",  # bits, see ``flags``; 0 where a layout tells nothing of the kind
}
GIVEN: Final[Mapping[str, str]] = {"key": "int64", "text": "string"}
"""Texts behind the keys of clients, user agents, hosts and pages; some twice."""

GUESS: Final[Mapping[str, str]] = {
    "key": "int64", "number": "int64", "follower": "int64", "flow": "int64", "from_pattern": "int64", "to_pattern": "int64",
    "onward": "int64",
}  # fmt: skip
"""Redirects and lines that may have followed them, with the key under which both were, their pages, and whether what followed
is a redirect, too (1 or 0); made by ``pairs``."""
FOLLOWER: Final[Mapping[str, str]] = {"number": "int64", "root": "int64", "place": "int64"}
"""Lines that followed a redirect, the line that began their visit, and their place behind it; made by ``chains``."""
CHAIN: Final[Mapping[str, str]] = {"number": "int64", "followed": "int64", "followed_to": "string"}
"""Visits of several requests, as the step of this name makes it: for logs without redirects, where it is not taken."""
BARE: Final[Mapping[str, str]] = {"pattern_key": "int64", "host_key": "int64", "status": "int16", "bare": "int8"}
"""Pages that are shown without a body, as the step of this name makes it: for logs that tell of none, where it is not taken."""
BLOCK: Final[Mapping[str, str]] = {"block": "int64"}
"""Stretches of ``BLOCK_US`` whose visits are kept one by one, numbered since 1970; made by ``visit_blocks``."""
RHYTHM: Final[Mapping[str, str]] = {
    "class_key": "int64", "period_s": "float64", "phase_s": "float64", "phase_spread_s": "float64", "coverage": "float64",
    "probers": "int64",
}  # fmt: skip
"""Classes that come at a fixed interval; made by ``rhythm``."""

SOURCES: Final[Mapping[str, Mapping[str, str]]] = {
    "line": LINE, "given": GIVEN, "guess": GUESS, "follower": FOLLOWER, "rhythm": RHYTHM, "block": BLOCK,
}  # fmt: skip


def arrow_schema(columns: Mapping[str, str]) -> pa.Schema:
    """Return a table's schema for Arrow."""
    import pyarrow as pa

    return pa.schema([(name, getattr(pa, kind)()) for name, kind in columns.items()])
