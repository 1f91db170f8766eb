# cython: language_level=3, boundscheck=True, wraparound=False, annotation_typing=False, cdivision=True, infer_types=True
"""Number of nodes of the server's radix tree for ids of 16 bytes that come in order.

A stream keeps its blocks, and its pending entries, in such trees; MEMORY USAGE reckons 244 bytes a node (object.c,
``streamRadixTreeMemoryUsage``). A node is a fork, the run of bytes that leads to a fork or an end, or an end (rax.c).
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from necropsy._internal import cython_stub as cython

if not cython.compiled:
    from necropsy.evidence.rdb.kernels import Memory

WIDTH = 16


class Radix:
    """Counts while ids are added: the forks that the last id lies under are kept, as their depths."""

    def __init__(self) -> None:
        self.last = Memory(16)
        self.branches = Memory(24)
        self.depth = 0
        self.before = -1
        self.keys = 0
        self.runs = 0
        self.forks = 0

    def clear(self) -> int:
        """Begin another tree."""
        self.depth = 0
        self.before = -1
        self.keys = 0
        self.runs = 0
        self.forks = 0
        return 0

    def add(self, memory: Memory, at: int) -> int:
        """Add an id, not smaller than the last."""
        if self.keys:
            common = 0
            while common < 16 and memory.byte(at + common) == self.last.byte(common):
                common += 1
            if common == 16:
                return 0
            self.leaf(max(common, self.before))
            self.close(common)
            if self.depth == 0 or self.branches.start[self.depth - 1] < common:
                self.branches.start[self.depth] = common
                self.depth += 1
            self.before = common
        self.last.copy(0, memory, at, 16)
        self.keys += 1
        return 0

    def leaf(self, common: int) -> int:
        """Count the run to an end from the fork at that depth (-1: from the root), unless the fork holds it."""
        if common != 15:
            self.runs += 1
        return 0

    def close(self, common: int) -> int:
        """Count the forks deeper than what the next id has in common with the last, and the runs to them."""
        while self.depth > 0 and self.branches.start[self.depth - 1] > common:
            top = self.branches.start[self.depth - 1]
            self.depth -= 1
            parent = self.branches.start[self.depth - 1] if self.depth > 0 else -1
            parent = max(parent, common)
            self.forks += 1
            if top != parent + 1:
                self.runs += 1
        return 0

    def size(self, exact: bool) -> int:
        """Return the bytes that the server reckons for the tree: from its nodes, or (Valkey) what it allocated.

        Allocated are: an end 24 bytes, a run about 40, a fork 24 and 9 for each way out of it, the tree itself 48.
        """
        if self.keys == 0:
            return 48 if exact else 244
        self.leaf(self.before)
        self.close(-1)
        if exact:
            return 48 + 24 * self.keys + 40 * self.runs + 24 * self.forks + 9 * (self.forks + self.keys - 1)
        return 16 * self.keys + 244 * (self.keys + self.runs + self.forks)
