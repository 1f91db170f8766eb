# cython: language_level=3, boundscheck=True, wraparound=False, annotation_typing=False, cdivision=True, initializedcheck=False
# ruff: noqa: C901, PLR0912 -- loops that are to compile to loops
r"""Pages: what is left of a request when everything that names a person or a thing is folded to ``*``.

=============================================  =========================
request                                        page
=============================================  =========================
``GET /users/8231/orders?sort=-date``          ``GET /users/*/orders``
``GET /login;jsessionid=9F3C2A``               ``GET /login``
``GET /assets/app.3f2a1b9c.js``                ``GET /assets/app.*.js``
``POST /invite/jo@example.org``                ``POST /invite/*``
``GET /api/v2/oauth2/token``                   ``GET /api/v2/oauth2/token``
``\x16\x03\x01``                               ``- -``
=============================================  =========================

It runs where lines are read, so that nothing else of a request gets any further. Folding by shape cannot know that
``/users/alice`` holds a name; where one path has very many children, ``visits.steps.path_pruning`` folds the rare ones, too.

And addresses: under which key a Referer names the page that redirected a client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

try:
    import cython
except ImportError:
    from necropsy._internal import cython_stub as cython

if not cython.compiled:
    from necropsy.evidence.access_log.scanner.byte_loops import find, key_of, same

if TYPE_CHECKING:
    from numpy.typing import NDArray

METHOD_WORDS = (
    b"GET HEAD POST PUT DELETE PATCH OPTIONS CONNECT TRACE "
    b"PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK REPORT SEARCH PURGE "
)
"""Methods that are shown; whatever else a client sends as its method is no word of ours (RFC 9110, 4918, 3253, 5323)."""
METHOD_BYTES = len(METHOD_WORDS)

OTHER, SEPARATOR, DIGIT, HEXADECIMAL, LETTER = 48, 49, 50, 51, 52
KINDS = (
    b"00000000000000000000000000000000"  # control characters
    b"00000000000001102222222222000000"  # punctuation, digits
    b"03333334444444444444444444400001"  # capital letters
    b"03333334444444444444444444400010"  # small letters
)
"""What a byte of a path segment is, as a digit for each of ASCII; an ``OTHER`` is in no page's name."""

DEPTH = 10
"""Segments of a page; what is deeper becomes one ``…``."""
LONGEST_SEGMENT = 80
LONGEST_WORD = 24
SHORTEST_HASH = 8
"""Letters of the shortest word that counts as hexadecimal: ``deadbeef``."""

ROOM = 24
"""Bytes that a page may be longer than its request: ``GET /`` of nothing, the dots at its end."""


def kind(byte: int) -> int:
    """Return what a byte is."""
    return KINDS[byte] if byte < 128 else OTHER


def is_method(data: Any, start: int, stop: int) -> bool:
    """Whether a word is a method that is shown."""
    at = 0
    while at < METHOD_BYTES:
        end = find(METHOD_WORDS, at, METHOD_BYTES, 32)
        if end - at == stop - start and same(data, start, stop, METHOD_WORDS, at, end - at):
            return True
        at = end + 1
    return False


def uuid_end(data: Any, start: int, stop: int) -> int:
    """Return where a UUID ends that begins here, with or without its hyphens; 0: there is none."""
    at = start
    group = 0
    while group < 5:
        last = at + (8 if group == 0 else 12 if group == 4 else 4)
        if last > stop:
            return 0
        while at < last:
            if kind(data[at]) != DIGIT and kind(data[at]) != HEXADECIMAL:
                return 0
            at += 1
        if group < 4 and at < stop and data[at] == 45:
            at += 1
        group += 1
    return at


def is_words(data: Any, start: int, stop: int) -> bool:
    """Whether a segment is made of words: letters, each with one digit at its end at most, between separators.

    Digits are a short end of a word (``v2``, ``oauth2``, ``woff2``); a word of hexadecimal letters alone is a hash.
    """
    if 1 < stop - start <= 3 and data[start] == 118:  # v10
        at = start + 1
        while at < stop and kind(data[at]) == DIGIT:
            at += 1
        if at == stop:
            return True
    at = start
    while at < stop:
        if kind(data[at]) == SEPARATOR:
            at += 1
            continue
        first = at
        hexadecimal = 1
        while at < stop and kind(data[at]) >= HEXADECIMAL:
            if kind(data[at]) == LETTER:
                hexadecimal = 0
            at += 1
        if at == first or at - first > LONGEST_WORD:
            return False
        if at < stop and kind(data[at]) == DIGIT:
            at += 1
            if at < stop and kind(data[at]) != SEPARATOR:
                return False
        elif hexadecimal and at - first >= SHORTEST_HASH:
            return False
    return True


def star(out: Any, begin: int, at: int) -> int:
    """Write a star; stars with one separator between them at most are one."""
    if at > begin and out[at - 1] == 42:
        return at
    if at - 1 > begin and out[at - 2] == 42 and kind(out[at - 1]) == SEPARATOR:
        return at - 1
    out[at] = 42
    return at + 1


