# cython: language_level=3, boundscheck=True, wraparound=False, annotation_typing=False, cdivision=True, infer_types=True
"""Values and records of which nothing is wanted but where they end: streams, modules, arrays, functions, slots.

Sources: the server's rdb.c (``rdbLoadObject``, ``rdbLoadRioWithLoadingCtx``), t_stream.c, keymeta.c; librdb's parser.c.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from necropsy._internal import cython_stub as cython

if not cython.compiled:
    from necropsy.evidence.rdb.radix import Radix
    from necropsy.evidence.rdb.read_buffer import Window
    from necropsy.evidence.rdb.sizes import Sizes

from necropsy.evidence.rdb.kernels import Damaged

ROOM = 4096
"""Bytes that the server reserves for the block of a stream that it appends to, since Redis 7.0 (t_stream.c)."""


class Opaque:
    """Passes them; ``elements`` and ``weight`` are those of the value passed last."""

    def __init__(self, window: Window, sizes: Sizes) -> None:
        self.window = window
        self.sizes = sizes
        self.radix = Radix()
        self.elements = 0
        self.weight = 0

    def stream(self, version: int) -> int:
        """Pass a stream in one of its forms 1 to 5 (Redis 5, 7.0, 7.2, 8.6, 8.8)."""
        window = self.window
        nodes = window.size()
        self.weight = 40 if version == 1 else 80
        self.radix.clear()
        for i in range(nodes):
            window.text()
            got = window.open_text(16)  # id of the block's first entry
            if got < 16:
                raise Damaged("a block of a stream without an id")
            self.radix.add(window.opened, window.opened_at)
            window.text()
            self.weight += self.sizes.allocated(window.length)
            if i == nodes - 1 and version > 1 and window.length < ROOM:
                self.weight += ROOM - self.sizes.allocated(window.length)
            window.pass_text()
        self.weight += self.radix.size(self.sizes.generation == 3)
        self.elements = window.size()
        window.skip_size()  # last id: milliseconds, sequence
        window.skip_size()
        if version >= 2:
            for _ in range(5):  # first id, largest deleted id, entries ever added
                window.skip_size()
        count = window.size()
        for _ in range(count):
            self.group(version)
        if version >= 4:
            self.producers()
        return 0

    def group(self, version: int) -> int:
        """Pass a consumer group."""
        window = self.window
        window.skip_text()
        window.skip_size()
        window.skip_size()
        if version >= 2:
            window.skip_size()  # entries read
        pending = window.size()
        self.weight += (32 if version == 1 else 40) + 24 * pending
        self.radix.clear()
        for _ in range(pending):
            window.need(24)
            self.radix.add(window.memory, window.position)
            window.skip(24)  # id, time of delivery
            window.skip_size()  # deliveries
        self.weight += self.radix.size(self.sizes.generation == 3)
        consumers = window.size()
        for _ in range(consumers):
            window.text()
            self.weight += window.length + (24 if version < 3 else 32)
            window.pass_text()
            window.skip(8 if version < 3 else 16)  # last seen, last active
            pending = window.size()
            self.radix.clear()
            for _ in range(pending):
                window.need(16)
                self.radix.add(window.memory, window.position)
                window.skip(16)
            self.weight += self.radix.size(self.sizes.generation == 3)
        if version >= 5:
            count = window.size()
            window.skip(16 * count)  # refused deliveries
        return 0

    def producers(self) -> int:
        """Pass what a stream remembers of producers whose entries may come twice."""
        window = self.window
        window.skip_size()  # for how long
        window.skip_size()  # how many
        count = window.size()
        for _ in range(count):
            window.skip_text()
            entries = window.size()
            for _ in range(entries):
                window.skip_text()
                window.skip_size()
                window.skip_size()
        window.skip_size()  # how many were added, how many were refused
        window.skip_size()
        return 0

    def module(self) -> int:
        """Pass a module's value: parts that each say what they are, to the end."""
        window = self.window
        start = window.base + window.position
        self.elements = 0
        while True:
            code = window.size()
            if code == 0:
                break
            if code in (1, 2):
                window.skip_size()
            elif code == 3:
                window.skip(4)
            elif code == 4:
                window.skip(8)
            elif code == 5:
                window.skip_text()
            else:
                raise Damaged(f"{code} where a part of a module's value belongs")
        self.weight = window.base + window.position - start
        return 0

    def module_fact(self) -> int:
        """Pass what a module keeps beside the keys: its id, when it was written, its parts."""
        self.window.skip_size()
        self.window.skip_size()
        self.window.skip_size()
        return self.module()

    def array(self) -> int:
        """Pass an array: index, tag and value of each element that is there (Redis 8.8)."""
        window = self.window
        count = window.size()
        self.elements = count
        self.weight = 64 + 8 * count
        if window.size():
            window.skip_size()  # where the next one goes
        for _ in range(count):
            window.skip_size()
            tag = window.size()
            if tag in (1, 2):
                window.skip(8)
            elif tag in (0, 3):
                window.text()
                if tag == 0:
                    self.weight += window.length + 9
                window.pass_text()
            else:
                raise Damaged(f"{tag} where the tag of an array's element belongs")
        return 0

    def key_metadata(self) -> int:
        """Pass what modules attached to the key that comes next (Redis 8.6)."""
        count = self.window.size()
        for _ in range(count):
            self.window.skip(4)
            self.module()
        return 0

    def function(self) -> int:
        """Pass a function as release candidates of Redis 7.0 wrote it: name, engine, maybe a description, code."""
        window = self.window
        window.skip_text()
        window.skip_text()
        if window.size():
            window.skip_text()
        return window.skip_text()

    def slot_import(self) -> int:
        """Pass a slot import under way (Valkey 9): its name, the ranges of slots."""
        window = self.window
        window.skip_text()
        count = window.size()
        for _ in range(count):
            window.skip_size()
            window.skip_size()
        return 0
