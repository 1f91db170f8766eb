"""The description of a writer's sessions: how they are recognised, and which times and names are in them.

Everything in a ``SessionForm`` is a regular expression of RE2 over bytes (linear in the text), or a function over a whole column.
Nothing is ever unserialised.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from necropsy.sessions.columns import numbers

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from necropsy.sessions.columns import Mask

    Moments: TypeAlias = dict[str, tuple[npt.NDArray[np.float64], Mask]]
    """Of ``created``, ``used``, ``written``, ``deadline`` (milliseconds since 1970) and ``lifetime`` (milliseconds): values,
    and which of them are known. A deadline is set at birth and never again."""

LETTERS: Final = bytes(range(ord("A"), ord("Z") + 1)) + b"_" + bytes(range(ord("a"), ord("z") + 1))
DIGITS: Final = b"0123456789"
HEX: Final = b"0123456789abcdef"
ALNUM: Final = LETTERS.replace(b"_", b"") + DIGITS
URL_SAFE: Final = LETTERS + DIGITS + b"-"
SESSION_WORD: Final = r"(?s)^.*(?i:sess).*?"
"""Beginning of a key with a word for sessions in its name: required where the value alone could be anything."""
NAMED_OTHERWISE: Final = (
    r"(?:^|[^A-Za-z])(?i:views?|cache[sd]?|fragments?|jobs?|queues?|tasks?|results?|locks?|mutex|limits?|throttle|unique|otp"
    r"|tokens?|reset|verify|idempotency|presence)[^A-Za-z0-9][A-Za-z0-9_,\-]+$"
)
"""End of a key whose name says that it is something else: where a cache's value and id are as those of sessions, it tells."""
UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
_MILLISECONDS: Final = {"s": 1000.0, "ms": 1.0}


@dataclass(frozen=True, slots=True)
class Clock:
    """Times that stand in a value as decimal numbers: a pattern with groups of the names of ``Moments``, each of digits."""

    pattern: str
    created: str = ""
    """Unit of the group ``created``, ``s`` or ``ms``; empty: no such group."""
    used: str = ""
    written: str = ""
    lifetime: str = ""
    expires: str = ""
    """Unit of ``expires``: when it expires by its own word; less the lifetime it is the last write."""
    tail: int = 0
    """Bytes at a value's end in which the times mostly are: those alone are searched first; 0: all of it at once."""

    def __call__(self, heads: pa.Array) -> Moments:
        """Read them of a whole column."""
        import pyarrow as pa
        import pyarrow.compute as pc

        found = self._found(heads)
        told: Moments = {}
        for name in ("created", "used", "written", "lifetime", "expires"):
            unit = getattr(self, name)
            if not unit:
                continue
            text = pc.struct_field(found, name).cast(pa.string())
            numeric = pc.fill_null(
                pc.match_substring_regex(text, r"^[0-9]{1,16}(\.[0-9]{1,12})?(e[0-9]{1,2})?$"), False
            )
            values = pc.if_else(numeric, text, "0").cast(pa.float64())
            told[name] = numbers(values.fill_null(0)) * _MILLISECONDS[unit], numbers(numeric)
        if "expires" in told and "lifetime" in told:
            (expires, some), (lifetime, timed) = told.pop("expires"), told["lifetime"]
            told["written"] = expires - lifetime, some & timed
        return told

    def _found(self, heads: pa.Array) -> pa.Array:
        """Search the ends of the values, and all of those values in whose ends nothing was."""
        import pyarrow.compute as pc

        if not self.tail:
            return pc.extract_regex(heads, pattern=self.pattern)
        found = pc.extract_regex(pc.binary_slice(heads, -self.tail), pattern=self.pattern)
        if not found.null_count:
            return found
        missed = found.is_null()
        rest = pc.extract_regex(heads.filter(missed), pattern=self.pattern)
        return pc.replace_with_mask(found, missed, rest) if len(rest) < len(found) else rest


@dataclass(frozen=True, slots=True)
class SessionForm:
    """One shape of one writer's sessions."""

    layout: str
    """Name of the layout."""
    first: bytes
    """First bytes that such a value may have; nothing: the value is empty."""
    value: str
    """Pattern that a value has; it need not hold all of it, as values are cut off."""
    key: str
    """Pattern of the key's end, or of the whole key."""
    alphabet: bytes
    """Letters of ids: the longest run of them at the key's end is the id, the rest the namespace."""
    longest: int
    """Most letters of an id."""
    clock: Callable[[pa.Array], Moments] | None = None
    """Reads what the value says of times."""
    precision_s: float = 1.0
    """Resolution of those times."""
    user: str = ""
    """Pattern of a value in which somebody is logged in."""
    doubt: str = ""
    """Pattern of a value in which ``user`` may stand for something else."""
    nobody: str = ""
    """Pattern of a value in which nobody is: what is in neither is unknown."""
    inside: tuple[str, ...] | None = None
    """Of JSON: the way to the object that has the attributes, whose names say who is logged in."""
    beside: frozenset[str] = frozenset()
    """Names in that object that are the writer's own."""
    empty: str = ""
    """Pattern of a value in which nothing was put."""
    grace_s: int = 0
    """Seconds that the key lives longer than the session."""
    creator: str = ""
    """Pattern with the groups ``host`` and ``path`` of the request that the value names."""
    always: str = ""
    """Authentication that all have, when the store holds only such sessions or says nothing of it: yes or unknown."""
    mortal: bool = False
    """Only keys with an expiry are sessions: without one, it may be anything."""
    word: bytes = b""
    """What each of its keys has in it: where no key of a batch has, none is looked at."""
    ends: bytes = b""
    """What each of its values ends with: asked before the pattern, as it costs a tenth."""
    unless: str = ""
    """Pattern of keys that are something else."""
    companion: bytes = b""
    """Prefix of a companion's key, before the whole key of its session; empty: a session."""
    beside_others: bool = False
    """Such values could be anything: they are sessions only in a namespace in which another form of the layout met one."""


def big_endian(found: pa.StructArray, name: str, width: int = 8) -> tuple[npt.NDArray[np.float64], Mask]:
    r"""Read a group of eight bytes (or four) as a big-endian number, and tell where there is one.

    >>> import pyarrow as pa
    >>> values, known = big_endian(pa.array([{"a": bytes(7) + b"\x05"}, {"a": b""}]), "a")
    >>> values.tolist(), known.tolist()
    ([5.0, 0.0], [True, False])
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    raw = pc.struct_field(found, name)
    known = numbers(pc.equal(pc.fill_null(pc.binary_length(raw), 0), width))
    whole = pc.if_else(pa.array(known), raw, pa.scalar(bytes(width), raw.type)).cast(pa.binary(width))
    data = np.frombuffer(whole.buffers()[1], f">i{width}")[whole.offset : whole.offset + len(whole)]
    return data.astype(np.float64), known
