# cython: language_level=3, boundscheck=True, wraparound=False, annotation_typing=False, cdivision=True, infer_types=True
"""Memory of a key in the server: its allocations, each rounded up as the allocator rounds it.

The sum follows what MEMORY USAGE counts: object, key, value and, where a key has a dictionary entry of its own, that
too; an expiry adds its place in the table of expiries, which MEMORY USAGE leaves out. Three generations differ:

=========  ====================  ==================================================================================
1 CLASSIC  Redis to 8.1,         object, key and dictionary entry are three allocations; text up to 44 bytes lies in
           Valkey to 8.0         the object
2 KEYED    Redis 8.2 and later   key and expiry lie in the object; text too while all of it takes 64 bytes at most
3 COMPACT  Valkey 8.1 and later  the same with 128 bytes (8.1 and 9.0: 64); tables have buckets of 7 entries, hash
                                 fields lie with their values up to 128 bytes, sorted sets' members in their nodes
=========  ====================  ==================================================================================

Sources: Redis's object.c (``kvobjComputeSize``, ``kvobjSet``), sds.c, dict.h, t_zset.c, quicklist.h; Valkey's object.c,
hashtable.c, entry.c. jemalloc's size classes: four to each doubling; below 64 bytes every 8 as the servers build it, every
16 as distributions do.
"""

from __future__ import annotations

from array import array

CLASSIC, KEYED, COMPACT = 1, 2, 3
"""Generations."""

QUANTA = {"jemalloc": 8, "jemalloc-16": 16, "libc": 0}
"""Allocators: as the servers bundle it, as Debian and others build it, the C library's."""

SHORT = 1024
"""Lengths of texts whose allocations are worked out once."""


