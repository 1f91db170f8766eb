"""The past as sessions tell it: births that still lie in a store, or lay in it when an older case was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from necropsy.autopsy.past.keeping import Past
from necropsy.model.errors import UsageError
from necropsy.model.evidence import Source

if TYPE_CHECKING:
    from necropsy.autopsy.evidence_log import EvidenceLog
    from necropsy.verdict.evidence import Births

OWN: Final = "births of its sessions"
"""Source of a history that the sessions of a store tell by themselves."""
_MOST_SPANS: Final = 2_000
_STEPS_S: Final = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0)
_LEAST_BIRTHS: Final = 20
_LEAST_SPANS: Final = 6


def older(evidence_log: EvidenceLog, path: str, births: Mapping[str, Births]) -> list[Past]:
    """Read the stores of an older case: what they held, and the births that it still saw."""
    from necropsy.autopsy import course, verdict_inputs
    from necropsy.case.store import Case

    case = evidence_log.case
    series: list[Past] = []
    with Case.open(Path(path)) as old:
        then = verdict_inputs.births_by_store(old)
        shared = [store for store in births if store in then]
        if births and not shared and not len(births) == len(then) == 1:
            raise UsageError(
                f"{path} is about other stores: {', '.join(then) or 'none'}; this is about {', '.join(births)}",
                hint="Name the store as the older case does: --rdb NAME=FILE.",
            )
        names = {store: store for store in shared} or dict(zip(then, births, strict=False))
        at = datetime.fromisoformat(old.meta()["now"])
        for theirs, ours in names.items():
            levels = old.rows(
                "SELECT count(*) AS sessions, (SELECT sum(keys) FROM key_family WHERE store = $1)::DOUBLE AS keys,"
                " (SELECT sum(bytes) FROM key_family WHERE store = $1)::DOUBLE AS bytes FROM session WHERE store = $1",
                [theirs],
            )[0]
            rows = [
                {
                    "store": ours,
                    "source": path,
                    "quantity": name,
                    "at": at.astimezone(UTC).replace(tzinfo=None),
                    "seconds": 0.0,
                    "value": value,
                }
                for name, value in levels.items()
                if value is not None
            ]
            case.append("history", rows)
            if levels["sessions"]:
                curve = course.outlook(old, theirs, at).curve
                case.append("history", course.predicted(ours, path, at, curve))
            series += [replace(seen, store=ours, source=path) for seen in own({theirs: then[theirs]})]
    evidence_log.record([Source("case", path, taken_at=at, note="an older case of the same stores")])
    return series


def own(births: Mapping[str, Births]) -> Iterator[Past]:
    """Births as the sessions name them, from the moment since which none can have expired."""
    import numpy as np

    from necropsy.history.births import binned
    from necropsy.history.change_points import change_points
    from necropsy.model.figures import IMMORTAL_S

    for store, one in births.items():
        if one.born_ms.size < _LEAST_BIRTHS or one.taken_ms is None or one.coverage < 1.0:
            continue
        born_s = np.asarray(one.born_ms, np.float64) / 1_000
        end = one.taken_ms / 1_000
        lifetime = one.lifetime_s
        if lifetime is None:
            continue
        start = float(born_s[0]) if lifetime < 0 or lifetime > IMMORTAL_S else max(float(born_s[0]), end - lifetime)
        step = next((step for step in _STEPS_S if (end - start) / step <= _MOST_SPANS), _STEPS_S[-1])
        start = np.ceil(start / step) * step
        if end - start >= _LEAST_SPANS * step:
            spans = binned(born_s[born_s >= start], start, end, step)
            yield Past(store, OWN, spans, change_points(spans))
