# cython: language_level=3, boundscheck=True, wraparound=False, annotation_typing=False, cdivision=True, infer_types=True
# ruff: noqa: C901, PLR0911 -- the cases of a format, in the order of their frequency
"""One value of a dump: what was asked for is copied to the columns, all else is passed by its length and weighed."""

from __future__ import annotations

from array import array

try:
    import cython
except ImportError:
    from necropsy._internal import cython_stub as cython

if not cython.compiled:
    from necropsy.evidence.rdb.projection import Picker
    from necropsy.evidence.rdb.read_buffer import Window
    from necropsy.evidence.rdb.sizes import Sizes
    from necropsy.evidence.rdb.skip import Opaque
    from necropsy.evidence.rdb.templates import Templates

from necropsy.evidence.rdb.encodings import ENCODINGS
from necropsy.evidence.rdb.kernels import Damaged
from necropsy.evidence.rdb.read_buffer import TooWide
from necropsy.sessions.keyspace import KEY_TYPES

STRING, LIST, SET, ZSET, HASH, STREAM, MODULE, ARRAY = range(len(KEY_TYPES))
E_RAW, E_INT, E_EMBSTR, E_LINKEDLIST, E_ZIPLIST, E_QUICKLIST, E_LISTPACK, E_HASHTABLE = range(8)
E_INTSET, E_SKIPLIST, E_ZIPMAP, E_LISTPACKEX, E_STREAM, E_TEMPLATE_LISTPACK = range(8, 14)
E_TEMPLATE_ARRAY, E_SLICED_ARRAY = range(14, len(ENCODINGS))
P_LISTPACK, P_ZIPLIST, P_ZIPMAP, P_INTSET = 0, 1, 2, 3
K_PLAIN, K_NUMBER = 0, 1


class Unknown(Damaged):
    """A type that this reader cannot pass, as it does not know where the value ends."""


