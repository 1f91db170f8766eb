"""Fold key names into patterns: ids, numbers, hashes, addresses and tokens become ``*``; what is shared stays.

``cache:products:1042`` is ``cache:products:*``. The rules look at shapes and run over whole columns; what no shape gives
away (``alice:settings``) is folded later by counting (``collapse``): a word that few keys share may be somebody's name,
and a place in which many different words stand is an id, whatever they look like. Rather one word too many is folded
than one name kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from necropsy.sessions.vocabulary import is_common

if TYPE_CHECKING:
    import pyarrow as pa

_PEOPLE: Final = (
    "users?|usernames?|user_?ids?|uid|logins?|accounts?|principals?|members?|customers?|profiles?|owners?|persons?"
    "|people|employees?|staff|e?mails?|subjects?|authors?|carts?|baskets?|by_?(?:name|user|email)"
)
_LETTERS: Final = r"[A-Za-z0-9_+~=%\-*]"
_ADDRESS: Final = (r"[^\s:/|,;<>@\"]+(?:@|%40)[A-Za-z0-9.\-]+", "*")
_UUID: Final = (r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}", "*")
_HASH: Final = (r"[0-9A-Fa-f]{16,}|[A-Za-z0-9]{20,}", "*")
_RISES: Final = 5
"""Words in camel case rise from small letter to capital a few times, random letters all the time."""
_RANDOM: Final = (rf"{_LETTERS}*(?:[a-z0-9]+[A-Z]+[A-Za-z0-9_\-]*?){{{_RISES}}}{_LETTERS}*", "*")
_MIXED: Final = (rf"{_LETTERS}*\*[A-Za-z_+~=%\-]+\*{_LETTERS}*", "*")
_RUNS: Final = (r"\*[*]+", "*")

_KEY_RULES: Final = (
    (r"[^\x21-\x7e]+", "*"),  # bytes, blanks and every script but ASCII: names as often as not
    _ADDRESS,
    _UUID,
    _HASH,
    _RANDOM,
    (r"[0-9]+(?:[.,][0-9]+)*", "*"),
    _MIXED,  # letters between numbers: a token, not a word
    (rf"(?i)(^|[:/|._\-])({_PEOPLE})([:/|])[^:/|]+", r"\1\2\3*"),
    _RUNS,
)
_NAMESPACE_RULES: Final = (
    (r"[^\x21-\x7e]+", "*"),
    _ADDRESS,
    _UUID,
    _HASH,
    _RANDOM,
    (r"(^|[:/|])[0-9]{5,}($|[:/|])", r"\1*\2"),
    _RUNS,
)
_TOKEN_IN_PATH: Final = re.compile(rf"@|%40|{_UUID[0]}|{_HASH[0]}")
_LONGEST_SEGMENT: Final = 100
_SEPARATORS: Final = re.compile(r"([:/|._\-#,;=@&?~ ]+)")
_DEEPEST: Final = 24
_LONGEST: Final = 160
_WIDEST: Final = 24
"""Different words at one place that are still taken for words."""
_SHARE: Final = 0.02
"""Share of the keys at a wider place that makes a word common enough to keep."""
_FEW: Final = 16
"""Namespaces that are remembered together."""
_FEWEST: Final = 8
"""Keys that must share a word that is not a technical one."""


def fold(keys: pa.Array) -> pa.Array:
    """Fold a binary column of keys to a string column of patterns, all ASCII.

    >>> import pyarrow as pa
    >>> fold(pa.array([b"lock:3fa85f64-5717-4562-b3fc-2c963f66afa6", b"user:alice:cart", b"v1:rates"])).to_pylist()
    ['lock:*', 'user:*:cart', 'v*:rates']
    """
    return _apply(keys, _KEY_RULES)


def fold_namespace(namespaces: pa.Array) -> pa.Array:
    """Fold what no operator would have named a namespace by; ``admin2:web`` stays as it is.

    >>> import pyarrow as pa
    >>> fold_namespace(pa.array([b"admin2:web", b"tenant:3fa85f64-5717-4562-b3fc-2c963f66afa6"])).to_pylist()
    ['admin2:web', 'tenant:*']
    """
    import pyarrow as pa

    if len(namespaces) > _FEW:
        return _apply(namespaces, _NAMESPACE_RULES)
    return pa.array(_folded(tuple(namespaces.cast(pa.binary()).to_pylist())), pa.string())


@lru_cache(maxsize=1024)
def _folded(namespaces: tuple[bytes | None, ...]) -> tuple[str | None, ...]:
    """Fold a few: the same ones come with each batch, and to make the expressions ready takes a millisecond each time."""
    import pyarrow as pa

    return tuple(_apply(pa.array(namespaces, pa.binary()), _NAMESPACE_RULES).to_pylist())


def _apply(values: pa.Array, rules: Iterable[tuple[str, str]]) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(values):
        return pa.array([], pa.string())
    if values.type != pa.binary():
        values = values.cast(pa.binary())
    for rule, replacement in rules:
        if pc.any(pc.match_substring_regex(values, rule)).as_py():
            values = pc.replace_substring_regex(values, rule, replacement)
    return values.cast(pa.string())


def fold_path(path: str) -> str:
    """Fold segments of a URL's path that are tokens or addresses; numbers stay.

    >>> fold_path("/reset/3fa85f64-5717-4562-b3fc-2c963f66afa6/step/2")
    '/reset/*/step/2'
    """
    return "/".join("*" if _is_token(segment) else segment for segment in path.split("/"))


def _is_token(segment: str) -> bool:
    rises = sum(after.isupper() and not before.isupper() for before, after in pairwise(segment))
    return len(segment) > _LONGEST_SEGMENT or rises >= _RISES or bool(_TOKEN_IN_PATH.search(segment))


def fold_names(pattern: str, names: frozenset[str] | set[str]) -> str:
    """Fold every run of words in a pattern that is one of these names (lower case).

    >>> fold_names("profile_of_principal-bob", {"principal-bob"})
    'profile_of_*'
    """
    if not names:
        return pattern
    words = _SEPARATORS.split(pattern)
    start = 0
    while start < len(words):
        for end in range(len(words), start, -2):
            if "".join(words[start:end]).lower() in names:
                words[start:end] = ["*"]
                break
        start += 2
    return "".join(words)


def collapse(patterns: Mapping[str, int]) -> dict[str, str]:
    """Fold by counting: a word stays if it is a technical one or if several keys share it at its place.

    Where many different words stand at one place, only those of a good share of its keys stay.

    Parameters
    ----------
    patterns
        Pattern to number of keys.

    Returns
    -------
    dict
        Each pattern to what becomes of it.

    >>> became = collapse({f"doc:{a}{b}:draft": 1 for a in "abcdef" for b in "uvwxyz"} | {"doc:size": 1, "doc:ann": 1})
    >>> became["doc:au:draft"], became["doc:size"], became["doc:ann"]
    ('doc:*:draft', 'doc:*', 'doc:*')
    >>> collapse({"job:queue": 1, "alice:settings": 1, "warehouse7:stock": 8, "celery": 1})
    {'job:queue': 'job:queue', 'alice:settings': '*:settings', 'warehouse7:stock': 'warehouse7:stock', 'celery': 'celery'}
    """
    words = {pattern: _words(pattern) for pattern in patterns}
    for depth in range(0, 2 * _DEEPEST + 1, 2):
        places: dict[tuple[str, ...], Counter[str]] = {}
        deep = [(pattern, parts, tuple(parts[:depth])) for pattern, parts in words.items() if len(parts) > depth]
        if not deep:
            break
        for pattern, parts, before in deep:
            places.setdefault(before, Counter())[parts[depth]] += patterns[pattern]
        kept = {before: _kept(place) for before, place in places.items()}
        for _, parts, before in deep:
            if parts[depth] not in kept[before]:
                parts[depth] = "*"
    return {pattern: "".join(parts) for pattern, parts in words.items()}


def _kept(place: Counter[str]) -> set[str]:
    """Return the words of one place that stay."""
    if len(place) > _WIDEST:
        least = max(_FEWEST, _SHARE * place.total())
        return {word for word, keys in place.items() if keys >= least}
    return {word for word, keys in place.items() if keys >= _FEWEST or is_common(word)}


def _words(pattern: str) -> list[str]:
    words = _SEPARATORS.split(pattern[:_LONGEST])
    if len(pattern) > _LONGEST or len(words) > 2 * _DEEPEST + 1:
        words = [*words[: 2 * _DEEPEST], "*"]
    return words
