"""Encodings of values: the number in the dump, and the name in OBJECT ENCODING."""

from __future__ import annotations

from typing import Final

from necropsy.sessions.keyspace import KEY_TYPES

ENCODINGS: Final = (
    "raw",
    "int",
    "embstr",
    "linkedlist",
    "ziplist",
    "quicklist",
    "listpack",
    "hashtable",
    "intset",
    "skiplist",
    "zipmap",
    "listpackex",
    "stream",
    "template-listpack",
    "template-array",
    "sliced-array",
)
"""Dictionary of the ``encoding`` column."""

RAW, INT, EMBSTR, LINKEDLIST, ZIPLIST_, QUICKLIST, LISTPACK_, HASHTABLE, INTSET_, SKIPLIST = range(10)
ZIPMAP_, LISTPACKEX, STREAM_, TEMPLATE_LISTPACK, TEMPLATE_ARRAY, SLICED_ARRAY = range(10, 16)
STRING, LIST, SET, ZSET, HASH, STREAM, MODULE, ARRAY = range(len(KEY_TYPES))
