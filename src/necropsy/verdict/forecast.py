"""Forecast: the steady state that the configuration alone predicts.

``sessions = births per second × TTL``; ``keys = sessions × keys per session + index keys``; ``bytes = sessions × bytes
per session``. Spring's indexed layout adds one expiration set a minute for as long as a session lives, so that the
incident's sum is 4 × 8,640 × 2 + 1,440 = 70,560. It also keeps the hash for five minutes after the session is over:
with a lifetime of a day that is nothing, with one of five minutes it doubles the hashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from necropsy.model.figures import IMMORTAL_S, factor, several
from necropsy.model.probe import Probe
from necropsy.model.verdict import Prediction
from necropsy.sessions.spring.names import GRACE_S

DAY_S: Final = 86_400
_INDEXED: Final = ("spring-indexed", "spring-reactive-indexed")
_MATTERS: Final = 0.01
"""Share of the lifetime from which on the grace is part of the sum."""


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """Input of the forecast of one store."""

    name: str
    layout: str
    lifetime_s: float | None
    """Idle lifetime most sessions ask for; negative or beyond ``IMMORTAL_S``: they never expire."""
    keys_per_session: float
    bytes_per_session: float
    sessions: int
    keys: int
    bytes: int
    births_per_hour: float
    """Births that go on when the store was read, whoever makes them."""
    memory_limit: int | None
    taken_at: datetime


def grace_s(layout: str) -> int:
    """Seconds for which a session of this layout stays after it is over."""
    return GRACE_S if layout in _INDEXED else 0


def is_immortal(lifetime_s: float | None) -> bool:
    """Whether sessions of this lifetime never expire in practice."""
    return lifetime_s is not None and (lifetime_s < 0 or lifetime_s > IMMORTAL_S)


def predict(store: StoreFacts, creating: Sequence[Probe]) -> Prediction:
    """Predict the steady state of a store from the probes that create sessions in it.

    Parameters
    ----------
    store
        Its layout and lifetime decide keys per session; its counts are put beside the prediction.
    creating
        The probes, one for each target that answers.
    """
    per_day = sum(DAY_S / probe.period_s for probe in creating)
    immortal = is_immortal(store.lifetime_s)
    sessions = keys = size = None
    formula = ""
    if creating and store.lifetime_s is not None and store.lifetime_s >= 0 and not immortal:
        kept = _kept(store)
        sessions = per_day / DAY_S * (store.lifetime_s + kept)
        index_keys = store.lifetime_s / 60 if store.layout == "spring-indexed" else 0.0
        hashes = per_day / DAY_S * kept  # what is over has its hash alone
        keys = (sessions - hashes) * store.keys_per_session + hashes + index_keys
        size = sessions * store.bytes_per_session
        formula = _formula(store, creating, index_keys, hashes)
    elif creating and immortal:
        formula = f"{_per_day(creating)} x {factor(store.keys_per_session, 'key')}, and none ever expires: no plateau"
    return Prediction(
        store=store.name,
        births_per_day=per_day,
        lifetime_s=store.lifetime_s,
        steady_state_sessions=sessions,
        steady_state_keys=keys,
        steady_state_bytes=size,
        counted_sessions=store.sessions,
        counted_keys=store.keys,
        counted_bytes=store.bytes,
        memory_exhausted_at=None,  # by the curve of the store: verdict.future
        formula=formula,
    )


def _per_day(creating: Sequence[Probe]) -> str:
    periods = sorted({probe.period_s for probe in creating})
    return " + ".join(
        f"{several(sum(1 for probe in creating if probe.period_s == period), 'probe')} x {DAY_S / period:,.0f}/d"
        for period in periods
    )


def _kept(store: StoreFacts) -> float:
    """Seconds that a session stays after it is over, where that is not too little to count."""
    lifetime_s = store.lifetime_s or 0.0
    kept = grace_s(store.layout)
    return kept if _MATTERS * lifetime_s < kept else 0.0


def _formula(store: StoreFacts, creating: Sequence[Probe], index_keys: float, hashes: float) -> str:
    days = (store.lifetime_s or 0) / DAY_S
    lived = "" if days == 1 else f" x {days:.3g} d"
    text = (
        f"({_per_day(creating)}){lived} x {factor(store.keys_per_session, 'key')}"
        if lived
        else (f"{_per_day(creating)} x {factor(store.keys_per_session, 'key')}")
    )
    text += f" + {hashes:,.0f} hashes kept for 5 minutes" if hashes else ""
    return text + (f" + {index_keys:,.0f} expirations sets" if index_keys else "")
