# cython: language_level=3, boundscheck=True, wraparound=False, annotation_typing=False, cdivision=True, infer_types=True
"""One value of a dump: what was asked for is copied to the columns, all else is passed by its length and weighed."""

from __future__ import annotations

from array import array

try:
    import cython
except ImportError:
    from necropsy.evidence.rdb import plain as cython  # type: ignore[no-redef]

if not cython.compiled:
    from necropsy.evidence.rdb.columns import Columns
    from necropsy.evidence.rdb.kernels import Memory
    from necropsy.evidence.rdb.opaque import Opaque
    from necropsy.evidence.rdb.packed import Packed
    from necropsy.evidence.rdb.sizes import Sizes
    from necropsy.evidence.rdb.window import Window

from necropsy.evidence.rdb.encodings import ENCODINGS
from necropsy.evidence.rdb.kernels import Damaged
from necropsy.evidence.rdb.window import TooWide
from necropsy.sessions.keyspace import KEY_TYPES, Projection

STRING, LIST, SET, ZSET, HASH, STREAM, MODULE, ARRAY = range(len(KEY_TYPES))
E_RAW, E_INT, E_EMBSTR, E_LINKEDLIST, E_ZIPLIST, E_QUICKLIST, E_LISTPACK, E_HASHTABLE = range(8)
E_INTSET, E_SKIPLIST, E_ZIPMAP, E_LISTPACKEX, E_STREAM, E_TEMPLATE_LISTPACK = range(8, 14)
E_TEMPLATE_ARRAY, E_SLICED_ARRAY = range(14, len(ENCODINGS))
P_LISTPACK, P_ZIPLIST, P_ZIPMAP, P_INTSET = 0, 1, 2, 3
K_PLAIN, K_NUMBER, K_COMPRESSED = 0, 1, 2
EVERY = 1 << 62
MOST_TEMPLATE_FIELDS = 10_000_000
"""Over all templates of a dump; so many cost 20 MB here."""


class Unknown(Damaged):
    """A type that this reader cannot pass, as it does not know where the value ends."""


