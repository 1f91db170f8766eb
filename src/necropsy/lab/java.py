r"""Java values as ``ObjectOutputStream`` writes them: what Spring Session's default serializer leaves in Redis.

Only writing, and only the few classes that a session of Spring Security 5.1 holds; the bytes are the same that a real
JVM produces (the tests hold such streams). Java Object Serialization Specification, chapter 6: the grammar.

>>> string("ghost")
b'\xac\xed\x00\x05t\x00\x05ghost'
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

_MAGIC: Final = b"\xac\xed\x00\x05"
_NULL: Final = b"\x70"
_REFERENCE: Final = b"\x71"
_CLASS: Final = b"\x72"
_OBJECT: Final = b"\x73"
_STRING: Final = b"\x74"
_BLOCK: Final = b"\x77"
_END: Final = b"\x78"
_FIRST_HANDLE: Final = 0x7E0000
_SERIALIZABLE: Final = 2
WRITES_MORE: Final = 3
"""Serializable, and a ``writeObject`` of its own adds to the fields."""


@dataclass(frozen=True, slots=True)
class JavaClass:
    """A class as its descriptor shows it."""

    name: str
    serial: int
    """``serialVersionUID``, unsigned."""
    fields: tuple[tuple[str, str], ...] = ()
    """Names and type descriptors (``I``, ``Ljava/lang/String;``), primitives first, each group by name."""
    flags: int = _SERIALIZABLE
    parent: JavaClass | None = None


@dataclass(frozen=True, slots=True, eq=False)
class JavaObject:
    """An object; equal only to itself, as references are."""

    of: JavaClass
    values: tuple[tuple[object, ...], ...] = ((),)
    """Field values for each class from the topmost parent down."""
    more: tuple[object, ...] = ()
    """Data that ``writeObject`` adds: bytes are block data, anything else is an object."""


def long(value: int) -> bytes:
    """Serialize a ``java.lang.Long``: 82 bytes."""
    return _LONG + struct.pack(">q", value)


def integer(value: int) -> bytes:
    """Serialize a ``java.lang.Integer``: 81 bytes."""
    return _INTEGER + struct.pack(">i", value)


def string(value: str) -> bytes:
    """Serialize a ``java.lang.String``: seven bytes more than its text."""
    return serialize(value)


def serialize(value: object) -> bytes:
    """Serialize None, a str or a ``JavaObject`` with all that it refers to."""
    stream = _HandleStream()
    stream.write(value)
    return bytes(stream.out)


class _HandleStream:
    """One stream with its table of handles."""

    def __init__(self) -> None:
        self.out = bytearray(_MAGIC)
        self._handles: dict[object, int] = {}

    def write(self, value: object) -> None:
        """Append one object, or a reference to it when it has been written before."""
        if value is None:
            self.out += _NULL
        elif isinstance(value, str):
            # Literals are interned in Java; of those that occur twice here, only the empty one is a literal.
            if value or not self._refer(("literal", value)):
                self._new_string(value, ("literal", value) if not value else object())
        elif isinstance(value, JavaObject):
            if not self._refer(value):
                self.out += _OBJECT
                self._describe(value.of)
                self._handles[value] = len(self._handles)
                self._fields(value)
        else:
            message = f"no Java value: {type(value).__name__}"
            raise TypeError(message)

    def _refer(self, key: object) -> bool:
        if (handle := self._handles.get(key)) is None:
            return False
        self.out += _REFERENCE + struct.pack(">I", _FIRST_HANDLE + handle)
        return True

    def _new_string(self, text: str, key: object) -> None:
        self._handles[key] = len(self._handles)
        self.out += _STRING + _utf(text)

    def _describe(self, java_class: JavaClass | None) -> None:
        if java_class is None:
            self.out += _NULL
            return
        if self._refer(java_class):
            return
        self.out += _CLASS + _utf(java_class.name) + struct.pack(">Q", java_class.serial)
        self._handles[java_class] = len(self._handles)
        self.out += struct.pack(">BH", java_class.flags, len(java_class.fields))
        for name, descriptor in java_class.fields:
            self.out += descriptor[:1].encode() + _utf(name)
            if len(descriptor) > 1 and not self._refer(("type", descriptor)):
                self._new_string(descriptor, ("type", descriptor))
        self.out += _END
        self._describe(java_class.parent)

    def _fields(self, value: JavaObject) -> None:
        lineage = [value.of]
        while (parent := lineage[0].parent) is not None:
            lineage.insert(0, parent)
        for java_class, values in zip(lineage, value.values, strict=True):
            for (_, descriptor), field in zip(java_class.fields, values, strict=True):
                if descriptor in _PRIMITIVES:
                    self.out += struct.pack(_PRIMITIVES[descriptor], field)
                else:
                    self.write(field)
        if value.of.flags == WRITES_MORE:
            for piece in value.more:
                if isinstance(piece, bytes):
                    self.out += _BLOCK + bytes([len(piece)]) + piece
                else:
                    self.write(piece)
            self.out += _END


_PRIMITIVES: Final = {"I": ">i", "J": ">q", "Z": ">?"}


def _utf(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">H", len(data)) + data


_NUMBER: Final = JavaClass("java.lang.Number", 0x86AC951D0B94E08B)
_LONG: Final = serialize(
    JavaObject(JavaClass("java.lang.Long", 0x3B8BE490CC8F23DF, (("value", "J"),), parent=_NUMBER), ((), (0,)))
)[:-8]
_INTEGER: Final = serialize(
    JavaObject(JavaClass("java.lang.Integer", 0x12E2A0A4F7818738, (("value", "I"),), parent=_NUMBER), ((), (0,)))
)[:-4]
