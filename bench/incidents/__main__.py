"""Make labelled incidents, have builds of necropsy examine them, and print how well they do.

Examples::

    make bench-incidents N=300
    make bench-incidents N=60 SEED=7 KINDS=crawler,office WITHHOLD=log
    python -m incidents --count 1 --seed 1234 --kinds cron --keep /tmp/kept     # one case, to look at
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from incidents import baselines, captured, table
from incidents.build import build
from incidents.examine import examine
from incidents.judge import judge
from incidents.kinds.registry import BY_NAME, KINDS, schedule

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Task:
    """One incident, examined by every build with every kind of evidence withheld that is asked for."""

    seed: int
    kind: str
    trees: tuple[tuple[str, str], ...]
    """Name and folder of each checkout."""
    withheld: tuple[str, ...]
    keep: str
    cache: str = ""
    """Where packages of captured incidents are kept."""


def main(arguments: list[str] | None = None) -> int:
    """Return 0, or 2 for arguments that contradict each other."""
    options = _options(arguments)
    names = tuple(name for name in options.kinds.split(",") if name)
    if unknown := [name for name in names if name not in BY_NAME]:
        print(f"no such kind: {', '.join(unknown)}; there are: {', '.join(BY_NAME)}", file=sys.stderr)
        return 2
    if options.list:
        for kind in KINDS:
            print(f"{kind.name:22} {'healthy  ' if kind.healthy else '         '}{kind.about}")
        return 0
    trees = tuple(_tree(text) for text in options.tree or [str(ROOT)])
    withheld = tuple("" if one == "none" else one for one in options.withhold.split(","))
    seed = options.seed if options.seed is not None else int(time.time())
    done = _read(options.results)
    pairs = schedule(seed, options.count, names, exact=options.exact)
    pairs += [(seed + number, captured.KINDS[number % len(captured.KINDS)]) for number in range(options.captured)]
    if options.captured and (lacking := captured.missing()):
        print(f"captured incidents need {', '.join(lacking)}", file=sys.stderr)
        return 2
    tasks = _tasks(pairs, trees, withheld, set(done), options.keep)
    print(f"{options.count} incidents from seed {seed}, {len(tasks)} to do, {options.jobs} at a time", file=sys.stderr)
    records = list(done.values())
    began = time.monotonic()
    with multiprocessing.Pool(options.jobs) as pool:
        for number, made in enumerate(pool.imap_unordered(run, tasks), 1):
            records += made
            if options.results:
                with Path(options.results).open("a") as file:
                    file.writelines(json.dumps(one) + "\n" for one in made)
            left_s = (time.monotonic() - began) / number * (len(tasks) - number)
            print(f"\r{number} of {len(tasks)}, {left_s:.0f} s left ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    wanted = set(pairs)
    records = [one for one in records if (one["seed"], one["kind"]) in wanted]
    records.sort(key=lambda one: (one["build"] in baselines.NAMES, one["seed"]))
    if options.failures:
        _write_failures(records, trees, Path(options.failures))
    for one in withheld:
        print(
            f"\n## {'All evidence' if not one else f'Without the {one}'} (seeds {seed} to {seed + options.count - 1})\n"
        )
        print(table.render([record for record in records if record["withheld"] == one]))
    return 0


def _tasks(pairs: list[tuple[int, str]], trees: tuple[tuple[str, str], ...], withheld: tuple[str, ...],
           done: set[tuple[str, int, str, str]], keep: str) -> list[Task]:  # fmt: skip
    """What is left to do."""
    tasks = []
    for seed, kind in pairs:
        left = tuple(tree for tree in trees if any((tree[0], seed, kind, one) not in done for one in withheld))
        if left:
            tasks.append(Task(seed, kind, left, withheld, keep, str(ROOT / ".tools")))
    return tasks


def run(task: Task) -> list[dict[str, Any]]:
    """Make one incident, examine it, judge: a record for each build and each kind of evidence withheld."""
    keep = Path(task.keep) / f"{task.kind}-{task.seed}" if task.keep else None
    folder = Path(tempfile.mkdtemp(prefix="inc")) if keep is None else keep
    shutil.rmtree(folder, ignore_errors=True)
    records = []
    try:
        if task.kind in captured.KINDS:
            incident = captured.capture(task.seed, task.kind, folder, Path(task.cache))
        else:
            incident = build(task.seed, task.kind, folder)
        for withheld in task.withheld:
            about = {"seed": task.seed, "kind": task.kind, "withheld": withheld}
            for name, tree in task.trees:
                outcome = examine(Path(tree), incident, withheld)
                marks = judge(outcome.report, outcome.exit_code, incident.truth, withheld, outcome.error)
                marks.cpu_s, marks.peak_mb = outcome.cpu_s, outcome.peak_mb
                records.append({**about, "build": name, **marks.plain()})
                if keep is not None:
                    stem = f"{name}{'-without-' + withheld if withheld else ''}"
                    (folder / f"{stem}.report.json").write_text(json.dumps(outcome.report, indent=1))
                    (folder / f"{stem}.marks.json").write_text(json.dumps(marks.plain(), indent=1))
            records += [
                {**about, "build": name, **baselines.judge(name, incident.truth, withheld).plain()}
                for name in baselines.NAMES
            ]
        if keep is not None:
            (folder / "command.txt").write_text(
                "necropsy " + " ".join(f"'{part}'" for part in incident.command()) + "\n"
            )
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    return records


def reproduce(record: dict[str, Any], tree: str) -> str:
    """The command that makes one case again, keeps its evidence, and examines it."""
    return (
        f"PYTHONPATH=src:bench python -m incidents --exact --count 1 --seed {record['seed']} --kinds {record['kind']}"
        f" --withhold {record['withheld'] or 'none'} --tree {record['build']}={tree} --keep /tmp/kept"
    )


def _write_failures(records: list[dict[str, Any]], trees: tuple[tuple[str, str], ...], folder: Path) -> None:
    """A file for each kind: what went wrong, and the command that shows it."""
    folder.mkdir(parents=True, exist_ok=True)
    where = dict(trees)
    bad: dict[str, list[str]] = {}
    for one in records:
        if one["build"] in where and one["why"]:
            text = f"# {one['build']} {one['withheld'] and 'without ' + one['withheld']}: {'; '.join(one['why'])}"
            bad.setdefault(one["kind"], []).append(f"{text}\n{reproduce(one, where[one['build']])}\n")
    for kind, lines in bad.items():
        (folder / f"failures-{kind}.txt").write_text("\n".join(lines))


def _read(path: str) -> dict[tuple[str, int, str, str], dict[str, Any]]:
    if not path or not Path(path).is_file():
        return {}
    records = [json.loads(line) for line in Path(path).read_text().splitlines() if line.endswith("}")]
    return {(one["build"], one["seed"], one["kind"], one["withheld"]): one for one in records}


def _tree(text: str) -> tuple[str, str]:
    name, found, folder = text.partition("=")
    return (name, folder) if found else (Path(text).resolve().name, str(Path(text).resolve()))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m incidents", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", "-n", type=int, default=60, help="incidents; a third of them healthy (default 60)")
    parser.add_argument("--seed", type=int, help="first seed; by default a fresh one, from the clock")
    parser.add_argument(
        "--captured", type=int, default=0, help="incidents captured from real components beside them, 45 s each"
    )
    parser.add_argument("--kinds", default="", help="names, separated by commas; by default all")
    parser.add_argument(
        "--withhold", default="none", help="none, log, dump, configuration; several separated by commas"
    )
    parser.add_argument(
        "--tree", action="append", help="[NAME=]FOLDER of a checkout to examine with; repeatable (default: this one)"
    )
    parser.add_argument(
        "--results", default="", help="JSON lines of every judged report; a run that was stopped goes on from it"
    )
    parser.add_argument("--keep", default="", help="folder that keeps evidence, truth and reports of every incident")
    parser.add_argument("--failures", default="", help="folder for lists of failing seeds, a file for each kind")
    parser.add_argument(
        "--jobs", type=int, default=min(2, os.cpu_count() or 1), help="incidents at the same time (default 2)"
    )
    parser.add_argument("--exact", action="store_true", help="take the kinds as they are named: no third is healthy")
    parser.add_argument("--list", action="store_true", help="list the kinds")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
