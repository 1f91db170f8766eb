r"""Names of a session's attributes: which of them say that somebody is logged in, which are everybody's.

Whatever an application calls its own is neither: such a session is nobody's or somebody's, nobody can say. Only names at the
top are asked: a ``user`` within a cart is nobody.

=============  =====================================================  =================================
serializer     example                                                read by
=============  =====================================================  =================================
JSON           ``{"cart":[7],"user":"anna"}``                         ``json_states``: by its shape
pickle         ``80 05 } 94 ( 8c 04 cart …``                          ``names``: opcode by opcode, never loaded
MessagePack    ``82 a4 cart 91 07 …``                                 ``names``
=============  =====================================================  =================================
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from necropsy.model.evidence import Authentication
from necropsy.sessions.columns import numbers
from necropsy.sessions.pickled import keys_of_pickle

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

USERS: Final = frozenset(
    {"user", "userId", "user_id", "userid", "uid", "userInfo", "userinfo", "tokenset", "_user_id"}
) | {"actix_identity.user_id"}
"""A session with a value in one of these belongs to a user who is logged in."""
_NOBODYS: Final = """
    flash _flash _flashes flashes messages _messages message info error errors notice alert
    csrf _csrf csrfSecret csrfToken csrf_token _csrf_token _csrftoken csrf_secret _token __csrf tracking
    returnTo return_to user_return_to next _next back back_to redirect redirectTo redirect_to redirectAfterLogin url
    _previous _permanent _fresh _id session_id nonce state attempts
    cart basket wishlist lines total views visits count counter hits
    lang language locale _language _locale django_language theme currency country timezone
"""
NOBODYS: Final = frozenset(_NOBODYS.split())
"""Attributes that frameworks and shops give to every visitor: none of them names a user."""
_OF_USERS: Final = re.compile(
    r"(?i)user|log(?:ged|in|on)|sign(?:ed|in)|member|account|principal|customer|employee|staff|operator|identity|auth|token|uid\b"
)
_OF_FRAMEWORKS: Final = re.compile(
    r"(?i)^(?:org\.springframework\.|SPRING_|scopedTarget\.)|csrf|xsrf|user.?agent|user.?locale"
)
_PASSPORT: Final = "passport"
_DOCUMENT: Final = "_id"
_NOTHING: Final = frozenset({"null", '""', "{}", "[]", "0", "false"})
_TEXT: Final = r':\s*"(?:[^"\\]|\\.)+"'
_NUMBER: Final = r":\s*-?[1-9][0-9.]*(?:[eE][+\-]?[0-9]+)?"
_PIECE: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]|[^\s"{}\[\]:,]+')
_COLON: Final = re.compile(r"\s*:")
_MOST_SHAPES: Final = 20_000
_STATES: Final = (Authentication.NO, Authentication.YES, Authentication.UNKNOWN)


def state(names: Iterable[str]) -> Authentication:
    """Say from names that have something in them whether somebody is logged in.

    >>> [str(state(names)) for names in ((), ("cart", "user"), ("cart",), ("member",))]
    ['no', 'yes', 'no', 'unknown']
    """
    some = set(names)
    if some & USERS:
        return Authentication.YES
    return Authentication.UNKNOWN if some - NOBODYS else Authentication.NO


def may_name_user(name: str) -> bool:
    """Whether an attribute of an application's own may say who is logged in, by its name.

    >>> names = ("loginUser", "memberId", "cart", "csrfToken", "org.springframework.web.auth", "uid")
    >>> [name for name in names if may_name_user(name)]
    ['loginUser', 'memberId', 'uid']
    """
    return bool(_OF_USERS.search(name)) and not _OF_FRAMEWORKS.search(name)


def shapes(texts: pa.Array) -> pa.DictionaryArray:
    """Return JSON with its texts and numbers made alike, so that few different ones remain."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for rule, alike in ((_TEXT, ':"x"'), (_NUMBER, ":1"), (r"[^\x20-\x7e]+", "?")):
        if pc.any(pc.match_substring_regex(texts, rule)).as_py():
            texts = pc.replace_substring_regex(texts, rule, alike)
    return texts.cast(pa.string()).dictionary_encode()


def json_states(heads: pa.Array, inside: tuple[str, ...], beside: frozenset[str]) -> npt.NDArray[np.int64]:
    """Return 0, 1 or 2 (no, yes, unknown) for each JSON object.

    ``inside`` leads to the object that has the attributes; names in ``beside`` are the writer's own.

    >>> import pyarrow as pa
    >>> texts = pa.array([b'{"s":{"user":"a"}}', b'{"s":{"cart":{"user":1}},"t":1}', b'{"s":{"x":1}}'])
    >>> json_states(texts, ("s",), frozenset()).tolist()
    [1, 0, 2]
    """
    import numpy as np

    encoded = shapes(heads)
    known = {text: n for n, text in enumerate(_STATES)}
    texts = encoded.dictionary.to_pylist()
    told = [known[_judge(text, inside, beside)] if n < _MOST_SHAPES else 2 for n, text in enumerate(texts)]
    return np.array(told, np.int64)[numbers(encoded.indices)] if told else np.zeros(0, np.int64)


