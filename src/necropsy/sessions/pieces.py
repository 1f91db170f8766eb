r"""The other keys of a whole session: its marker, and its membership in an index that many sessions share.

Only Spring's indexed repositories have any. Of one session in the namespace ``spring:session``::

    spring:session:sessions:<id>               the hash, which ``records`` recognises
    spring:session:sessions:expires:<id>       the marker: an empty string; its "del" event is what listeners wait for
    spring:session:expirations:<ms>            a set a minute, with the serialized text expires:<id> as its member
    spring:session:sessions:expirations        Spring Session 3.4+: a sorted set of ids in place of the minutes' sets

Source: RedisIndexedSessionRepository, RedisSessionExpirationPolicy, MinuteBasedRedisSessionExpirationStore,
SortedSetRedisSessionExpirationStore of spring-session.
"""

from __future__ import annotations

from typing import Final, NamedTuple

HAVE_PIECES: Final = frozenset({"spring"})
"""Families whose sessions have other keys beside their own."""
_MINUTE_MS: Final = 60_000
_JDK_STRING: Final = b"\xac\xed\x00\x05t"


class Pieces(NamedTuple):
    """Keys beside a session's own."""

    marker: bytes = b""
    """Key of the marker; empty: this layout has none."""
    minute: bytes = b""
    """Key of the set of the minute in which the session ends; empty: unknown, or none."""
    member: bytes = b""
    """Its member for this session."""
    sorted_set: bytes = b""
    """Key of the sorted set that may hold the session's id."""
    identifier: bytes = b""
    """Member of the sorted set for this session."""


NONE: Final = Pieces()


def pieces(family: str, key: bytes, *, ends_ms: int | None = None, jdk: bool = True) -> Pieces:
    r"""Return the other keys of a session.

    Parameters
    ----------
    family
        Family of the layout that recognised it.
    key
        Key of its record.
    ends_ms
        Last access plus lifetime, milliseconds since 1970; None: not known.
    jdk
        Whether values are serialized by the JDK; else as JSON.

    >>> found = pieces("spring", b"a:sessions:42", ends_ms=1_700_000_000_001)
    >>> found.marker, found.minute, found.member
    (b'a:sessions:expires:42', b'a:expirations:1700000040000', b'\xac\xed\x00\x05t\x00\nexpires:42')
    >>> pieces("express", b"sess:42")
    Pieces(marker=b'', minute=b'', member=b'', sorted_set=b'', identifier=b'')
    """
    if family not in HAVE_PIECES:
        return NONE
    before, _, identifier = key.rpartition(b":")
    if not before.endswith(b":sessions") or not identifier:
        return NONE
    namespace = before.removesuffix(b":sessions")
    minute = b""
    if ends_ms is not None and ends_ms >= 0:
        minute = b"%b:expirations:%d" % (namespace, ends_ms // _MINUTE_MS * _MINUTE_MS + _MINUTE_MS)
    return Pieces(
        marker=before + b":expires:" + identifier,
        minute=minute,
        member=_serialized(b"expires:" + identifier, jdk=jdk),
        sorted_set=before + b":expirations",
        identifier=_serialized(identifier, jdk=jdk),
    )


def _serialized(text: bytes, *, jdk: bool) -> bytes:
    return b"%b%b%b" % (_JDK_STRING, len(text).to_bytes(2, "big"), text) if jdk else b'"%b"' % text