class Values:
    """Reads the value that comes next; ``type``, ``encoding``, ``elements`` and ``weight`` are of the one read last.

    A packed value that is damaged inside does not end the read, as the dump itself says where the next key begins:
    ``hurt`` is then set and ``why`` tells; the key counts, what was asked of its value is null.
    """

    def __init__(self, window: Window, columns: Columns, sizes: Sizes, projection: Projection, *, valkey: bool) -> None:
        self.window = window
        self.columns = columns
        self.sizes = sizes
        self.packed = Packed()
        self.opaque = Opaque(window, sizes)
        self.valkey = valkey
        self.version = 0
        self.key_length = 0
        self.expires = False
        self.string_bytes = projection.string_bytes
        self.field_count = len(projection.hash_fields)
        self.lengths_wanted = memoryview(bytearray(257))
        for name, _ in projection.hash_fields:
            self.lengths_wanted[min(len(name), 256)] = 1
        self.members_of = projection.members_of
        self.templates = {}
        self.template_fields = 0
        self.keeping = True
        self.want_members = False
        self.type = STRING
        self.encoding = E_RAW
        self.elements = 0
        self.weight = 0
        self.hurt = False
        self.why = ""
        self.empty = False

    def weigh_as(self, sizes: Sizes) -> None:
        """Weigh by the arithmetic of another server from now on."""
        self.sizes = sizes
        self.opaque.sizes = sizes

    def read(self, code: int) -> int:
        """Read a value of the type that the dump numbers ``code``, the server's rdb.h names them."""
        self.hurt = False
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
        if code == 15:
            self.opaque.stream(1)
            return self.opaque_value(STREAM, E_STREAM)
        if code == 19:
            self.opaque.stream(2)
            return self.opaque_value(STREAM, E_STREAM)
        if code == 21:
            self.opaque.stream(3)
            return self.opaque_value(STREAM, E_STREAM)
        if code == 7:
            self.window.skip_size()  # id of the module and version of its encoding
            self.opaque.module()
            return self.opaque_value(MODULE, E_RAW)
        if self.valkey or code > 32 or code < 26:
            raise Unknown(f"a value of type {code}")
        if code == 26 or code == 27:
            self.opaque.stream(code - 22)
            return self.opaque_value(STREAM, E_STREAM)
        if code == 28:
            self.opaque.array()
            return self.opaque_value(ARRAY, E_SLICED_ARRAY)
        if code == 29:
            return self.template_blob(self.template_inside())
        if code == 30:
            return self.template_blob(None)
        if code == 31:
            return self.template_values(self.template_inside())
        return self.template_values(self.template_named(self.window.size()))

    def string(self) -> int:
        """Read a string."""
        window = self.window
        window.text()
        self.type = STRING
        self.elements = window.length
        self.encoding = E_RAW
        if window.kind == K_NUMBER:
            self.encoding = E_INT
        elif window.length <= 20 and window.kind == K_PLAIN:
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
        if self.string_bytes == 0 or not self.keeping:
            return window.pass_text()
        try:
            got = window.open_text(self.string_bytes)
        except (Damaged, TooWide) as error:
            window.pass_text()
            return self.harm(str(error))
        self.columns.head.put(window.opened, window.opened_at, got)
        self.columns.head.seal(self.columns.rows)
        return 0

    def texts(self, type: int, encoding: int) -> int:  # noqa: A002 -- it is one
        """Read a count and so many texts: a list as it once was, or a set."""
        window = self.window
        self.type = type
        self.encoding = encoding
        count = window.size()
        self.elements = count
        self.empty = count == 0
        members = type == SET and self.want_members
        weight = self.sizes.record(self.key_length, self.expires)
        weight += self.sizes.table(count) if type == SET else self.sizes.list_frame()
        for _ in range(count):
            window.text()
            if type == SET:
                weight += self.sizes.member(window.length)
            else:
                weight += self.sizes.text(window.length) + 5 * self.sizes.pointer
            if members:
                self.pick_members()
            else:
                window.pass_text()
        self.weight = weight
        if members:
            self.columns.members.seal(self.columns.rows)
        return 0

    def pick_members(self) -> int:
        """Copy the text whose head was taken to the members."""
        window = self.window
        try:
            got = window.open_text(EVERY)
        except (Damaged, TooWide) as error:
            window.pass_text()
            return self.harm(str(error))
        return self.columns.put_member(window.opened, window.opened_at, got)

    def sorted(self, binary: bool) -> int:
        """Read a sorted set: texts with scores, as 8 bytes each or, before Redis 4, in decimal."""
        window = self.window
        self.type = ZSET
        self.encoding = E_SKIPLIST
        count = window.size()
        self.elements = count
        self.empty = count == 0
        members = self.want_members
        weight = 0.0
        for _ in range(count):
            window.text()
            weight += self.sizes.scored(window.length)
            if members:
                self.pick_members()
            else:
                window.pass_text()
            if binary:
                window.skip(8)
            else:
                size = window.byte()
                if size < 253:
                    window.skip(size)
        self.weight = self.sizes.record(self.key_length, self.expires) + self.sizes.sorted_frame(count) + int(weight)
        if members:
            self.columns.members.seal(self.columns.rows)
        return 0

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
        wanted = self.keeping and self.field_count > 0
        for _ in range(count):
            if extra == 1:
                lives = window.size() != 0
            window.text()
            field_length = window.length
            index = -1
            if wanted:
                index = self.field_named(field_length)
            else:
                window.pass_text()
            window.text()
            weight += self.sizes.pair(field_length, window.length, lives)
            if index >= 0:
                self.keep_text(index)
            else:
                window.pass_text()
            if extra == 8:
                window.skip(8)
        self.weight = weight
        return 0

    def match(self, memory: Memory, start: int, length: int) -> int:
        """Return the number of the field that has this name among those asked for, or -1."""
        for i in range(self.field_count):
            field = self.columns.fields[i]
            if field.size == length and field.name.same(0, memory, start, length):
                return i
        return -1

    def keep_text(self, index: int) -> int:
        """Copy the text whose head was taken to a field's column."""
        window = self.window
        field = self.columns.fields[index]
        length = window.length
        try:
            got = window.open_text(field.keep)
        except (Damaged, TooWide) as error:
            window.pass_text()
            return self.harm(str(error))
        field.texts.drop()
        field.texts.put(window.opened, window.opened_at, got)
        field.length = length
        field.found = True
        self.columns.found_fields += 1
        return 0

    def keep_packed(self, index: int) -> int:
        """Copy the packed entry to a field's column."""
        packed = self.packed
        field = self.columns.fields[index]
        packed.spell()
        field.texts.drop()
        field.texts.put(packed.text, packed.start, min(packed.length, field.keep))
        field.length = packed.length
        field.found = True
        self.columns.found_fields += 1
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
            return self.harm("a packed value too wide to be opened")
        except Damaged as error:
            window.pass_text()
            return self.harm(str(error))
        try:
            return self.walk(type, format, stride, length)
        except IndexError:
            return self.harm("a packed entry that reaches beyond the end")
        except Damaged as error:
            return self.harm(str(error))

    def walk(self, type: int, format: int, stride: int, got: int) -> int:  # noqa: A002
        """Go through a packed value as far as anything of it was asked for."""
        packed = self.packed
        packed.open(format, self.window.opened, self.window.opened_at, self.window.opened_at + got)
        fields = type == HASH and self.keeping and self.field_count > 0
        members = (type == SET or type == ZSET) and self.want_members
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
                index = -1
                if packed.is_number:
                    packed.spell()
                if self.lengths_wanted[packed.length if packed.length < 256 else 256]:
                    index = self.match(packed.text, packed.start, packed.length)
            elif place == 1 and index >= 0:
                self.keep_packed(index)
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
                packed.spell()
                self.columns.put_member(packed.text, packed.start, packed.length)
            count += 1
        self.columns.members.seal(self.columns.rows)
        return count

    def list_nodes(self, containers: bool) -> int:
        """Read a quicklist: packed nodes, and in the newer form plain ones."""
        window = self.window
        self.type = LIST
        self.encoding = E_QUICKLIST
        count = window.size()
        weight = self.sizes.list_frame()
        elements = 0
        packed = True
        for _ in range(count):
            if containers:
                container = window.size()
                if container != 1 and container != 2:
                    raise Damaged(f"{container} where the kind of a list node belongs")
                packed = container == 2
            window.text()
            length = window.length
            weight += self.sizes.list_node(length)
            if not packed:
                elements += 1
                window.pass_text()
                continue
            try:
                got = window.open_text(16)
                if containers:
                    size = window.opened.little(window.opened_at + 4, 2) if got >= 7 else 0
                else:
                    size = window.opened.little(window.opened_at + 8, 2) if got >= 11 else 0
                elements += size
            except (Damaged, TooWide) as error:
                window.pass_text()
                self.harm(str(error))
        if containers and count == 1 and packed and self.version >= 11 and length <= 8192:
            self.encoding = E_LISTPACK
            weight = self.sizes.allocated(length)
        self.elements = elements
        self.empty = count == 0
        self.weight = self.sizes.record(self.key_length, self.expires) + weight
        return 0

    def opaque_value(self, type: int, encoding: int) -> int:  # noqa: A002
        """Make the value passed last the one read."""
        self.type = type
        self.encoding = encoding
        self.elements = self.opaque.elements
        self.weight = self.sizes.record(self.key_length, self.expires) + self.opaque.weight
        return 0

    def template(self) -> int:
        """Take a template of hashes: its number, and the fields that all of them have (Redis 8.10)."""
        number = self.window.size()
        if number in self.templates:
            raise Damaged("a hash template that is defined twice")
        self.templates[number] = self.template_texts()
        return 0

    def template_named(self, number: int) -> object:
        """Return the fields of a template that was taken before."""
        fields = self.templates.get(number)
        if fields is None:
            raise Damaged(f"hash template {number}, which is not defined")
        return fields

    def template_inside(self) -> object:
        """Take the fields that stand in the value itself: as texts, or packed."""
        form = self.window.byte()
        if form == 1:
            return self.template_texts()
        if form == 0:
            return self.template_packed()
        raise Damaged(f"{form} where the form of a hash template belongs")

    def template_texts(self) -> object:
        """Take the fields of a template; return for each its number among those asked for, or -1."""
        count = self.window.size()
        fields = array("h")
        for _ in range(count):
            self.window.text()
            fields.append(self.field_named(self.window.length))
            self.template_fields += 1
            if self.template_fields > MOST_TEMPLATE_FIELDS:
                raise Damaged("more fields in hash templates than any server has")
        return fields

    def template_packed(self) -> object:
        """Take the fields of a template from a listpack."""
        window = self.window
        window.text()
        got = window.open_text(window.length)
        self.packed.open(P_LISTPACK, window.opened, window.opened_at, window.opened_at + got)
        fields = array("h")
        while self.packed.advance():
            self.packed.spell()
            fields.append(self.match(self.packed.text, self.packed.start, self.packed.length))
        return fields

    def field_named(self, length: int) -> int:
        """Return the number, among the fields asked for, of the text whose head was taken, or -1."""
        window = self.window
        if self.field_count == 0 or not self.lengths_wanted[length if length < 256 else 256]:
            window.pass_text()
            return -1
        try:
            got = window.open_text(length)
        except (Damaged, TooWide) as error:
            window.pass_text()
            self.harm(str(error))
            return -1
        return self.match(window.opened, window.opened_at, got)

    def template_values(self, fields: object) -> int:
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
            index = fields[i]
            if index >= 0 and self.keeping:
                self.keep_text(index)
            else:
                window.pass_text()
        self.weight = weight
        return 0

    def template_blob(self, fields: object) -> int:
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
            return self.harm(str(error))
        try:
            return self.walk_template(fields, length)
        except IndexError:
            return self.harm("a packed entry that reaches beyond the end")
        except Damaged as error:
            return self.harm(str(error))

    def walk_template(self, fields: object, got: int) -> int:
        """Copy the values that were asked for."""
        packed = self.packed
        packed.open(P_LISTPACK, self.window.opened, self.window.opened_at, self.window.opened_at + got)
        if not packed.advance() or not packed.is_number:
            raise Damaged("a hash that names no template")
        if fields is None:
            fields = self.template_named(packed.number)
        count = 0
        while packed.advance():
            if count >= len(fields):
                raise Damaged("a hash with more values than its template has fields")
            index = fields[count]
            if index >= 0 and self.keeping:
                self.keep_packed(index)
            count += 1
        self.elements = count
        self.empty = count == 0
        return 0

    def harm(self, why: str) -> int:
        """Note that what was asked of this value cannot be had."""
        self.hurt = True
        self.why = why
        return 0
