"""``what-if`` on a kept case beside ``examine`` of its sources, ``verify`` beside ``examine`` of the new store alone: processor time.

    python bench/what_if.py [ROUNDS]

The demo's store A: 70,560 keys, a day of two servers' logs, and their configuration. The commands run by turns, so that company
on the machine meets all of them. ``verify`` reads the dump that the case was made of: how much it reads and attributes is what
counts, and not what it finds. Limits: 0.5 x and 1.1 x.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from table import NECROPSY, command

from necropsy.lab.demo import stage

WHAT_IF, VERIFY = 0.5, 1.1
VERDICTS = (0, 4, 12, 13)


def main() -> int:
    """Print the figures; 1 when a limit was missed."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as folder:
        staged = stage(Path(folder), seed=1)
        store = next(truth for truth in staged.stores if truth.name == "admin-a")
        alone = ["--rdb", str(store.dump), "--now", staged.now.isoformat(), "--fail-on", "never"]
        everything = [*alone, "--prometheus", str(staged.prometheus), "--blackbox", str(staged.blackbox)]
        everything += ["--consul", str(store.consul_answer)]
        for name, files in (
            ("--access-log", store.access_logs),
            ("--nginx", store.nginx),
            ("--app-log", store.error_logs),
        ):
            for file in files:
                everything += [name, str(file)]
        case = str(Path(folder) / "kept.case")
        command(*NECROPSY, "examine", *everything, "--case", case, repeat=1, warm=False)
        runs: dict[str, tuple[str, ...]] = {
            "examine, everything": ("examine", *everything),
            "examine, the store alone": ("examine", *alone),
            "what-if": ("what-if", case, "--fix", "probes/creates-sessions", "--purge"),
            "verify": ("verify", case, "--rdb", str(store.dump)),
        }
        spent: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, words in runs.items():
                measured = command(*NECROPSY, *words, repeat=1, warm=False, expect=VERDICTS)
                spent[name].append(measured.processor_seconds)
    whole, bare, what_if, verify = (statistics.median(values) for values in spent.values())
    missed = 0
    for name, seconds, peer, limit in (
        ("examine of everything", whole, whole, None),
        ("examine of the store alone", bare, bare, None),
        ("what-if, beside examine of everything", what_if, whole, WHAT_IF),
        ("what-if, beside examine of the store alone", what_if, bare, None),
        ("verify, beside examine of the store alone", verify, bare, VERIFY),
    ):
        ratio = seconds / peer
        missed += limit is not None and ratio > limit
        print(f"{name:<46} {seconds:6.2f} s  {ratio:5.2f} x{f'  (limit {limit} x)' if limit else ''}")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
