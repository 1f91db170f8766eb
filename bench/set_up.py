"""Set-up from nothing: the first verdict of ``make demo``, and a full build, against those of an older commit, by turns.

    python bench/set_up.py [OLDER]      # by default the last commit whose demo was compiled

Each run has a fresh clone and an empty pip cache, so that it downloads all that it needs.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

CHECKOUT = Path(__file__).parents[1]
OLDER = "5a6e6913^"
"""The commit before ``setup: compile all units or none; the demo needs no compiler``."""
TURNS = 2
STEPS = {
    "first verdict: make demo": ("make", "demo"),
    "full build: pip wheel": (
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        "wheel",
        ".",
    ),
}


def measured(commit: str, command: tuple[str, ...]) -> tuple[float, float]:
    """Wall and processor seconds of a command in a fresh clone of a commit."""
    with tempfile.TemporaryDirectory(prefix="necropsy-set-up-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(clone)], check=True)
        subprocess.run(["git", "checkout", "--quiet", commit], cwd=clone, check=True)
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))
        }
        environment |= {"PIP_CACHE_DIR": f"{folder}/pip", "XDG_CACHE_HOME": f"{folder}/cache"}
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in {0, 11, 12, 13}:
        sys.exit(f"{' '.join(command)} at {commit} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(older: str) -> None:
    """One line a step: seconds of both commits, and the ratio."""
    for name, command in STEPS.items():
        times: dict[str, list[tuple[float, float]]] = {older: [], "HEAD": []}
        for _ in range(TURNS):
            for commit, found in times.items():
                found.append(measured(commit, command))
        wall, processor = (
            [median(one[kind] for one in times[commit]) for commit in (older, "HEAD")] for kind in (0, 1)
        )
        print(
            f"{name}: {wall[0]:.0f} s at {older}, {wall[1]:.0f} s at HEAD: x {wall[1] / wall[0]:.2f}"
            f" (processor: {processor[0]:.0f} s, {processor[1]:.0f} s: x {processor[1] / processor[0]:.2f})",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else OLDER)
