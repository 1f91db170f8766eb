"""What the fuzzing harnesses share: inputs are damaged at random, or guided by atheris; what fails is kept."""

from __future__ import annotations

import argparse
import importlib
import random
import re
import resource
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parents[1]
LONGEST = 4096
"""Bytes of the longest seed that is damaged: what a longer one reaches, it reaches more slowly."""


@dataclass(frozen=True)
class Harness:
    """One reader under fuzzing."""

    swift: Callable[[bytes], None]
    """Reads an input by what is fast; raises if it is no damage that may be met."""
    thorough: Callable[[bytes], None]
    """Reads an input by everything."""
    compared: Callable[[bytes], None]
    """Reads an input with and without the compiler, and compares."""
    seeds: Callable[[], Iterable[bytes]]
    """Inputs to begin with where no folder is named."""
    corpus: Path
    """Folder that a guided run begins with where none is named."""
    package: str
    """What atheris watches."""
    uncompiled: Callable[[], AbstractContextManager[None]]
    """Loads that package as plain Python."""
    suffix: str
    """Of the files that keep a failing input."""
    edges: tuple[int, ...]
    """Bytes at which the format's forms begin or end."""
    words: tuple[bytes, ...] = ()
    """Longer ones."""
    entries: Sequence[str] = ()
    """Modules of the package that a guided run loads under atheris' eyes."""
    every: int = 64
    """Of so many inputs of a blind run, one is read thoroughly."""
    longest: int = LONGEST
    """Bytes of the longest seed."""


def peak_kib() -> int:
    """Memory that this process held at most, KiB. Linux's ``ru_maxrss`` begins with what the parent held when it forked."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+)", status.read_text()) if status.exists() else None
    return int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def damaged(rng: random.Random, known: Sequence[bytes], harness: Harness) -> bytes:
    """Return one of the known inputs with a few of its bytes changed, cut out, doubled or from another."""
    data = bytearray(rng.choice(known))
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        at = rng.randrange(len(data)) if data else 0
        kind = rng.randrange(7 if harness.words else 6)
        if kind == 0:
            data[at : at + 1] = bytes([rng.choice(harness.edges)])
        elif kind == 1:
            data[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 2:
            del data[at : at + rng.randrange(1, 20)]
        elif kind == 3:
            data[at:at] = data[at : at + rng.randrange(1, 20)]
        elif kind == 4:
            data[at : at + 8] = rng.choice(harness.edges).to_bytes(1, "big") * 8
        elif kind == 5:
            other = rng.choice(known)
            data[at:] = other[rng.randrange(len(other)) :]
        else:
            data[at : at + rng.choice((0, 0, 4))] = rng.choice(harness.words)
    return bytes(data)


def guided(harness: Harness, arguments: list[str]) -> None:
    """Let atheris look for inputs that reach something new in the plain sources."""
    atheris = importlib.import_module("atheris")
    if not any(Path(argument).exists() for argument in arguments[1:]):
        arguments.append(str(harness.corpus))
    with harness.uncompiled(), atheris.instrument_imports(include=[harness.package]):
        for entry in harness.entries:
            importlib.import_module(entry)
    atheris.Setup(arguments, harness.compared)
    atheris.Fuzz()


def sow(harness: Harness, folder: Path) -> None:
    """Write the seeds into a folder, for a guided run to add to."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(harness.seeds()):
        (folder / f"seed-{number:03}").write_bytes(seed)


def blind(harness: Harness, runs: int, folders: Sequence[str], seed: int, seconds: float) -> None:
    """Read inputs that are damaged at random, by the compiled modules."""
    rng = random.Random(seed)
    known = [path.read_bytes() for folder in folders for path in Path(folder).iterdir()] or list(harness.seeds())
    known = [data for data in known if 0 < len(data) <= harness.longest]
    start = time.monotonic()
    done = 0
    while done < runs and time.monotonic() - start < seconds:
        data = damaged(rng, known, harness)
        done += 1
        try:
            harness.swift(data)
            if done % harness.every == 0:
                harness.thorough(data)
        except BaseException:
            Path(f"failing-{seed}-{done}.{harness.suffix}").write_bytes(data)
            raise
    spent = time.monotonic() - start
    resident = peak_kib() // 1024
    sys.stdout.write(
        f"{done:,} inputs from {len(known)} seeds in {spent:,.0f} s, {done / spent:,.0f} a second, seed {seed};"
        f" at most {resident} MB resident\n"
    )


def main(harness: Harness) -> None:
    """Read the command line; atheris reads its own."""
    if not {"--blind", "--seeds"} & set(sys.argv):
        guided(harness, sys.argv)
        return
    options = argparse.ArgumentParser()
    asked_for = options.add_mutually_exclusive_group(required=True)
    asked_for.add_argument("--blind", type=int, metavar="RUNS")
    asked_for.add_argument("--seeds", type=Path, metavar="FOLDER")
    options.add_argument("--seconds", type=float, default=float("inf"))
    options.add_argument("--seed", type=int, default=int(time.time()))
    options.add_argument("folders", nargs="*")
    asked = options.parse_args()
    if asked.seeds:
        sow(harness, asked.seeds)
    else:
        blind(harness, asked.blind, asked.folders, asked.seed, asked.seconds)
