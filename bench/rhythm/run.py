"""How well are rhythms told from people? Ours, RITA's score, and FFT with permutation, family by family.

    python bench/rhythm/run.py [--seed N] [--positives 120] [--negatives 402] [--minutes 60]

Prints, for each family and detector, the area under the ROC curve and the share of probers found when one in a hundred
visitors without rhythm is called a prober. Every run takes a seed; without ``--seed`` it is a new one, and printed.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import families
import peers

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Classes = list[NDArray[np.float64]]

FALSE_POSITIVES = 0.01


def ours(classes: Classes) -> NDArray[np.float64]:
    """Scores of all classes at once."""
    from necropsy.rhythm import periods

    owner = np.repeat(np.arange(len(classes)), [c.size for c in classes])
    times = (np.concatenate(classes) * 1e6).round().astype(np.int64)
    judged = periods.judge(owner, times)
    scores = np.zeros(len(classes))
    scores[judged.class_id] = judged.score
    return scores


def singly(score: Callable[[NDArray[np.float64]], float]) -> Callable[[Classes], NDArray[np.float64]]:
    """Score class by class."""
    return lambda classes: np.array([score(times) if times.size >= 5 else 0.0 for times in classes])


def area(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """Area under the ROC curve: the chance that a prober scores higher than a visitor (ties count half)."""
    order = np.sort(negative)
    below = np.searchsorted(order, positive, side="left")
    upto = np.searchsorted(order, positive, side="right")
    return float(((below + upto) / 2).mean() / negative.size)


def found(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """Share of probers above the threshold that one in a hundred visitors passes."""
    allowed = int(FALSE_POSITIVES * negative.size)
    threshold = np.sort(negative)[::-1][allowed]
    return float((positive > threshold).mean())


def main() -> None:
    """Run."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    arguments.add_argument("--positives", type=int, default=120)
    arguments.add_argument("--negatives", type=int, default=402)
    arguments.add_argument("--minutes", type=float, default=60)
    arguments.add_argument("--only-ours", action="store_true")
    chosen = arguments.parse_args()
    span = chosen.minutes * 60
    detectors: dict[str, Callable[[Classes], NDArray[np.float64]]] = {"necropsy": ours}
    if not chosen.only_ours:
        detectors |= {
            "RITA ts": singly(peers.rita_timestamps),
            "RITA": singly(lambda times: peers.rita(times, span)),
            "FFT + permutation": singly(lambda times: peers.fft_permutation(times, span)),
        }
    negative = families.negatives(chosen.seed, chosen.negatives, span)
    against = {name: detector(negative) for name, detector in detectors.items()}
    print(
        f"seed {chosen.seed}, {chosen.minutes:g} minutes of log, {chosen.positives} probers a family, {chosen.negatives} others;"
        " AUC / found at 1 % false positives"
    )
    print(f"{'family':28}" + "".join(f"{name:>20}" for name in detectors))
    for family in families.POSITIVE:
        positive = families.positives(chosen.seed, family, chosen.positives, span)
        cells = []
        for name, detector in detectors.items():
            scores = detector(positive)
            cells.append(f"{area(scores, against[name]):.3f} / {found(scores, against[name]):.2f}")
        print(f"{family:28}" + "".join(f"{cell:>20}" for cell in cells))


if __name__ == "__main__":
    main()
