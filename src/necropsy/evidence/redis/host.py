"""The machine of a server that runs on this one: what memory is left there, what was swapped out, who else has a part of it.

INFO tells the size of a machine, and not what others need of it. Where the server's process can be seen, ``/proc`` does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
SERVERS: Final = ("redis-server", "valkey-server", "keydb-server", "dragonfly", "redis-sentinel")
"""Names of the programs that count as neighbours, beside whatever the server's own is called."""
SEEN: Final = "host:neighbours"
"""A fact that is there whenever the server's process was seen on this machine."""
_KIB: Final = 1024


def host_facts(info: Mapping[str, str], *, local: bool, proc: Path = PROC) -> dict[str, str]:
    """Return what can be seen of the server's machine; nothing where the server is elsewhere, or in a container of its own.

    Parameters
    ----------
    info
        Its INFO, section server.
    local
        Whether it was reached through a socket or a loopback address: only then is its process one of this machine.
    proc
        The process file system, see proc(5).

    Returns
    -------
    dict
        ``host:memory-total``, ``host:memory-available``, ``host:swap-total``, ``host:swap-free``, ``host:server-swapped``
        (bytes), and of other servers on the machine ``host:neighbours`` (how many) and ``host:neighbours-resident`` (bytes).
    """
    process = info.get("process_id", "")
    if not local or not process.isdecimal():
        return {}
    name = _name(proc / process)
    if name is None or not _is_server(name):
        return {}  # the number is one of another space of processes: there, another program has it
    memory = _kilobytes(proc / "meminfo")
    facts = {
        fact: str(memory[field])
        for fact, field in (
            ("host:memory-total", "MemTotal"),
            ("host:memory-available", "MemAvailable"),
            ("host:swap-total", "SwapTotal"),
            ("host:swap-free", "SwapFree"),
        )
        if field in memory
    }
    own = _kilobytes(proc / process / "status")
    if "VmSwap" in own:
        facts["host:server-swapped"] = str(own["VmSwap"])
    neighbours = [_kilobytes(folder / "status").get("VmRSS", 0) for folder in _others(proc, process, name)]
    return facts | {SEEN: str(len(neighbours)), "host:neighbours-resident": str(sum(neighbours))}


def _others(proc: Path, process: str, name: str) -> Iterator[Path]:
    """Return the processes that are servers, too."""
    with contextlib.suppress(OSError):
        for folder in proc.iterdir():
            if folder.name.isdecimal() and folder.name != process and _name(folder) in {name, *SERVERS}:
                yield folder


def _name(folder: Path) -> str | None:
    try:
        return (folder / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # gone, or not ours to see
        return None


def _is_server(name: str) -> bool:
    return name in SERVERS or any(part in name for part in ("redis", "valkey", "keydb"))


def _kilobytes(file: Path) -> dict[str, int]:
    """Return the fields of a file of ``Name: number kB`` lines, in bytes; what is not of that form is left out."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    fields = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        words = value.split()
        if len(words) == 2 and words[1] == "kB" and words[0].isdecimal():
            fields[name] = _KIB * int(words[0])
    return fields
