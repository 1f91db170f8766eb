# cython: language_level=3, boundscheck=True, wraparound=False, annotation_typing=False, cdivision=True, infer_types=True
# ruff: noqa: C901, PLR0912 -- the records of a dump, each a case
"""The dump from its first opcode to its last: keys become rows, all else becomes facts or is passed.

On disk, each key is: its expiry, idle time or use, if any; its type; its name; its value.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from necropsy._internal import cython_stub as cython

if not cython.compiled:
    from necropsy.evidence.rdb.columns import Columns
    from necropsy.evidence.rdb.projection import Picker
    from necropsy.evidence.rdb.read_buffer import Window
    from necropsy.evidence.rdb.values import ValueReader

from necropsy.evidence.rdb.kernels import Damaged
from necropsy.evidence.rdb.read_buffer import TooWide
from necropsy.evidence.rdb.sizes import sizes_of
from necropsy.evidence.rdb.values import Unknown
from necropsy.sessions.keyspace import Projection

LONGEST_KEY = 32 << 20
EARLIEST, LATEST = -62_135_596_800_000, 253_402_300_799_999
"""Expiries, in milliseconds, are clamped to the years 1 to 9999: beyond them Python has no time, nor have databases."""


class Scanner:
    """Fills columns with keys."""

    def __init__(
        self,
        window: Window,
        projection: Projection,
        rows: int,
        version: int,
        valkey: bool,
        sample: float,
        allocator: str,
    ) -> None:
        self.window = window
        self.columns = Columns(projection, rows)
        self.picker = Picker(window, self.columns, projection)
        form = 11 if valkey else version
        self.values = ValueReader(window, self.picker, sizes_of({}, allocator), version=form, valkey=valkey)
        self.allocator = allocator
        self.facts: dict[str, str] = {}
        self.version = version
        self.valkey = valkey
        self.db = 0
        self.expires_at = 0
        self.expires = False
        self.idle = -1
        self.frequency = -1
        self.keys_read = 0
        self.keys_seen = 0
        self.announced = 0
        self.choosing = sample < 1.0
        self.chosen_below = min(max(int(sample * 2.0**63), 0), 2**63 - 1)
        self.record_at = 0
        self.hurt = 0
        self.hurt_at = 0
        self.curtailed = 0
        self.curtailed_at = 0
        self.hurt_why = ""

    def renew(self, projection: Projection) -> None:
        """Begin another batch."""
        self.columns = self.columns.another(projection)
        self.picker.renew(self.columns)

    def fill(self) -> bool:
        """Read keys until the batch is full (True) or the dump's end was read (False).

        Raises
        ------
        Truncated, Damaged
            The rows read before stay; ``record_at`` is where the broken one began.
        """
        window = self.window
        while not self.columns.full():
            if self.expires or self.idle >= 0 or self.frequency >= 0:
                pass
            else:
                self.record_at = window.base + window.position
            code = window.byte()
            if code == 252:
                self.expires_at = window.little(8)
                self.expires = True
            elif code < 100:
                self.key(code)
            elif code == 255:
                return False
            else:
                self.opcode(code)
        return True

    def key(self, code: int) -> int:
        """Read a key: its name, its value, its row."""
        window = self.window
        columns = self.columns
        values = self.values
        picker = self.picker
        window.text()
        length = window.length
        try:
            got = window.open_text(LONGEST_KEY)
        except TooWide as error:
            raise Damaged("a key longer than any") from error
        columns.key.put(window.opened, window.opened_at, got)
        values.key_length = length
        values.expires = self.expires
        if self.choosing:
            opened = window.opened
            picker.keeping = opened.spread(window.opened_at, window.opened_at + got) >> 1 < self.chosen_below
        picker.begin(code, got, self.expires)
        try:
            values.read(code)
        except Exception:
            columns.drop()
            raise
        if values.empty:
            columns.drop()
            return self.begin()
        self.keys_seen += 1
        if not picker.keeping:
            columns.drop()
            return self.begin()
        if picker.hurt:
            columns.drop_value()
            if self.hurt == 0:
                self.hurt_at = self.record_at
                self.hurt_why = picker.why
            self.hurt += 1
        if picker.curtailed:
            if self.curtailed == 0:
                self.curtailed_at = self.record_at
            self.curtailed += 1
        self.row()
        return self.begin()

    def row(self) -> int:
        """Make the key that was read a row of the columns."""
        columns = self.columns
        values = self.values
        row = columns.rows
        columns.db[row] = self.db
        columns.type[row] = values.type
        columns.encoding[row] = values.encoding
        if self.expires:
            columns.expires_at[row] = min(max(self.expires_at, EARLIEST), LATEST)
            columns.expires[row] = 1
        if self.idle >= 0:
            columns.idle[row] = self.idle
            columns.idles[row] = 1
        if self.frequency >= 0:
            columns.frequency[row] = self.frequency
            columns.frequencies[row] = 1
        columns.elements[row] = values.elements
        columns.bytes[row] = values.weight
        if self.picker.counted and not self.picker.hurt and values.elements <= self.picker.most_counted:
            columns.empty_fields[row] = self.picker.empty_fields
            columns.empty_counted[row] = 1
        self.keys_read += 1
        return columns.commit()

    def begin(self) -> int:
        """Forget the attributes of the key before."""
        self.expires = False
        self.idle = -1
        self.frequency = -1
        return 0

    def opcode(self, code: int) -> int:
        """Take what is not a key."""
        window = self.window
        if code == 253:
            self.expires_at = window.little(4) * 1000
            self.expires = True
        elif code == 249:
            self.frequency = window.byte()
        elif code == 248:
            self.idle = window.size()
        elif code == 254:
            number = window.size()
            if number > 0x7FFFFFFF:
                raise Damaged("a database number that nothing can have")
            self.db = number
        elif code == 251:
            self.announced += window.size()
            window.skip_size()
        elif code == 250:
            name = self.fact_text()
            self.facts[name] = self.fact_text()
            if name in ("redis-ver", "valkey-ver", "redis-bits"):
                self.values.weigh_as(sizes_of(self.facts, self.allocator))
        elif code == 245:
            window.skip_text()
        elif code == 247:
            self.values.opaque.module_fact()
        elif code == 246:
            self.values.opaque.function()
        elif code == 244:  # slot, keys, expiries
            window.skip_size()
            window.skip_size()
            window.skip_size()
        elif code == 243 and self.valkey:
            self.values.opaque.slot_import()
        elif code == 243:
            self.values.opaque.key_metadata()
        elif code == 242 and not self.valkey:
            self.values.templates.define()
        elif code in (107, 121) and not self.valkey:  # Redis Enterprise: access in RAM, slot
            window.skip_size()
        else:
            raise Unknown(f"opcode {code}")
        return 0

    def fact_text(self) -> str:
        """Take a text that the server says about itself, its first 4096 bytes."""
        self.window.text()
        got = self.window.open_text(4096)
        return bytes(self.window.opened.owner[self.window.opened_at : self.window.opened_at + got]).decode(
            "utf-8", "replace"
        )
