"""Random jobs through a real Prometheus and through ours, compared target by target.

A few thousand jobs at a time, on the loopback interface, for as long as one likes::

    PYTHONPATH=src:tests python -m probes.comparison --seeds 10 --jobs 1000
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from necropsy.probes import targets
from necropsy.probes.prometheus.configuration import parse_prometheus
from necropsy.probes.prometheus.relabel.rule import ACTIONS as FIRST
from necropsy.probes.prometheus.targets.scraped import Target
from necropsy.probes.prometheus.version import prometheus_version

from .oracle import running, version
from .random_rules import ACTIONS, jobs, revealed

Found = Counter[tuple[str, frozenset[tuple[str, str]], str]]
"""How many targets a job has with these labels and this URL."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What both sides made of the same jobs."""

    ours: Found
    theirs: Found
    discovered: int
    """Targets before relabelling."""
    left_out: int
    """Jobs in which Prometheus itself chooses at random (labelmap collisions)."""

    @property
    def differences(self) -> int:
        """Targets that only one side has."""
        return ((self.ours - self.theirs) + (self.theirs - self.ours)).total()


def collides(target: Target) -> bool:
    """Whether Prometheus itself chooses at random here."""
    return any(step.collisions for step in target.steps)


def compare(seed: int, count: int, folder: Path) -> Comparison:
    """Let both sides discover ``count`` random jobs."""
    known = [action for action in ACTIONS if prometheus_version(version()) >= FIRST[action]]
    text = json.dumps({"scrape_configs": [revealed(job) for job in jobs(seed, count, known)]}, ensure_ascii=False)
    mine = targets(parse_prometheus(text, "prometheus.yml", prometheus=version()))
    left_out = {target.job for target in mine if collides(target)}
    with running(folder, text) as prometheus:
        active = prometheus.active_targets()
    return Comparison(
        ours=Counter(
            (target.job, frozenset(target.public_labels.items()), target.url)
            for target in mine
            if not target.dropped_because and target.job not in left_out
        ),
        theirs=Counter(
            (target["scrapePool"], frozenset(target["labels"].items()), target["scrapeUrl"])
            for target in active
            if target["scrapePool"] not in left_out
        ),
        discovered=len(mine),
        left_out=len(left_out),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--first-seed", type=int, default=1)
    options = parser.parse_args()
    totals: Counter[str] = Counter()
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        with tempfile.TemporaryDirectory() as folder:
            found = compare(seed, options.jobs, Path(folder))
        totals.update(
            jobs=options.jobs,
            discovered=found.discovered,
            compared=found.ours.total(),
            left_out=found.left_out,
            different=found.differences,
        )
        sys.stdout.write(f"seed {seed}: {dict(totals)}\n")
        sys.stdout.flush()
    return bool(totals["different"])


if __name__ == "__main__":
    sys.exit(main())
