"""Dumps of the past: a dump that was written today gets the times of the story.

The header of an RDB file holds ``ctime``, the second at which the server began to write it, as an auxiliary field: opcode
0xFA, the name, and a 32-bit integer (rdb.c, ``rdbSaveAuxFieldStrInt``). The checksum at the end is that of all bytes before
it (CRC-64 of Jones, little endian).
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Final

from necropsy.evidence.rdb.kernels import Memory

_FIELD: Final = b"\xfa\x05ctime\xc2"
"""Opcode, length and name of the field, and the mark of a 32-bit integer."""
_HEADER: Final = 512
"""Bytes at the beginning that hold all auxiliary fields of a server without modules."""
_CHECKSUM: Final = 8


def date(dump: Path, moment: datetime) -> None:
    """Let a dump say that it was written at this moment; its time of modification says so, too.

    A dump without the field (before RDB 7) keeps its bytes.
    """
    data = bytearray(dump.read_bytes())
    seconds = int(moment.timestamp())
    at = data.find(_FIELD, 0, _HEADER)
    if at >= 0:
        begin = at + len(_FIELD)
        data[begin : begin + 4] = seconds.to_bytes(4, "little")
        end = len(data) - _CHECKSUM
        if any(data[end:]):  # zero: the server was told to write no checksum
            memory = Memory(end)
            memory.owner[:end] = data[:end]
            data[end:] = memory.crc64(0, 0, end).to_bytes(_CHECKSUM, "little")
        dump.write_bytes(data)
    os.utime(dump, (seconds, seconds))
