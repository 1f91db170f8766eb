"""Keyed hashing of session ids.

A session id is a bearer credential: who has it is logged in. It is hashed while it enters a case, with a random key of
that case, so that the same session is recognisable within the case and nowhere else.

The hash is SHA-256 over ``key || id`` cut to 128 bits. It runs inside DuckDB, over columns; the cut removes the length
extension that a plain prefix MAC would permit (RFC 6234 for SHA-256; the argument is that of SHA-512/256).
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

HASH_HEX_DIGITS: Final = 32


def new_key() -> bytes:
    """Return a fresh case key: 32 random bytes."""
    return secrets.token_bytes(32)


def hash_identifier(key: bytes, identifier: bytes) -> str:
    """Hash one identifier exactly as the case does for a column.

    >>> hash_identifier(b"k", b"session-id")
    'af6a91fde6339d48575c98ded85b31ed'
    """
    return hashlib.sha256(key + identifier).hexdigest()[:HASH_HEX_DIGITS]


def hash_expression(column: str) -> str:
    """Return the DuckDB expression that hashes a BLOB column; the key is the prepared parameter ``$key``."""
    return f'CASE WHEN "{column}" IS NULL THEN NULL ELSE left(sha256($key || "{column}"), {HASH_HEX_DIGITS}) END'
