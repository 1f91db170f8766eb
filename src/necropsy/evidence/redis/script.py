"""The second way in: SCAN and everything that is asked of its keys, in one script on the server, a slice at a time.

The script only reads; the gate reads its text before it is sent. It keeps to its time: what it does not get to, it hands
back by name. Since 7.2 the time of TIME stands still in a script, and ``os.clock`` is there instead.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, Final

from necropsy.evidence.redis.cost_sampling import WORDS
from necropsy.evidence.redis.page import HashFields, KeyWords, Page, PageReply, Sparse, type_place
from necropsy.evidence.redis.permissions import Permission, Permissions, hint, outcome_of
from necropsy.evidence.redis.script_text import compose
from necropsy.model.errors import UnreadableSource
from necropsy.wire.redis.connection import pack
from necropsy.wire.redis.replies import ServerError

if TYPE_CHECKING:
    from necropsy.evidence.redis.cost_sampling import CostSampling
    from necropsy.sessions.keyspace import Projection
    from necropsy.wire.redis.connection import Connection, PackedCommand
    from necropsy.wire.redis.gate import Gate, Word

LONGEST_US: Final = 4_000
_NOTHING_LEFT: Final = re.compile(rb"\*\d+\r\n\$\d+\r\n(\d+)\r\n\*0\r\n\*0\r\n")
"""Beginning of the answer to a slice without a key: its cursor, and two empty lists."""
AFTERWARDS: Final = 1.15
"""The script reads its clock before the server turns what it returns into a reply, which takes about a seventh more (1.10 to
1.25 by INFO COMMANDSTATS of Redis 7.0, 8.2 and Valkey 9)."""


class ScriptWay:
    """Asks for slices by running the script.

    Raises
    ------
    UnreadableSource
        Scripts are forbidden, or not known, here.
    """

    name: Final = "script"

    def __init__(
        self,
        connection: Connection,
        gate: Gate,
        permissions: Permissions,
        projection: Projection,
        names: KeyWords,
        *,
        lfu: bool,
        cost_sampling: CostSampling | None = None,
    ) -> None:
        self._connection = connection
        self._names = names
        self._cost_sampling = cost_sampling if "usage" in permissions else None
        self._text = compose(permissions, projection, lfu=lfu)
        self._digest = gate.admit(self._text)
        repeated, beside = set(projection.repeated), set(projection.empty_fields_beside)
        fields = [
            word
            for name, keep in projection.hash_fields
            for word in (name, b"%d" % keep, b"%d" % (name in repeated), b"%d" % (name in beside))
        ]
        if "hmget" not in permissions:
            fields = []
        self._counts = [b"%d" % (len(fields) // 4), b"%d" % len(projection.members_of)]
        self._tail = [*fields, *projection.members_of]
        self._groups: list[Any] = []
        self._lasting = self._packed()
        """Arguments that are the same in each slice until other groups are known: packing them takes longer than the rest."""
        self._asked: tuple[Word, ...] = (b"0", 1, 0)
        """Cursor, keys and microseconds of a slice."""
        self._by_name = pack(())
        """Keys that it asks for by name."""
        self._settle: Callable[[Page, list[int]], None] | None = None
        """Meaning of the groups of this slice; in the next slice they may mean something else."""
        self._verb, self._whole = self._try_out()

    def use(self, connection: Connection) -> None:
        """Go on with another connection to the same server."""
        self._connection = connection

    def ask(self, cursor: bytes, names: Sequence[bytes], count: int, longest_s: float) -> None:
        """Ask for a slice: of the scan, or of keys by name."""
        limit = min(LONGEST_US, int(1e6 * longest_s / AFTERWARDS))
        groups = self._cost_sampling.words() if self._cost_sampling else self._groups
        if groups is not self._groups:
            self._groups = groups
            self._lasting = self._packed()
        self._asked = (b"" if names else cursor, count, limit)
        self._by_name = pack(names)
        self._settle = self._cost_sampling.settling() if self._cost_sampling else None
        self._send(self._verb, whole=self._whole)

    def answer(self, go_on: Callable[[bytes], object] | None = None) -> PageReply:
        """Return the slice that was asked for.

        Parameters
        ----------
        go_on
            Called with the cursor of the next slice as soon as it is known, if nothing else has to be asked for before:
            while the rest of this one is read, the server may be at work already.

        Raises
        ------
        ServerError
            The server stopped the script.
        """
        settle = self._settle

        def begun(data: bytes) -> None:
            beginning = _NOTHING_LEFT.match(data)
            if go_on is not None and beginning:
                go_on(beginning[1])

        reply = self._connection.receive(1, begun)[0]
        if isinstance(reply, ServerError) and reply.kind == "NOSCRIPT":
            self._send(self._verb, whole=True)
            reply = self._connection.receive(1)[0]
        if isinstance(reply, ServerError):
            raise reply
        return read_reply(reply, self._names, settle)

    def _packed(self) -> PackedCommand:
        return pack([*self._counts, len(self._groups) // WORDS, *self._tail, *self._groups])

    def _send(self, verb: bytes, *, whole: bool) -> None:
        words = (verb, self._text) if whole else (verb.replace(b"EVAL", b"EVALSHA"), self._digest)
        self._connection.send_with([*words, 0, *self._asked], self._lasting, self._by_name)

    def _try_out(self) -> tuple[bytes, bool]:
        """Run the script on a few keys, in the safer form first; return what worked, and whether by its text alone.

        On keys that it finds itself: Dragonfly lets a script touch none that it was not given by name.
        """
        reasons: list[ServerError] = []
        for verb in (b"EVAL_RO", b"EVAL"):
            for whole in (True, False):
                self._send(verb, whole=whole)
            answers = self._connection.receive(2)
            if not isinstance(answers[0], ServerError):
                return verb, isinstance(answers[1], ServerError)
            reasons.append(answers[0])
        forbidden = [reason for reason in reasons if outcome_of(reason) is Permission.FORBIDDEN]
        outcome = Permission.FORBIDDEN if forbidden else Permission.UNKNOWN
        raise UnreadableSource(
            f"scripts cannot be used: {(forbidden or reasons)[0].text}", hint=hint("+eval_ro +evalsha_ro", outcome)
        )


def read_reply(
    reply: Sequence[Any], names: KeyWords, settle: Callable[[Page, list[int]], None] | None = None
) -> PageReply:
    """Turn what the script returns into an answer, whose page is unpacked when somebody asks for it."""
    cursor, left, large, gone, denied, unread, microseconds, *columns = reply

    def unpack() -> Page:
        page, groups = _page(columns, names)
        if settle is not None:
            settle(page, groups)
        return page

    return PageReply(
        unpack=unpack,
        keys=len(columns[3]),
        cursor=cursor,
        seconds=AFTERWARDS * microseconds / 1e6,
        left=left,
        large=large,
        gone=gone,
        denied=denied,
        unread=unread,
    )


def _page(columns: Sequence[Any], names: KeyWords) -> tuple[Page, list[int]]:
    """Return the page, and for each row its group of keys alike; 0 when it was asked everything."""
    words, joined, sizes, group_of, expires, counts, types, encodings, idle, freq, usage, *rest = columns
    keys, groups = _apart(joined, sizes), list(group_of)
    if len(keys) != len(groups):
        raise ValueError("as many groups as keys")
    head_rows, heads, member_rows, members, field_rows, texts, values, lengths, empty_rows, empties = rest
    # Places in the script's own list of words, which begins with 1; 0 is no word.
    type_of = {place: type_place(words[place - 1]) for place in set(types)}
    encoding_of = {place: names.encoding(words[place - 1] if place else None) for place in set(encodings)}
    types, encodings = [type_of[place] for place in types], [encoding_of[place] for place in encodings]
    if len(types) < len(keys):  # what is known of a part of the rows alone
        rows = [row for row, group in enumerate(groups) if not group]
        types, encodings = _dense(rows, types, groups, 0), _dense(rows, encodings, groups, -1)
        counts, idle, freq, usage = (_dense(rows, column, groups, None) for column in (counts, idle, freq, usage))
    page = Page(
        keys=keys,
        types=types,
        encodings=encodings,
        expires=expires,
        idle=idle,
        freq=freq,
        elements=counts,
        usage=usage,
        heads=Sparse(head_rows, heads),
        members=Sparse(member_rows, members),
        empty_fields=Sparse(empty_rows, empties),
        fields=_fields(field_rows, texts, values, lengths) if field_rows else HashFields(),
    )
    return page, groups


def _fields(rows: list[int], texts: list[bytes], values: list[Any], lengths: list[Any]) -> HashFields:
    """Return the fields as dense columns. A column that no row has comes empty; what repeats itself, as places in ``texts``.

    >>> _fields([0, 3], [b"it"], [[1, 1], [b"a", None], []], [[], [9, None], []])
    HashFields(rows=[0, 3], values=[[b'it', b'it'], [b'a', None], [None, None]], lengths=[[None, None], [9, None], [None, None]])
    """
    nothing: list[Any] = [None] * len(rows)
    for column in values:
        if isinstance(next((value for value in column if value is not None), None), int):
            known = [None, *texts]
            column[:] = [known[place or 0] for place in column]
    return HashFields(rows, [column or nothing[:] for column in values], [column or nothing[:] for column in lengths])


def _apart(joined: bytes, sizes: bytes) -> list[bytes]:
    """Return texts that lie one behind the other; of each the length, 32 bits, is in ``sizes``."""
    ends = [0, *accumulate(size for (size,) in struct.iter_unpack("<I", sizes[: len(sizes) // 4 * 4]))]
    if len(sizes) % 4 or ends[-1] != len(joined):
        raise ValueError("lengths that are not those of the keys")
    return [joined[begin:end] for begin, end in pairwise(ends)]


def _dense(rows: Sequence[int], values: Sequence[Any], groups: Sequence[int], nothing: Any) -> list[Any]:
    column = [nothing] * len(groups)
    for row, value in zip(rows, values, strict=True):
        column[row] = value
    return column
