"""Find the given file for a path or glob that a configuration names; evidence is often a copy from another machine."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from typing import Final

MAGIC: Final = re.compile(r"[*?\[]")
"""Characters that make a path a glob."""


def candidates(main: str, written: str) -> tuple[str, ...]:
    """Paths (or globs) to try for one that a configuration file names, best first.

    A relative path counts from the folder of the main file, as nginx and Prometheus have it. An absolute one that does not
    lie below that folder is tried there first, tail by tail: the configuration may have been copied to somebody's download
    folder, and this machine's own ``/etc/nginx`` is not what was meant.

    >>> candidates("evidence/nginx.conf", "/etc/nginx/conf.d/*.conf")[1:]
    ('evidence/nginx/conf.d/*.conf', 'evidence/conf.d/*.conf', '/etc/nginx/conf.d/*.conf')
    >>> candidates("/etc/nginx/nginx.conf", "/etc/nginx/mime.types")
    ('/etc/nginx/mime.types',)
    """
    folder = posixpath.dirname(main)
    if not written.startswith("/"):
        return (posixpath.join(folder, written),)
    if folder.startswith("/") and written.startswith(folder.rstrip("/") + "/"):
        return (written,)
    parts = written.strip("/").split("/")
    # A glob keeps the folder that it is for: "*.conf" alone would take whatever lies beside the main file.
    shortest = 2 if MAGIC.search(parts[-1]) else 1
    tails = (posixpath.join(folder, *parts[start:]) for start in range(len(parts) + 1 - shortest))
    return tuple(dict.fromkeys((*tails, written)))


def matching(names: Iterable[str], main: str, written: str) -> list[str]:
    """Names that answer a path or glob, sorted; those of the first candidate that any answers.

    >>> matching(["evidence/conf.d/b.conf", "evidence/conf.d/a.conf"], "evidence/nginx.conf", "/etc/nginx/conf.d/*.conf")
    ['evidence/conf.d/a.conf', 'evidence/conf.d/b.conf']
    """
    known = {posixpath.normpath(name): name for name in names}
    for candidate in candidates(main, written):
        path = posixpath.normpath(candidate)
        if path in known:
            return [known[path]]
        if MAGIC.search(path) and (expression := _glob(path)) is not None:
            found = sorted(name for path, name in known.items() if expression.fullmatch(path))
            if found:
                return found
    return []


def _glob(pattern: str) -> re.Pattern[str] | None:
    """Translate a glob(3) pattern, in which no wildcard matches ``/`` or a leading dot; None if it can match nothing."""
    out: list[str] = []
    place = 0
    while place < len(pattern):
        character = pattern[place]
        place += 1
        start = place == 1 or pattern[place - 2] == "/"
        if character in "*?":
            out.append((r"(?!\.)" if start else "") + ("[^/]*" if character == "*" else "[^/]"))
            continue
        close = pattern.find("]", place + 1) if character == "[" else -1
        if close > 0:
            members = pattern[place:close].replace("\\", "\\\\").replace("[", "\\[")
            out.append("[" + ("^" + members[1:] if members[0] in "!^" else members) + "]")
            place = close + 1
            continue
        out.append(re.escape(character))
    try:
        return re.compile("".join(out))
    except re.error:  # [z-a]
        return None
