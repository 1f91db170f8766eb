"""Programs on the maintained list of crawlers (crawler-user-agents, fifteen hundred patterns), matched at once.

The list has crawlers of search, advertising, archives and language models, watchers of sites, scanners and libraries; what an
operator meets in his own house (health checks, exporters) it hardly has: that is ``agents``' own.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import re2

    from necropsy.model.traffic import AgentKind

_KINDS: Final[dict[str, AgentKind]] = {
    "monitoring": "prober", "scanner": "scanner", "http-library": "library", "browser-automation": "library",
}  # fmt: skip
"""Tag of the list to kind; all other tags are crawlers'."""


def find(user_agent: str) -> tuple[str, AgentKind] | None:
    """Return name and kind of a program that the list knows.

    >>> find("Mozilla/5.0 (compatible; Barkrowler/0.9; +https://babbar.tech/crawler)")
    ('Barkrowler', 'crawler')
    >>> find("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
    """
    together, patterns = _known()
    met = together.Match(user_agent)
    if not met:
        return None
    pattern, tags = patterns[min(met)]
    found = re.search(pattern, user_agent)
    name = found[0].strip(" /;:(+") if found else ""
    kind: AgentKind = next((_KINDS[tag] for tag in tags if tag in _KINDS), "crawler")
    if kind == "library" and found and user_agent[found.end() : found.end() + 1].isalpha():
        return None  # ``^curl`` is not in ``curly``
    return name or "a robot", kind


@cache
def _known() -> tuple[re2.Set, list[tuple[str, tuple[str, ...]]]]:
    """Load the list: a fortieth of a second."""
    import re2
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA

    together, patterns = re2.Set.SearchSet(), []
    for entry in CRAWLER_USER_AGENTS_DATA:
        try:
            together.Add(entry["pattern"])
        except re2.error:  # of a later list, perhaps: RE2 knows no looking around
            continue
        patterns.append((str(entry["pattern"]), tuple(entry.get("tags", ()))))
    together.Compile()
    return together, patterns