def _judge(text: str, inside: tuple[str, ...], beside: frozenset[str]) -> Authentication:
    found = members(text)
    for name in inside:
        found = members(found.get(name, ""))
    return judge({name: value for name, value in found.items() if name not in beside})


def judge(attributes: dict[str, str]) -> Authentication:
    """Return the state of a session from the names at its top, each with its value as JSON.

    ``_id`` is Flask-Login's for whoever comes; in an application of Node it may be a document's of MongoDB: a user's.

    >>> str(judge({"_id": '"x"', "cart": "[1]"})), str(judge({"cart": "[1]"}))
    ('unknown', 'no')
    """
    passport = attributes.get(_PASSPORT, "")
    if '"user"' in passport:
        return Authentication.YES
    some = {name for name, value in attributes.items() if value not in _NOTHING}
    said = state(some - {_PASSPORT})
    return Authentication.UNKNOWN if said is Authentication.NO and _DOCUMENT in some else said


def members(text: str) -> dict[str, str]:
    """Return the names at the top of an object, or of what follows its first member, each with its value as text.

    Linear in the text, whatever it holds; of a text that was cut off, as far as it goes.

    >>> members('{"a": {"b":1},"c":[]}'), members(',"passport":{"user":1}}')
    ({'a': '{"b":1}', 'c': '[]'}, {'passport': '{"user":1}'})
    """
    spans: dict[str, tuple[int, int]] = {}
    name, depth = "", -1 if text[:1] == "{" else 0
    for match in _PIECE.finditer(text):
        piece = match[0]
        depth -= piece in "}]"
        if depth < 0 and match.start():
            break
        colon = _COLON.match(text, match.end()) if not depth and piece[0] == '"' else None
        if colon:
            name = piece[1:-1]
            spans[name] = colon.end(), colon.end()
        elif name:
            spans[name] = spans[name][0], match.end()
        depth += piece in "{["
    return {name: text[start:end].strip() for name, (start, end) in spans.items()}


_SIZED: Final = {
    **{tag: (1 << place, 0) for place, tag in enumerate((0xC4, 0xC5, 0xC6))},  # bytes
    **{tag: (1 << place, 1) for place, tag in enumerate((0xC7, 0xC8, 0xC9))},  # extensions
    **{tag: (1 << place, 0) for place, tag in enumerate((0xD9, 0xDA, 0xDB))},  # texts
}
_FIXED: Final = dict(
    zip(
        (0xCA, 0xCB, 0xCC, 0xCD, 0xCE, 0xCF, 0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8),
        (4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17),
        strict=True,
    )
)
_EMPTY: Final = frozenset({b"\xc0", b"\xc2", b"\x00", b"\xa0", b"\x80", b"\x90"})
"""MessagePack's nil, false, 0 and what is empty."""


def names(value: bytes) -> set[str] | None:
    r"""Return the keys of a dictionary in JSON, MessagePack or a pickle that have something in them; None: not told.

    Arbitrary bytes never raise.

    >>> sorted(names(b"\x82\xa4cart\x81\xa4user\xa1x\xa4user\xc0") or ())
    ['cart']
    >>> import pickle
    >>> sorted(names(pickle.dumps({"cart": {"user": 1}, "member": 3})) or ())
    ['cart', 'member']
    """
    if value[:1] == b"{":
        text = value.decode("utf-8", "replace")
        return {name for name, inside in members(text).items() if inside not in _NOTHING}
    if value[:1] == b"\x80" and value[1:2] in b"\x02\x03\x04\x05" and len(value) > 1:
        return keys_of_pickle(value)
    return set(_packed(value))


def _packed(value: bytes) -> Iterator[str]:
    """Yield the keys of a MessagePack map, as far as it goes (github.com/msgpack/msgpack/blob/master/spec.md)."""
    position = 3 if value[:1] == b"\xde" else 1
    while position < len(value):
        length = value[position] - 0xA0
        if not 0 <= length < 32:  # no short text: no key that a person wrote
            return
        name = value[position + 1 : position + 1 + length].decode("utf-8", "replace")
        position += 1 + length
        if value[position : position + 1] not in _EMPTY:
            yield name
        pending = 1
        while pending and position < len(value):
            size, inside = _item(value, position)
            position += size
            pending += inside - 1


def _item(value: bytes, position: int) -> tuple[int, int]:
    """Return the bytes of an item without what is inside, and how many items are inside."""
    tag = value[position]
    if tag < 0x80 or tag >= 0xE0:
        return 1, 0
    if tag < 0xA0:
        return 1, (tag & 15) * (1 if tag & 16 else 2)
    if tag < 0xC0:
        return 1 + (tag & 31), 0
    if tag in _SIZED:
        width, extra = _SIZED[tag]
        return 1 + width + extra + int.from_bytes(value[position + 1 : position + 1 + width], "big"), 0
    if tag >= 0xDC:
        width = 2 if tag in (0xDC, 0xDE) else 4
        return 1 + width, int.from_bytes(value[position + 1 : position + 1 + width], "big") * (1 if tag < 0xDE else 2)
    return 1 + _FIXED.get(tag, 0), 0
