# cython: language_level=3, boundscheck=True, wraparound=False, annotation_typing=False, cdivision=True, infer_types=True
"""What a key costs in the server's memory: its allocations, rounded as its allocator rounds them.

Sources: the server's object.c (``objectComputeSize``, which answers MEMORY USAGE), sds.c, dict.h, t_zset.c, quicklist.c.
"""

from __future__ import annotations

try:
    import cython  # noqa: F401
except ImportError:
    from necropsy.evidence.rdb import plain as cython  # type: ignore[no-redef]  # noqa: F401


class Sizes:
    """The arithmetic of one server: pointer size, allocator, sizes of its structures."""

    def __init__(self, *, pointer: int = 8, jemalloc: bool = True) -> None:
        self.pointer = pointer
        self.jemalloc = jemalloc
        self.object_size = 16 if pointer == 8 else 12
        self.dict_size = 56 if pointer == 8 else 36
        self.entry_size = 3 * 8 if pointer == 8 else 16
        self.node_size = 53.4 if pointer == 8 else 36.0

    def allocated(self, count: int) -> int:
        """Return what the allocator takes for so many bytes."""
        if not self.jemalloc:
            return 24 if count <= 24 else ((count + 23) & ~15) - 8
        if count <= 8:
            return 8
        if count <= 128:
            return (count + 15) & ~15
        step = 16
        while step * 8 < count:
            step *= 2
        return (count + step - 1) & ~(step - 1)

    def text(self, length: int) -> int:
        """Return the allocation of an sds."""
        if length < 32:
            return self.allocated(length + 2)
        if length < 256:
            return self.allocated(length + 4)
        if length < 65536:
            return self.allocated(length + 6)
        return self.allocated(length + 10)

    def slots(self, count: int) -> int:
        """Return the buckets of a hash table of so many entries."""
        slots = 4
        while slots < count:
            slots *= 2
        return slots

    def key(self, length: int, expires: bool) -> int:
        """Return what a key costs beside its value."""
        cost = self.text(length) + self.entry_size
        if expires:
            cost += self.entry_size + self.pointer
        return cost

    def string(self, length: int, encoding: int) -> int:
        """Return what a string costs: 0 raw, 1 a number, 2 embedded."""
        if encoding == 1:
            return self.object_size
        if encoding == 2:
            return self.allocated(self.object_size + length + 4)
        return self.object_size + self.text(length)

    def table(self, count: int) -> int:
        """Return the frame of a hash table of so many entries."""
        return self.object_size + self.dict_size + self.pointer * self.slots(count)

    def table_entry(self) -> int:
        """Return what an entry of a hash table costs beside its texts."""
        return self.entry_size

    def sorted_table(self, count: int) -> int:
        """Return skip list and table of so many entries, beside their texts."""
        frame = self.table(count) + 2 * self.pointer + 4 * self.pointer + 32 * (2 * self.pointer) + 3 * self.pointer
        return frame + int(count * (self.entry_size + self.node_size))

    def packed(self, length: int) -> int:
        """Return an object whose value is one allocation."""
        return self.object_size + self.allocated(length)

    def list_head(self) -> int:
        """Return the frame of a quicklist."""
        return self.object_size + 5 * self.pointer

    def list_node(self, length: int) -> int:
        """Return a node of a quicklist."""
        return 4 * self.pointer + self.allocated(length)