class ValueReader:
    """Reads the value that comes next; ``type``, ``encoding``, ``elements`` and ``weight`` are of the one read last.

    Before it, ``key_length`` and ``expires`` are set, as the server lays out key and value together; after it, ``empty``
    tells that the collection has nothing in it: a server that loads such a key drops it.
    """

    def __init__(self, window: Window, picker: Picker, sizes: Sizes, *, version: int, valkey: bool) -> None:
        self.window = window
        self.picker = picker
        self.packed = self.picker.packed
        self.sizes = sizes
        self.opaque = Opaque(window, sizes)
        self.templates = Templates(window, picker)
        self.valkey = valkey
        self.version = version
        self.key_length = 0
        self.expires = False
        self.type = STRING
        self.encoding = E_RAW
        self.elements = 0
        self.weight = 0
        self.empty = False

    def weigh_as(self, sizes: Sizes) -> None:
        """Weigh by the arithmetic of another server from now on."""
        self.sizes = sizes
        self.opaque.sizes = sizes

    def read(self, code: int) -> int:
        """Read a value of the type that the dump numbers ``code``, the server's rdb.h names them."""
        self.empty = False
        if code == 0:
            return self.string()
        if code == 4:
            return self.hash(0)
        if code == 16:
            return self.blob(HASH, E_LISTPACK, P_LISTPACK, 2)
        if code == 13:
            return self.blob(HASH, E_ZIPLIST, P_ZIPLIST, 2)
        if code == 2:
            return self.texts(SET, E_HASHTABLE)
        if code == 20:
            return self.blob(SET, E_LISTPACK, P_LISTPACK, 1)
        if code == 11:
            return self.blob(SET, E_INTSET, P_INTSET, 1)
        if code == 5:
            return self.sorted(True)
        if code == 17:
            return self.blob(ZSET, E_LISTPACK, P_LISTPACK, 2)
        if code == 12:
            return self.blob(ZSET, E_ZIPLIST, P_ZIPLIST, 2)
        if code == 18:
            return self.list_nodes(True)
        if code == 14:
            return self.list_nodes(False)
        return self.read_rare(code)

    def read_rare(self, code: int) -> int:
        """Read a value of a type that few dumps hold."""
        if code == 1:
            return self.texts(LIST, E_LINKEDLIST)
        if code == 3:
            return self.sorted(False)
        if code == 9:
            return self.blob(HASH, E_ZIPMAP, P_ZIPMAP, 2)
        if code == 10:
            return self.blob(LIST, E_ZIPLIST, P_ZIPLIST, 1)
        if code == 22 and self.valkey:
            return self.hash(8)
        if code == 22:
            return self.hash(1)
        if code == 23 and not self.valkey:
            return self.blob(HASH, E_LISTPACKEX, P_LISTPACK, 3)
        if code == 24:
            self.window.skip(8)
            return self.hash(1)
        if code == 25:
            self.window.skip(8)
            return self.blob(HASH, E_LISTPACKEX, P_LISTPACK, 3)
        if code in (15, 19, 21):
            self.opaque.stream(1 if code == 15 else code // 2 - 7)
            return self.opaque_value(STREAM, E_STREAM)
        if code == 7:
            self.window.skip_size()  # id of the module and version of its encoding
            self.opaque.module()
            return self.opaque_value(MODULE, E_RAW)
        return self.read_new(code)

    def read_new(self, code: int) -> int:
        """Read a value of a type that only Redis has, since 8.6."""
        if self.valkey or code < 26 or code > 32:
            raise Unknown(f"a value of type {code}")
        if code in (26, 27):
            self.opaque.stream(code - 22)
            return self.opaque_value(STREAM, E_STREAM)
        if code == 28:
            self.opaque.array()
            return self.opaque_value(ARRAY, E_SLICED_ARRAY)
        if code == 29:
            return self.template_blob(self.templates.inside())
        if code == 30:
            return self.template_blob(None)
        if code == 31:
            return self.template_values(self.templates.inside())
        return self.template_values(self.templates.named(self.window.size()))

    def string(self) -> int:
        """Read a string."""
        window = self.window
        window.text()
        self.type = STRING
        self.elements = window.length
        self.encoding = E_RAW
        if window.kind == K_NUMBER:
            self.encoding = E_INT
        elif window.length <= 20 and window.kind == K_PLAIN and self.sizes.pointer == 8:
            # A number of up to 32 bits is written as one; a server of 32 bits keeps no longer ones as numbers.
            window.need(window.length)
            if window.memory.is_number(window.position, window.length):
                self.encoding = E_INT
        if self.encoding == E_INT:
            self.weight = self.sizes.number(self.key_length, self.expires)
        elif self.sizes.embeds(self.key_length, self.expires, window.length):
            self.encoding = E_EMBSTR
            self.weight = self.sizes.embedded(self.key_length, self.expires, window.length)
        else:
            self.weight = self.sizes.record(self.key_length, self.expires) + self.sizes.text(window.length)
        return self.picker.head()

    def texts(self, type: int, encoding: int) -> int:  # noqa: A002 -- it is one
        """Read a count and so many texts: a list as it once was, or a set."""
        window = self.window
        self.type = type
        self.encoding = encoding
        count = window.size()
        self.elements = count
        self.empty = count == 0
        weight = self.sizes.record(self.key_length, self.expires)
        weight += self.sizes.table(count) if type == SET else self.sizes.list_frame()
        for _ in range(count):
            window.text()
            if type == SET:
                weight += self.sizes.member(window.length)
            else:
                weight += self.sizes.text(window.length) + 5 * self.sizes.pointer
            self.picker.member()
        self.weight = weight
        return self.picker.seal_members()

    def sorted(self, binary: bool) -> int:
        """Read a sorted set: texts with scores, as 8 bytes each or, before Redis 4, in decimal."""
        window = self.window
        self.type = ZSET
        self.encoding = E_SKIPLIST
        count = window.size()
        self.elements = count
        self.empty = count == 0
        weight = 0.0
        for _ in range(count):
            window.text()
            weight += self.sizes.scored(window.length)
            self.picker.member()
            if binary:
                window.skip(8)
            else:
                size = window.byte()
                if size < 253:
                    window.skip(size)
        self.weight = self.sizes.record(self.key_length, self.expires) + self.sizes.sorted_frame(count) + int(weight)
        return self.picker.seal_members()

    def hash(self, extra: int) -> int:
        """Read fields and values.

        Parameters
        ----------
        extra
            What stands beside: 1, a time to live as a length before each field; 8, an expiry of 8 bytes after each
            value (Valkey).
        """
        window = self.window
        self.type = HASH
        self.encoding = E_HASHTABLE
        count = window.size()
        self.elements = count
        self.empty = count == 0
        weight = self.sizes.record(self.key_length, self.expires) + self.sizes.table(count)
        lives = False
        wanted = self.picker.fields_wanted()
        for _ in range(count):
            if extra == 1:
                lives = window.size() != 0
            window.text()
            field_length = window.length
            index = -1
            if wanted:
                index = self.picker.named(field_length)
            else:
                window.pass_text()
            window.text()
            weight += self.sizes.pair(field_length, window.length, lives)
            if window.length == 0:
                self.picker.empty_fields += 1
            if index >= 0:
                self.picker.keep(index)
            else:
                window.pass_text()
            if extra == 8:
                window.skip(8)
        self.weight = weight
        return 0

    def blob(self, type: int, encoding: int, format: int, stride: int) -> int:  # noqa: A002
        """Read a packed value.

        Parameters
        ----------
        stride
            Entries that make one element: 1 in a set or list, 2 in a hash or sorted set, 3 where times to live are.
        """
        window = self.window
        window.text()
        self.type = type
        self.encoding = encoding
        self.elements = 0
        length = window.length
        self.weight = self.sizes.record(self.key_length, self.expires) + self.sizes.allocated(length)
        if encoding == E_LISTPACKEX:
            self.weight += 3 * self.sizes.pointer
        try:
            window.open_text(length)
        except TooWide:
            window.pass_text()
            return self.picker.harm("a packed value too wide to be opened")
        except Damaged as error:
            window.pass_text()
            return self.picker.harm(str(error))
        try:
            return self.walk(type, format, stride, length)
        except Damaged as error:
            return self.picker.harm(str(error))

    def walk(self, type: int, format: int, stride: int, got: int) -> int:  # noqa: A002
        """Go through a packed value as far as anything of it was asked for."""
        packed = self.packed
        packed.open(format, self.window.opened, self.window.opened_at, self.window.opened_at + got)
        fields = type == HASH and self.picker.fields_wanted()
        members = type in (SET, ZSET) and self.picker.members
        count = packed.count
        if count < 0 and not fields and not members:
            count = 0
            while packed.advance():
                count += 1
        if fields:
            count = self.walk_hash(stride)
        elif members:
            count = self.walk_members(stride)
        if count % stride:
            raise Damaged("a packed value with a field that has no value")
        self.elements = count // stride
        self.empty = count == 0
        return 0

    def walk_hash(self, stride: int) -> int:
        """Copy the fields that were asked for; return the number of entries."""
        packed = self.packed
        count = 0
        place = 0
        index = -1
        while packed.advance():
            if place == 0:
                index = self.picker.packed_named()
            elif place == 1:
                if packed.length == 0 and not packed.is_number:
                    self.picker.empty_fields += 1
                if index >= 0:
                    self.picker.keep_packed(index)
            place += 1
            if place == stride:
                place = 0
            count += 1
        return count

    def walk_members(self, stride: int) -> int:
        """Copy the members; return the number of entries."""
        packed = self.packed
        count = 0
        while packed.advance():
            if count % stride == 0:
                self.picker.packed_member()
            count += 1
        self.picker.seal_members()
        return count

    def list_nodes(self, containers: bool) -> int:
        """Read a quicklist: packed nodes and, in the newer form, plain ones."""
        window = self.window
        self.type = LIST
        self.encoding = E_QUICKLIST
        count = window.size()
        weight = self.sizes.list_frame()
        elements = 0
        length = 0
        kept = 0
        within = 0
        plain = False
        packed = True
        for _ in range(count):
            if containers:
                packed = self.container()
            window.text()
            if packed:
                node = window.length
                within = self.claimed(containers)
                if within == 0:
                    continue  # servers drop a node with nothing in it, and a list with no other
                elements += max(within, 0)
                length = node
            else:
                elements += 1
                plain = True
                length = window.length
                window.pass_text()
            kept += 1
            weight += self.sizes.list_node(length)
        if containers and kept == 1 and not plain and self.version >= 11 and length <= 8192:
            self.encoding = E_LISTPACK
            weight = self.sizes.allocated(length)
        self.elements = elements
        self.empty = kept == 0
        self.weight = self.sizes.record(self.key_length, self.expires) + weight
        return 0

    def container(self) -> bool:
        """Take the kind of a list node; tell whether it is packed."""
        kind = self.window.size()
        if kind not in (1, 2):
            raise Damaged(f"{kind} where the kind of a list node belongs")
        return bool(kind == 2)

    def claimed(self, containers: bool) -> int:
        """Pass a packed list node; return how many entries its head claims, -1 if it is damaged."""
        window = self.window
        try:
            got = window.open_text(16)
        except (Damaged, TooWide) as error:
            window.pass_text()
            self.picker.harm(str(error))
            return -1
        if containers:
            return window.opened.little(window.opened_at + 4, 2) if got >= 7 else -1
        return window.opened.little(window.opened_at + 8, 2) if got >= 11 else -1

    def opaque_value(self, type: int, encoding: int) -> int:  # noqa: A002
        """Make the value passed last the one read."""
        self.type = type
        self.encoding = encoding
        self.elements = self.opaque.elements
        self.weight = self.sizes.record(self.key_length, self.expires) + self.opaque.weight
        return 0

    def template_values(self, fields: array[int]) -> int:
        """Read the values of a hash whose fields are a template's, as texts."""
        window = self.window
        count = len(fields)
        self.type = HASH
        self.encoding = E_TEMPLATE_ARRAY
        self.elements = count
        self.empty = count == 0
        weight = self.sizes.record(self.key_length, self.expires) + self.sizes.allocated(8 * count + 16)
        for i in range(count):
            window.text()
            weight += self.sizes.text(window.length)
            if window.length == 0:
                self.picker.empty_fields += 1
            index = fields[i]
            if index >= 0 and self.picker.keeping:
                self.picker.keep(index)
            else:
                window.pass_text()
        self.weight = weight
        return 0

    def template_blob(self, fields: array[int] | None) -> int:
        """Read the values of a hash whose fields are a template's, packed; the first names the template."""
        window = self.window
        window.text()
        length = window.length
        self.type = HASH
        self.encoding = E_TEMPLATE_LISTPACK
        self.elements = 0
        self.weight = self.sizes.record(self.key_length, self.expires) + self.sizes.allocated(length)
        try:
            window.open_text(length)
        except (Damaged, TooWide) as error:
            window.pass_text()
            return self.picker.harm(str(error))
        try:
            self.elements = self.templates.walk(fields, length)
            self.empty = self.elements == 0
        except Damaged as error:
            self.picker.harm(str(error))
        return 0
