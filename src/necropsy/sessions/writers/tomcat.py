r"""Tomcat in a string each: memcached-session-manager in its Redis mode, sticky and not.

``[<prefix>_]<32 HEX>`` (with ``-<node>`` or ``.<jvmRoute>``, as Tomcat is set up), and not sticky ``validity:<the same>``::

    00 02 00 54 <i64 creation> <i64 last access> <i32 lifetime> 31 31 <i64 this access> <i64 backup> 00 20 <32: id> …
    00 00 0a 8c <i64 last access> <i64 this access>                                                  validity:…

``00 02`` is the version, ``00 54`` where the fields end; ``31 31``: new, valid; the four texts are login method, principal,
saved request and saved principal. The attributes follow: in JDK bytes (a number of them, then names and values), Kryo or
another serializer; only the first can be told. A sticky session is written again when its attributes change, not at each
visit: its last use is not earlier than what it says. Not sticky, the key lives twice the session's lifetime, and the
validity key beside it, which is written at each visit, as long as the session.

Source: magro/memcached-session-manager ``TranscoderService.java``, ``SessionValidityInfo.java``,
``storage/RedisStorageClient.java``; proved by tests/writers/msm*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.sessions.attributes import NOBODYS, USERS
from necropsy.sessions.writers.form import SessionForm, big_endian
from necropsy.sessions.writers.servlet import servlet_cure

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.sessions.writers.form import Moments

MSM: Final = "memcached-session-manager"
_ID: Final = r"[0-9A-F]{32}(?:-[A-Za-z0-9]{1,32})?(?:\.[A-Za-z0-9_\-]{1,64})?$"
_LETTERS: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-"
_TIMES: Final = (
    r"(?P<created>\x00\x00.{6}).{8}(?P<seconds>[\x00\xff].{3})[01][01](?P<used>\x00\x00.{6}).{8}\x00[\x20-\x80]"
)
_FIELDS: Final = rf"(?s)^\x00\x02\x00.{_TIMES}[0-9A-F]{{32}}"
_BEFORE: Final = r"(?s)^\x00\x02\x00.{39}\x00[\x20-\x80][0-9A-F]{32}[^\x00]{0,97}"
_COUNT: Final = r"\xac\xed\x00\x05sr\x00\x11java\.lang\.Integer.{19}xr\x00\x10java\.lang\.Number.{11}xp"
_EMPTY: Final = rf"{_BEFORE}\x00{{8}}{_COUNT}\x00{{4}}$"
_NAMES: Final = "|".join(sorted(USERS | {"SPRING_SECURITY_CONTEXT"}))
_ONE: Final = rf"{_BEFORE}\x00{{8}}{_COUNT}\x00\x00\x00\x01t\x00.(?:{'|'.join(sorted(NOBODYS))})(?:t\x00|[su]r\x00)"

CURES: Final = {
    MSM: servlet_cure(
        "Tomcat (memcached-session-manager, Redis mode)", "magro/memcached-session-manager wiki SetupAndConfiguration"
    ),
}


def _times(heads: pa.Array) -> Moments:
    import pyarrow.compute as pc

    found = pc.extract_regex(heads, pattern=_FIELDS)
    seconds, timed = big_endian(found, "seconds", 4)
    told = {name: big_endian(found, name) for name in ("created", "used")}
    return {**told, "lifetime": (seconds * 1000, timed)}


FORMS: Final = (
    SessionForm(
        MSM,
        first=b"\0",
        value=_FIELDS,
        key=_ID,
        alphabet=_LETTERS,
        longest=130,
        clock=_times,
        precision_s=0.001,
        user=rf"{_BEFORE}(?:\x00{{8}}{_COUNT}.*t\x00.(?:{_NAMES})(?:t\x00|sr\x00)|\x00[^\x00].*{_COUNT})",
        nobody=_ONE,
        empty=_EMPTY,
        unless=r"^(?:validity|bak|lock):",
    ),
    SessionForm(
        MSM,
        first=b"\0",
        value=r"(?s)^\x00.{3}\x00\x00.{6}\x00\x00.{6}$",
        key=rf"^validity:.*{_ID}",
        alphabet=_LETTERS,
        longest=130,
        companion=b"validity:",
    ),
)