class Sizes:
    """The arithmetic of one server.

    Parameters
    ----------
    generation
        See above.
    embed_limit
        Bytes of an object that holds key and text, at most.
    dict_size
        Bytes of a hash table's head.
    pointer
        8, or 4 on a server of 32 bits.
    quantum
        Spacing of the small allocations; 0 for the C library's.
    """

    def __init__(
        self,
        generation: int = CLASSIC,
        *,
        embed_limit: int = 64,
        dict_size: int = 56,
        pointer: int = 8,
        quantum: int = 8,
    ) -> None:
        self.generation = generation
        self.embed_limit = embed_limit
        # Valkey 9.1 drops the pointer to a text that lies beside it.
        self.embed_head = 8 if generation == COMPACT and embed_limit > 64 else 8 + pointer
        self.pointer = pointer
        self.quantum = quantum
        self.object_size = 8 + pointer
        self.entry_size = 3 * 8 if pointer == 8 else 16
        self.sorted_entry_size = self.entry_size if generation == CLASSIC else 2 * pointer
        self.dict_size = dict_size if pointer == 8 else dict_size * 5 // 8
        if generation == CLASSIC:
            self.expiry_size = self.allocated(self.entry_size) + pointer
        elif generation == KEYED:
            self.expiry_size = 14  # a pointer for each bucket, an entry of two for every third key
        else:
            self.expiry_size = 10  # a bucket of 64 bytes for every 7 keys, not all of them full
        self.short_texts = array("q", [self.allocated(self.request(length)) for length in range(SHORT)])
        self.levels = 4.0 / 3.0  # of a skip list node, on average

    def allocated(self, count: int) -> int:
        """Return what the allocator takes for so many bytes."""
        if self.quantum == 0:
            return 24 if count <= 24 else ((count + 23) & ~15) - 8
        if count <= 8:
            return 8
        if count <= 64:
            step = self.quantum
        else:
            step = 16
            while step * 8 < count:
                step *= 2
        return (count + step - 1) & ~(step - 1)

    def request(self, length: int) -> int:
        """Return the bytes of an sds: head, text, zero."""
        if length < 32:
            return length + 2
        if length < 256:
            return length + 4
        if length < 65536:
            return length + 6
        return length + 10

    def text(self, length: int) -> int:
        """Return the allocation of an sds."""
        if 0 <= length < SHORT:
            return self.short_texts[length]
        return self.allocated(self.request(length))

    def slots(self, count: int) -> int:
        """Return the buckets of a dictionary of so many entries."""
        slots = 4
        while slots < count:
            slots *= 2
        return slots

    def embeds(self, key: int, expires: bool, length: int) -> bool:
        """Tell whether a text lies in its object."""
        if self.generation == CLASSIC:
            return length <= 44
        if self.generation == KEYED:
            return self.object_size + key + 3 + 8 * expires + 4 + length <= self.embed_limit
        # Decided when the text is set, before it gets its expiry.
        return length < 256 and self.embed_head + self.request(key) + 1 + 4 + length <= self.embed_limit

    def record(self, key: int, expires: bool) -> int:
        """Return object, key, entry and expiry of a key whose value lies elsewhere."""
        if self.generation == CLASSIC:
            return self.object_size + self.text(key) + self.entry_size + expires * self.expiry_size
        reserved = 8 if expires or key >= 128 else 0
        return self.allocated(self.object_size + reserved + 1 + self.request(key)) + expires * self.expiry_size

    def number(self, key: int, expires: bool) -> int:
        """Return a key with a number, which takes the place of the pointer."""
        return self.record(key, expires)

    def embedded(self, key: int, expires: bool, length: int) -> int:
        """Return a key with a text that lies in its object."""
        if self.generation == CLASSIC:
            inside = self.allocated(self.object_size + length + 4)
            return inside + self.text(key) + self.entry_size + expires * self.expiry_size
        inside = self.embed_head + 8 * expires + 1 + self.request(key) + 4 + length
        return self.allocated(inside) + expires * self.expiry_size

    def table(self, count: int) -> int:
        """Return the frame of a hash table of so many entries."""
        if self.generation != COMPACT:
            return self.dict_size + self.pointer * self.slots(count)
        buckets = 1
        while buckets * 7 < count:
            buckets *= 2
        load = count / (7.0 * buckets)
        if load > 0.5 and buckets > 1:  # some overflow: a bucket more for these
            buckets += int(buckets * (load - 0.5) * 0.8)
        return 72 + 64 * buckets

    def pair(self, field_length: int, value_length: int, expires: bool) -> int:
        """Return an entry of a hash."""
        if self.generation != COMPACT:
            return self.text(field_length) + self.text(value_length) + self.entry_size + 16 * expires
        field = self.request(field_length)
        if expires:
            field = max(field, field_length + 4) + 8
        if field + value_length + 4 <= 128:
            return self.allocated(field + value_length + 4)
        field = max(field, field_length + 4 + 8 * expires)
        return self.allocated(field + self.pointer) + self.text(value_length)

    def member(self, length: int) -> int:
        """Return an entry of a set."""
        return self.text(length) + (self.entry_size if self.generation != COMPACT else 0)

    def sorted_frame(self, count: int) -> int:
        """Return the frame of a sorted set: table, list, and the list's head of 32 levels."""
        head = 3 * self.pointer + 32 * 2 * self.pointer
        return self.table(count) + 2 * self.pointer + 4 * self.pointer + self.allocated(head)

    def scored(self, length: int) -> float:
        """Return an entry of a sorted set, its node of average height."""
        inside = self.generation == COMPACT and self.embed_head == 8  # the text in its node: Valkey 9.1
        base = 8 + self.pointer + 1 + self.request(length) if inside else 8 + 2 * self.pointer
        node = (
            0.75 * self.allocated(base + 2 * self.pointer)
            + 0.1875 * self.allocated(base + 4 * self.pointer)
            + 0.046875 * self.allocated(base + 6 * self.pointer)
            + 0.015625 * self.allocated(base + 8 * self.pointer)
        )
        if inside:
            return node
        if self.generation == COMPACT:
            return node + self.text(length)
        return node + self.sorted_entry_size + self.text(length)

    def list_frame(self) -> int:
        """Return the frame of a quicklist."""
        return 5 * self.pointer

    def list_node(self, length: int) -> int:
        """Return a node of a quicklist."""
        return 4 * self.pointer + self.allocated(length)


def sizes_of(facts: dict[str, str], allocator: str = "jemalloc") -> Sizes:
    """Return the arithmetic of the server that a dump's AUX fields name.

    >>> sizes_of({"redis-ver": "8.2.3"}).generation, sizes_of({"valkey-ver": "9.1.2"}).embed_limit
    (2, 128)
    """
    pointer = 4 if facts.get("redis-bits") == "32" else 8
    quantum = QUANTA[allocator]
    if "valkey-ver" in facts:
        version = _version(facts["valkey-ver"])
        if version >= (8, 1):
            limit = 128 if version >= (9, 1) else 64
            return Sizes(COMPACT, embed_limit=limit, pointer=pointer, quantum=quantum)
        return Sizes(CLASSIC, pointer=pointer, quantum=quantum)
    version = _version(facts.get("redis-ver", ""))
    if version >= (8, 2):
        return Sizes(KEYED, pointer=pointer, quantum=quantum)
    return Sizes(CLASSIC, dict_size=96 if (0,) < version < (7,) else 56, pointer=pointer, quantum=quantum)


def _version(text: str) -> tuple[int, ...]:
    parts = []
    for part in text.split("."):
        if not part.isdigit():
            break
        parts.append(int(part))
    return tuple(parts)