def fold_segment(data: Any, start: int, stop: int, out: Any, to: int) -> int:
    """Write a segment of a path: as it is if it is made of words, else its words with stars for what is none."""
    at = start
    while at < stop and kind(data[at]) != OTHER:
        at += 1
    if at < stop or stop - start > LONGEST_SEGMENT:
        out[to] = 42
        return to + 1
    begin = to
    at = start
    if is_words(data, start, stop):
        while at < stop:
            out[to] = data[at]
            to += 1
            at += 1
        return to
    while at < stop:
        if kind(data[at]) == SEPARATOR:
            out[to] = data[at]
            to += 1
            at += 1
            continue
        # A run of letters and digits, or of UUIDs with their hyphens.
        end = at
        numbered = False
        while end < stop and kind(data[end]) != SEPARATOR:
            further = uuid_end(data, end, stop)
            if further > 0:
                numbered = True
                end = further
            else:
                if kind(data[end]) == DIGIT:
                    numbered = True
                end += 1
        if numbered:
            to = star(out, begin, to)
            at = end
        while at < end:
            further = at
            while further < end and kind(data[further]) == HEXADECIMAL:
                further += 1
            if further - at >= SHORTEST_HASH:
                to = star(out, begin, to)
                at = further
            elif end - at > LONGEST_WORD:
                to = star(out, begin, to)
                at = end
            else:
                out[to] = data[at]
                to += 1
                at += 1
    return to


def after_authority(data: Any, start: int, stop: int) -> int:
    """Return where the path of an absolute URL begins (a proxy is asked by one: RFC 9112, 3.2.2); ``start``: it is none."""
    at = start
    if at >= stop or kind(data[at]) < HEXADECIMAL:
        return start
    while at < stop and (kind(data[at]) >= DIGIT or data[at] == 43 or data[at] == 45 or data[at] == 46):
        at += 1
    if at + 3 > stop or data[at] != 58 or data[at + 1] != 47 or data[at + 2] != 47:
        return start
    return find(data, at + 3, stop, 47)


def fold_target(data: Any, start: int, stop: int, out: Any, to: int) -> int:
    """Write the path of a target. Path parameters (``;jsessionid=…``) and what stands behind ``#`` are no part of it."""
    if stop - start == 1 and data[start] == 42:  # OPTIONS *
        out[to] = 42
        return to + 1
    at = after_authority(data, start, stop)
    segments = -1  # before the first slash there must be nothing
    while True:
        end = at
        while end < stop and data[end] != 47 and data[end] != 59 and data[end] != 35:
            end += 1
        if segments < 0 and end > at:
            out[to] = 45
            return to + 1
        if segments >= 0:
            if segments == DEPTH:
                out[to] = 0xE2
                out[to + 1] = 0x80
                out[to + 2] = 0xA6
                return to + 3
            to = fold_segment(data, at, end, out, to)
        slash = stop
        if end < stop and data[end] != 35:
            slash = find(data, end, stop, 47)
        if slash >= stop:
            break
        out[to] = 47
        to += 1
        segments += 1
        at = slash + 1
    if segments < 0:
        out[to] = 47
        to += 1
    return to


def page_of(asked: Any, method: int, method_stop: int, data: Any, start: int, stop: int, out: Any, to: int) -> int:
    """Write the page of a request: its method, a space, its folded path. Needs ``ROOM`` bytes more than the request has."""
    if not is_method(asked, method, method_stop):
        out[to] = 45
        out[to + 1] = 32
        out[to + 2] = 45
        return to + 3
    while method < method_stop:
        out[to] = asked[method]
        to += 1
        method += 1
    out[to] = 32
    return fold_target(data, start, stop, out, to + 1)


def address_key(data: Any, start: int, stop: int, seed: int) -> int:
    """Return the key of host and path, ``shop.example/login``; the root has that of its host, with or without a slash."""
    if stop > start and data[stop - 1] == 47:
        slash = find(data, start, stop, 47)
        if slash == stop - 1:
            stop -= 1
    return key_of(data, start, stop, seed)


def referer_key(data: Any, start: int, stop: int, seed: int) -> int:
    """Return the key of the page that a Referer names, its query being off; 0: it names none.

    >>> referer_key(b"https://a.example/", 0, 18, 7) == address_key(b"a.example", 0, 9, 7)
    True
    """
    if same(data, start, stop, b"http://", 0, 7):
        return address_key(data, start + 7, stop, seed)
    if same(data, start, stop, b"https://", 0, 8):
        return address_key(data, start + 8, stop, seed)
    return 0


def fold_requests(data: Any, request_ends: NDArray[np.int64]) -> tuple[bytes, NDArray[np.int64]]:
    """Fold requests (method, space, target) that lie one behind the other; return their pages likewise.

    >>> pages, ends = fold_requests(b"GET /users/8231/ordersPOST /login", np.array([22, 33]))
    >>> pages, ends.tolist()
    (b'GET /users/*/ordersPOST /login', [19, 30])
    """
    stops = np.ascontiguousarray(request_ends, dtype=np.int64)
    count = len(stops)
    size = len(data)
    room = size + ROOM * count + 1
    pages = np.empty(room, np.uint8)
    ends = np.empty(count, np.int64)
    pointer = data
    folded = cython.address(pages[0]) if cython.compiled else pages
    start, number, to = 0, 0, 0
    while number < count:
        stop = stops[number]
        if stop < start or stop > size:
            raise IndexError("a text outside of the data")
        word = find(pointer, start, stop, 32)
        target = word + 1 if word < stop else stop
        to = page_of(pointer, start, word, pointer, target, find(pointer, target, stop, 32), folded, to)
        ends[number] = to
        start = stop
        number += 1
    return np.asarray(pages)[:to].tobytes(), np.asarray(ends)


def fill_address_keys(
    data: Any, ends: NDArray[np.int64], found: NDArray[np.uint64], seed: int, of_referers: bool
) -> None:
    """Fill in the keys of addresses, or of the pages that Referers name, that lie one behind the other."""
    out, stops = found, ends
    pointer = data
    count = len(ends)
    size = len(data)
    start, number = 0, 0
    while number < count:
        stop = stops[number]
        if stop < start or stop > size:
            raise IndexError("a text outside of the data")
        out[number] = (
            referer_key(pointer, start, stop, seed) if of_referers else address_key(pointer, start, stop, seed)
        )
        start = stop
        number += 1
