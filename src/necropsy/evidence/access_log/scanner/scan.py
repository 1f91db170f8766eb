# cython: language_level=3, boundscheck=True, wraparound=False, annotation_typing=False, cdivision=True, initializedcheck=False
# ruff: noqa: C901, PLR0911, PLR0912 -- loops that are to compile to loops
"""Lines of a log become numbers: a time, a status, flags, and for each text a key (64-bit hash); each text is given once.

A line that its plan cannot read is *hard*: it is only counted here, and left to the other readers. What is read must be what
``reference`` reads; ``tests/evidence/access_log/scanner`` compares the two.

Several threads scan at the same time, each piece of a log with a ``LineScanner`` of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

try:
    import cython
except ImportError:
    from necropsy._internal import cython_stub as cython

if not cython.compiled:
    from necropsy.evidence.access_log.scanner.byte_loops import (
        GET_AT,
        NO_TIME,
        WORDS,
        digits,
        duration_us,
        find,
        first_odd,
        is_exact,
        is_ipv4,
        is_mapped,
        key_of,
        same,
        time_us,
    )
    from necropsy.evidence.access_log.scanner.line_values import LONGEST, LineValues
    from necropsy.evidence.access_log.scanner.path_templates import address_key, page_of, referer_key

from necropsy.evidence.access_log.scanner.line_values import numbers

if TYPE_CHECKING:
    from necropsy.evidence.access_log.scanner.plan import Plan

CLIENT, AGENT, HOST, PAGE = 0, 1, 2, 3
TEXTS = 4
"""Texts of a line that get keys and are given."""
ADDRESS, REFERER = 4, 5
"""Of a redirect, the key of what a Referer would call it; the key of the page that the Referer of a line names."""
FIELDS = 6
REQUEST = 4
"""Requests are remembered behind the texts, with the keys of their pages; they are never given."""

EMPTY = 16  # see ``line_flags``
PAGE_ROOM = 24
"""Bytes that a page may be longer than its request."""

BYTE_ORDER_MARK = 0xEF  # its first byte
SHORTEST = 16
"""Bytes of the shortest line that tells a time."""
REMEMBERED = 1 << 18
"""Keys of a field whose texts are known to have been given, at most; then all are forgotten, and given again."""


def is_compiled() -> bool:
    """Whether this module is compiled; if not, DuckDB is faster."""
    return bool(cython.compiled)


class LineScanner(LineValues):
    """Reads plain lines by a plan. Not for two threads at a time."""

    def __init__(self, plan: Plan, seed: int) -> None:
        LineValues.__init__(self, plan)
        self.seed = seed
        self.time_form = plan.time_form
        self.time = plan.time
        self.time_is_exact = 1 if plan.time_is_exact else 0
        self.duration = plan.duration
        self.request = plan.request
        self.method = plan.method
        self.target = plan.target
        self.clients = numbers(plan.client)
        self.client_count = len(plan.client)
        self.client_is_list = 1 if plan.client_is_list else 0
        self.client_is_untidy = 1 if plan.client_is_untidy else 0
        self.header_flags = [flag for _, flag in plan.headers]
        self.header_slots, self.header_count = numbers([slot for slot, _ in plan.headers]), len(plan.headers)
        self.told = plan.told
        self.hosts = numbers(plan.host)
        self.host_count = len(plan.host)
        self.status = plan.status
        self.agent = plan.agent
        self.referer = plan.referer
        self.seen = np.zeros((TEXTS + 1) * 2 * REMEMBERED, np.uint64)
        self.seen_count = numbers([0] * (TEXTS + 1))
        self.page_of_seen = np.zeros(2 * REMEMBERED, np.uint64)
        self.place = 0
        self.text_begin, self.text_finish = numbers([0] * TEXTS), numbers([0] * TEXTS)
        self.capacity = 0

    def make_room(self, size: int) -> int:
        """Make the columns large enough for so many bytes; they are used again for every piece."""
        self.capacity = max(size, 1)
        self.rows, self.hard_rows = size // SHORTEST + 1, size // 2 + 1
        self.room = size + PAGE_ROOM * (self.rows + 1)
        rows, room = self.rows, self.room
        self.columns = (
            np.empty(rows, np.int32), np.empty(rows, np.int64), np.empty(rows, np.int16), np.empty(FIELDS * rows, np.uint64),
            np.empty(rows, np.int8),
            np.empty(3 * self.hard_rows, np.int32), np.empty(TEXTS * rows, np.uint64), np.empty(TEXTS * rows, np.int32),
            np.empty((TEXTS + 1) * room, np.uint8) if cython.compiled else bytearray((TEXTS + 1) * room),
            np.zeros(rows, np.uint64),
            np.empty(max(self.header_count * rows, 1), np.int64), np.empty(max(self.header_count * room, 1), np.uint8),
        )  # fmt: skip
        self.out_line, self.out_us, self.out_status, self.out_keys, self.out_signs = self.columns[:5]
        self.out_hard, self.text_keys, self.text_ends, self.texts = self.columns[5:9]
        self.header_ends, self.headers = self.columns[10:]
        self.text_start = cython.address(self.texts[0]) if cython.compiled else self.texts
        return 0

    def scan(self, piece: bytes | bytearray, start: int = 0, stop: int = -1) -> dict[str, Any]:
        """Scan whole lines: a range of some bytes, or all of them.

        Returns
        -------
        ``lines``: how many; ``line``: which of them were read, from 0; ``time_us``, ``status`` (-1: the layout has none),
        ``flags`` (see there), ``keys`` (a row for each field) of these; ``headers``: see ``kept_header``; ``texts``: for
        client, agent, host and page keys, ends and bytes of texts not given before; ``hard``: which lines are to be read
        otherwise, ``hard_start``, ``hard_stop`` (bytes).
        """
        stop = len(piece) if stop < 0 else stop
        if not 0 <= start <= stop <= len(piece):
            raise IndexError("a range outside of the bytes")
        if stop - start > self.capacity or self.capacity == 0:
            self.make_room(stop - start)
        rows, room = self.rows, self.room
        line, at_us, status, keys, flags, hard, text_keys, text_ends, texts, nothing = self.columns[:10]
        if not cython.compiled:
            self.data = piece
        elif stop > 0:
            self.piece = piece
            self.data = cython.address(self.piece[0])
        self.start, self.stop = start, stop
        self.text_count, self.text_bytes = numbers([0] * TEXTS), numbers([0] * TEXTS)
        self.header_bytes = numbers([0] * self.header_count)
        self.count = self.hard_count = self.lines = 0
        self.cached_start = self.cached_stop = self.cached_us = 0
        with cython.nogil:
            self.run()
        count, hard_count = self.count, self.hard_count
        found = [keys[field * rows : field * rows + count] for field in range(FIELDS)]
        given = []
        for field in range(TEXTS):
            number, used = int(self.text_count[field]), int(self.text_bytes[field])
            first = field * rows
            given.append(
                (
                    text_keys[first : first + number].copy(),
                    text_ends[first : first + number].copy(),
                    bytes(memoryview(texts)[field * room : field * room + used]),  # type: ignore[arg-type]
                )
            )
        return {
            "lines": self.lines,
            "line": line[:count].copy(),
            "time_us": at_us[:count].copy(),
            "status": status[:count].copy(),
            "flags": flags[:count].copy(),
            # What the layout does not have takes no memory: all pieces share the same nothing.
            "keys": [column.copy() if column.any() else nothing[:count] for column in found],
            "texts": given,
            "headers": [self.kept_header(number) for number in range(self.header_count)],
            "hard": hard[:hard_count].copy(),
            "hard_start": hard[self.hard_rows : self.hard_rows + hard_count].copy(),
            "hard_stop": hard[2 * self.hard_rows : 2 * self.hard_rows + hard_count].copy(),
        }

    def kept_header(self, number: int) -> tuple[int, Any, bytes]:
        """Return the flag that a header sets, and what the lines have of it: ends, and bytes one behind the other."""
        first, begin = number * self.rows, number * self.room
        ends, texts = self.columns[10:]
        data = bytes(memoryview(texts)[begin : begin + int(self.header_bytes[number])])  # type: ignore[arg-type]
        return self.header_flags[number], ends[first : first + self.count].copy(), data

    def run(self) -> int:
        """Walk through the lines of the piece."""
        base = self.data
        at = self.start
        while at < self.stop:
            odd = first_odd(self.data, at, self.stop)
            end = odd
            if end < self.stop and self.data[end] != 10:
                end = find(self.data, end, self.stop, 10)
            stop = end
            if stop > at and self.data[stop - 1] == 13:
                stop -= 1
            self.has_backslash = 0
            if stop > at and (
                stop - at < SHORTEST
                or stop - at > LONGEST
                or (odd < stop and (self.data[at] == BYTE_ORDER_MARK or not self.readable(at, stop)))
                or not self.row(at, stop)
            ):
                self.out_hard[self.hard_count] = self.lines
                self.out_hard[self.hard_rows + self.hard_count] = at
                self.out_hard[2 * self.hard_rows + self.hard_count] = end
                self.hard_count += 1
            if self.to_mend:  # the next line is read where it stands
                self.data = base
                self.to_mend = self.cached_start = self.cached_stop = 0
            self.lines += 1
            at = end + 1
        return 0

    def row(self, start: int, stop: int) -> int:
        """Read one line; 0: it is hard."""
        if not self.find_values(start, stop):
            return 0
        if self.to_mend:
            self.cached_start = self.cached_stop = 0
            if not self.mend(start, stop):
                return 0
        # The keys that differ most come first: where they are remembered lies far apart, and is on its way here meanwhile.
        if not self.asked() or not self.first_given(CLIENT):
            return 0
        if self.begin[self.time] < 0:
            return 0
        moment = self.moment(self.begin[self.time], self.finish[self.time])
        if moment == NO_TIME:
            return 0
        if self.duration >= 0 and self.begin[self.duration] >= 0:
            took = duration_us(self.data, self.begin[self.duration], self.finish[self.duration])
            if took < 0:
                return 0
            moment -= took
        status = -1
        if self.time_is_exact and not is_exact(
            self.data, self.begin[self.time], self.finish[self.time], self.time_form
        ):
            return 0
        if self.status >= 0:
            at = self.begin[self.status]
            if at >= 0:
                status = digits(self.data, at, self.finish[self.status]) if self.finish[self.status] - at == 3 else -1
                if status < 0:
                    return 0
        if not self.first_given(HOST) or not self.user_agent() or not self.refers():
            return 0
        if not self.give(CLIENT) or not self.give(HOST) or not self.give(AGENT):
            return 0
        if not self.page(status in {301, 302, 303, 307, 308}):
            return 0
        self.out_line[self.count] = self.lines
        self.out_us[self.count] = moment
        self.out_status[self.count] = status
        if self.header_count and not self.keep_headers():
            return 0
        self.out_signs[self.count] = self.told + self.own_cookies() + (EMPTY if self.has_no_body() else 0)
        self.count += 1
        return 1

    def moment(self, start: int, stop: int) -> int:
        """Return the time; that of the line before is remembered, as most lines share it."""
        length = self.cached_stop - self.cached_start
        if length > 0 and length == stop - start and same(self.data, start, stop, self.data, self.cached_start, length):
            return self.cached_us
        found = time_us(self.data, start, stop, self.time_form)
        if found != NO_TIME:
            self.cached_start, self.cached_stop, self.cached_us = start, stop, found
        return found

    def asked(self) -> int:
        """Find method and target of the request, and the key of both. 0: hard."""
        if self.request >= 0:
            if self.begin[self.request] < 0 or not self.quoted[self.request]:
                return 0
            method, stop = self.begin[self.request], self.finish[self.request]
            stop = find(self.data, method, stop, 63)
            if stop <= method:
                return 0
            method_stop = find(self.data, method, stop, 32)
            start = method_stop + 1 if method_stop < stop else stop
            stop = find(self.data, start, stop, 32)
            key = key_of(self.data, method, stop, self.seed + PAGE)
            return self.remember_request(self.data, method, method_stop, start, stop, key)
        if self.begin[self.target] < 0 or not self.quoted[self.target]:
            return 0
        start, stop = self.begin[self.target], self.finish[self.target]
        stop = find(self.data, start, stop, 63)
        if find(self.data, start, stop, 32) < stop or stop == start:
            return 0
        if self.method < 0:
            return self.remember_request(
                WORDS, GET_AT, GET_AT + 3, start, stop, key_of(self.data, start, stop, self.seed + PAGE)
            )
        method, method_stop = self.begin[self.method], self.finish[self.method]
        if method < 0 or method == method_stop or not self.quoted[self.method]:
            return 0
        start_of_method = method
        while method < method_stop:  # a blank, or what no format takes for a part of a method: , / : ?
            byte = self.data[method]
            if byte == 32 or byte == 44 or byte == 47 or byte == 58 or byte == 63:  # noqa: PLR1714
                return 0
            method += 1
        method = start_of_method
        # The key of the method is the seed of that of the target: no request is taken for another.
        key = key_of(self.data, start, stop, key_of(self.data, method, method_stop, self.seed + PAGE))
        return self.remember_request(self.data, method, method_stop, start, stop, key)

    def remember_request(self, asked: Any, method: int, method_stop: int, start: int, stop: int, key: int) -> int:
        """Keep what was asked for, and its key."""
        self.asked_in, self.method_start, self.method_stop = asked, method, method_stop
        self.target_start, self.target_stop = start, stop
        self.key_of_request = key
        self.fetch(REQUEST, key)
        if cython.compiled:
            prefetch(cython.address(self.page_of_seen[key & (2 * REMEMBERED - 1)]))  # type: ignore[name-defined]  # noqa: F821
        return 1

    def fetch(self, field: int, key: int) -> int:
        """Have the place at which a key is remembered fetched from memory; nothing waits for it yet."""
        if cython.compiled:
            place = field * 2 * REMEMBERED + (key & (2 * REMEMBERED - 1))
            prefetch(cython.address(self.seen[place]))  # type: ignore[name-defined]  # noqa: F821 -- of byte_loops.pxd
        return 0

    def page(self, redirects: int) -> int:
        """Fold a request that was not met before to its page, and set its keys; of a redirect that of its address, too."""
        start, stop = self.target_start, self.target_stop
        self.out_keys[ADDRESS * self.rows + self.count] = 0
        host, host_stop = self.text_begin[HOST], self.text_finish[HOST]
        if redirects and host_stop > host:
            at = TEXTS * self.room
            end = at + host_stop - host + stop - start
            if end > at + self.room:
                return 0
            while host < host_stop:
                self.texts[at] = self.data[host]
                at += 1
                host += 1
            i = start
            while i < stop:
                self.texts[at] = self.data[i]
                at += 1
                i += 1
            key = address_key(self.text_start, TEXTS * self.room, end, self.seed + HOST)
            self.out_keys[ADDRESS * self.rows + self.count] = key
        if self.is_new(REQUEST, self.key_of_request):
            method, method_stop = self.method_start, self.method_stop
            place = self.place
            at = PAGE * self.room + self.text_bytes[PAGE]
            if at + method_stop - method + stop - start + PAGE_ROOM > (PAGE + 1) * self.room:
                return 0
            end = page_of(self.asked_in, method, method_stop, self.data, start, stop, self.text_start, at)
            key = key_of(self.text_start, at, end, self.seed + PAGE)
            self.page_of_seen[place] = key
            if self.is_new(PAGE, key):
                self.note(PAGE, key, end - at)
        else:
            key = self.page_of_seen[self.place]
        self.out_keys[PAGE * self.rows + self.count] = key
        return 1

    def user_agent(self) -> int:
        """Set the key of the user agent. 0: hard."""
        if self.agent < 0 or self.begin[self.agent] < 0:
            return self.text_key(AGENT, 0, 0)
        if not self.quoted[self.agent]:
            return 0
        return self.text_key(AGENT, self.begin[self.agent], self.finish[self.agent])

    def keep_headers(self) -> int:
        """Keep the headers of a line in which cookies are looked for."""
        number = 0
        while number < self.header_count:
            slot = self.header_slots[number]
            at = number * self.room + self.header_bytes[number]
            i = self.begin[slot]
            if i >= 0:
                if at + self.finish[slot] - i > (number + 1) * self.room:
                    return 0
                while i < self.finish[slot]:
                    self.headers[at] = self.data[i]
                    at += 1
                    i += 1
            self.header_bytes[number] = at - number * self.room
            self.header_ends[number * self.rows + self.count] = at - number * self.room
            number += 1
        return 1

    def refers(self) -> int:
        """Set the key of the page that the Referer names. 0: hard."""
        key = 0
        if self.referer >= 0 and self.begin[self.referer] >= 0:
            if not self.quoted[self.referer]:
                return 0
            start = self.begin[self.referer]
            stop = find(self.data, start, self.finish[self.referer], 63)
            key = referer_key(self.data, start, stop, self.seed + HOST)
        self.out_keys[REFERER * self.rows + self.count] = key
        return 1

    def first_given(self, field: int) -> int:
        """Set the key of a field by the first of its sources that is given. 0: hard."""
        many = self.client_count if field == CLIENT else self.host_count
        number = 0
        start, stop = 0, 0
        while number < many:
            slot = self.clients[number] if field == CLIENT else self.hosts[number]
            number += 1
            if self.begin[slot] < 0:
                continue
            if not self.quoted[slot]:
                return 0
            start, stop = self.begin[slot], self.finish[slot]
            if many == 1 or (stop > start and not (stop - start == 1 and self.data[start] == 45)):
                break
            start, stop = 0, 0
        if field == CLIENT and self.client_is_list:
            stop = find(self.data, start, stop, 44)
            while start < stop and self.data[start] == 32:
                start += 1
            while stop > start and self.data[stop - 1] == 32:
                stop -= 1
        if field == CLIENT and self.client_is_untidy and start < stop:  # see ``addresses.tidied``
            if self.data[start] == 91:
                return 0
            if is_mapped(self.data, start, stop):
                start += 7
            else:
                colon = find(self.data, start, stop, 58)
                if (
                    colon < stop
                    and is_ipv4(self.data, start, colon)
                    and self.digits_end(colon + 1, stop) == stop > colon + 1
                ):
                    stop = colon
        return self.text_key(field, start, stop)

    def text_key(self, field: int, start: int, stop: int) -> int:
        """Set the key of a field."""
        key = key_of(self.data, start, stop, self.seed + field)
        self.text_begin[field], self.text_finish[field] = start, stop
        self.out_keys[field * self.rows + self.count] = key
        if field == CLIENT:  # of all others there are few, which are near by
            self.fetch(field, key)
        return 1

    def give(self, field: int) -> int:
        """Give the text of a field, if it was not given yet."""
        key = self.out_keys[field * self.rows + self.count]
        start, stop = self.text_begin[field], self.text_finish[field]
        if key != 0 and self.is_new(field, key):
            at = field * self.room + self.text_bytes[field]
            if at + stop - start > (field + 1) * self.room:
                return 0
            i = start
            while i < stop:
                self.texts[at] = self.data[i]
                at += 1
                i += 1
            self.note(field, key, stop - start)
        return 1

    def note(self, field: int, key: int, length: int) -> int:
        """Close the text that was written."""
        self.text_bytes[field] += length
        place = field * self.rows + self.text_count[field]
        self.text_keys[place] = key
        self.text_ends[place] = self.text_bytes[field]
        self.text_count[field] += 1
        return 0

    def is_new(self, field: int, key: int) -> int:
        """Whether the text of a key was not given yet; it counts as given from now on, and ``place`` is where it stands."""
        begin = field * 2 * REMEMBERED
        mask = 2 * REMEMBERED - 1
        place = key & mask
        while True:
            there = self.seen[begin + place]
            self.place = place
            if there == key:
                return 0
            if there == 0:
                break
            place = (place + 1) & mask
        if self.seen_count[field] >= REMEMBERED:
            i = 0
            while i < 2 * REMEMBERED:
                self.seen[begin + i] = 0
                i += 1
            self.seen_count[field] = 0
            place = key & mask
            self.place = place
        self.seen[begin + place] = key
        self.seen_count[field] += 1
        return 1
