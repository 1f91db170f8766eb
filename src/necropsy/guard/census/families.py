"""From the case of an autopsy to metrics of its sessions.

Labels are bounded and hold nothing secret: names of stores, of layouts, and of creators as the verdict names them (a probe's
target, a client's program and page), of which the largest have a series of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from necropsy._internal.masking import masked
from necropsy.guard.exposition import Family, Sample, labelled
from necropsy.report.escaping import inert

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.model.report import Report

CREATORS: Final = 20
"""Creators that have a series of their own; the rest is summed up as ``other``."""
_LONGEST: Final = 80
_BOUNDS_S: Final = (60, 600, 3_600, 21_600, 86_400, 604_800, 2_592_000, 31_536_000)
"""Upper bounds of ages and lifetimes in seconds: a minute to a year."""


def families(case: Case, report: Report, given: Iterable[str]) -> list[Family]:
    """Return every family of the census.

    Parameters
    ----------
    given
        Names of all stores that were to be read: of one that could not be, nothing else says so.
    """
    population = Family("necropsy_sessions", "gauge", "Sessions in a store, by layout and login.")
    memory = Family("necropsy_session_bytes", "gauge", "Estimated memory of the sessions in bytes.")
    for row in case.rows(
        "SELECT store, coalesce(layout, '') AS framework, coalesce(authentication, 'unknown') AS auth, count(*) AS sessions,"
        " coalesce(sum(bytes), 0)::DOUBLE AS bytes FROM session GROUP BY ALL ORDER BY ALL"
    ):
        labels = {name: str(row[name]) for name in ("store", "framework", "auth")}
        population.add(row["sessions"], **labels)
        memory.add(row["bytes"], **labels)
    seen = {store.name for store in report.stores}
    read = Family("necropsy_census_store_up", "gauge", "Whether the last census could read a store.")
    for store in given:
        read.add(float(store in seen), store=store)
    made = [population, memory, _births(case), *_of_stores(case, report)]
    made.append(read)
    made.append(_histogram(case, "necropsy_session_age_seconds", "Age of sessions in seconds.", _AGE))
    made.append(
        _histogram(case, "necropsy_session_lifetime_seconds", "Idle lifetime of sessions in seconds.", "lifetime_s")
    )
    return made


_AGE: Final = "epoch((SELECT max(taken_at) FROM source)) - epoch(born_at)"


def _births(case: Case) -> Family:
    """Births a second by creator; what nobody explains is a creator, too, so that the series add up."""
    family = Family("necropsy_session_births_per_second", "gauge", "Rate at which a creator starts sessions now.")
    for store in _stores(case):
        rows = case.rows(
            "SELECT creator, label, births_per_hour FROM birth_claim WHERE store = ? ORDER BY births_per_hour DESC, label",
            [store],
        )
        people = [row["births_per_hour"] for row in rows if row["creator"] == "people"]
        others = [row for row in rows if row["creator"] != "people"]
        rates: dict[str, float] = {"people": sum(people)} if people else {}  # unknown is not 0
        for row in others[:CREATORS]:
            name = _bounded(row["label"])
            rates[name] = rates.get(name, 0.0) + row["births_per_hour"]
        if len(others) > CREATORS:
            rates["other"] = sum(row["births_per_hour"] for row in others[CREATORS:])
        for creator, rate in rates.items():
            family.samples.append(Sample(labelled({"store": store, "creator": creator}), rate / 3600))
    return family


def _bounded(label: str) -> str:
    label = inert(masked(label))
    return label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…"


def _stores(case: Case) -> list[str]:
    return [row["store"] for row in case.rows("SELECT DISTINCT store FROM source WHERE store IS NOT NULL ORDER BY 1")]


def _of_stores(case: Case, report: Report) -> list[Family]:
    """Return what there is one of for each store."""
    from necropsy.examine.sessions import evicted_halves

    rows: dict[str, Family] = {
        name: Family(name, "gauge", text)
        for name, text in (
            ("necropsy_sessions_immortal", "Sessions that never expire in practice."),
            ("necropsy_session_share_explained", "Share of the births that are explained, 0 to 1."),
            ("necropsy_session_index_orphans", "Index entries whose session is gone."),
            ("necropsy_session_halves", "Sessions that lack one of their two keys."),
            (
                "necropsy_session_steady_state",
                "Sessions at which the population becomes steady, from configuration alone.",
            ),
            ("necropsy_memory_exhausted_timestamp_seconds", "When memory runs out at this rate, Unix time."),
        )
    }
    for store in report.stores:
        rows["necropsy_sessions_immortal"].add(store.immortal, store=store.name)
        if (paired := evicted_halves.counted(case, store.name)) is not None:
            rows["necropsy_session_halves"].add(paired[1], store=store.name)
    for row in case.rows("SELECT store, births, explained FROM birth_account WHERE births > 0 ORDER BY store"):
        rows["necropsy_session_share_explained"].add(min(1.0, row["explained"] / row["births"]), store=row["store"])
    for row in case.rows(
        "SELECT store, count(*) AS orphans FROM index_entry e WHERE NOT EXISTS"
        " (SELECT 1 FROM session s WHERE s.store = e.store AND s.id_hash = e.id_hash) GROUP BY store ORDER BY store"
    ):
        rows["necropsy_session_index_orphans"].add(row["orphans"], store=row["store"])
    for prediction in report.verdict.predictions:
        if prediction.steady_state_sessions is not None:
            rows["necropsy_session_steady_state"].add(prediction.steady_state_sessions, store=prediction.store)
        if prediction.memory_exhausted_at is not None:
            at = prediction.memory_exhausted_at.timestamp()
            rows["necropsy_memory_exhausted_timestamp_seconds"].add(at, store=prediction.store)
    causes = Family("necropsy_cause_share", "gauge", "Share of a store's sessions that a cause explains, 0 to 1.")
    for cause in report.verdict.causes:
        causes.add(cause.share, store=cause.store or "", slug=cause.slug)
    return [*rows.values(), causes]


def _histogram(case: Case, name: str, text: str, expression: str) -> Family:
    """Count sessions up to each bound; those whose value is unknown are left out, and those without an end are in +Inf."""
    family = Family(name, "histogram", text)
    counts = ", ".join(f"count(*) FILTER (WHERE value BETWEEN 0 AND {bound}) AS b{bound}" for bound in _BOUNDS_S)
    rows = case.rows(
        f"SELECT store, {counts}, count(*) AS total, coalesce(sum(value) FILTER (WHERE value >= 0), 0)::DOUBLE AS sum"
        f" FROM (SELECT store, {expression} AS value FROM session) WHERE value IS NOT NULL GROUP BY store ORDER BY store"
    )
    for row in rows:
        family.samples += _samples(row)
    return family


def _samples(row: dict[str, Any]) -> list[Sample]:
    store = str(row["store"])
    bounds = [
        Sample(labelled({"store": store, "le": str(bound)}), float(row[f"b{bound}"]), "_bucket") for bound in _BOUNDS_S
    ]
    bounds.append(Sample(labelled({"store": store, "le": "+Inf"}), float(row["total"]), "_bucket"))
    return [
        *bounds,
        Sample(labelled({"store": store}), float(row["sum"]), "_sum"),
        Sample(labelled({"store": store}), float(row["total"]), "_count"),
    ]
