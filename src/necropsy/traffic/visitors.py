"""Names, judges and puts in order the visitor classes of a case: by columns, as there may be twenty thousand of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from necropsy.model.traffic import LIKELIHOODS, Visitor, Visitors
from necropsy.traffic.judgement import SessionStart, judge
from necropsy.visits.agents import kind_of, recognise

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from necropsy.case.store import Case

SORTS: Final = ("sessions", "visits", "requests", "period", "first", "last", "client", "agent", "path")
"""By what visitors can be put in order; ``sessions``: those that probably start most come first."""
_FEWEST_GIVEN: Final = 3
"""Session cookies in vain after which a client counts as one that drops them: two may be two people behind one address."""
_TIMES: Final = ("first_at", "last_at")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
T = TypeVar("T")


def visitors_of(case: Case, sort: str) -> tuple[list[int], Visitors]:
    """Return the classes of a case in order, and their numbers in it; where the order is equal, more visits come first."""
    import numpy as np

    rows = case.arrow(
        "SELECT visitor_class.*, CASE WHEN brought > 0 THEN TRUE WHEN renewed >= $1 THEN FALSE END AS returns"
        " FROM visitor_class LEFT JOIN cookie_use USING (log, client, user_agent) WHERE coalesce(client, '') <> '*'"
        " UNION ALL BY NAME SELECT *, NULL::BOOLEAN AS returns FROM visitor_class WHERE client = '*' ORDER BY class_id",
        [_FEWEST_GIVEN],
    )
    rows = rows.append_column("agent_kind", _kinds(rows["user_agent"]))
    judgements, judged = _judge(rows)
    rank = np.array([LIKELIHOODS.index(one.likelihood) for one in judgements], np.int64)[judged]
    order = _in_order(rows, rank, sort)
    rows, judged = rows.take(order), judged[order]
    column: dict[str, Sequence[Any]] = {
        name: rows[name].to_pylist() for name in Visitor._fields if name in rows.column_names and name not in _TIMES
    }
    column |= {name: _Made(_moment, _microseconds(rows[name]).tolist()) for name in _TIMES}
    column["agent"] = _Made(_name, column["user_agent"])
    column["sessions"] = [judgements[number].likelihood for number in judged]
    column["because"] = [judgements[number].because for number in judged]
    return rows["class_id"].to_pylist(), Visitors(column)


class _Made(Sequence[T]):
    """Results of a function, computed when they are asked for: of most visitors nobody asks."""

    __slots__ = ("_make", "_of")

    def __init__(self, make: Callable[[Any], T], of: Sequence[Any]) -> None:
        self._make, self._of = make, of

    def __len__(self) -> int:
        return len(self._of)

    def __iter__(self) -> Iterator[T]:
        return map(self._make, self._of)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> _Made[T]: ...
    def __getitem__(self, index: int | slice) -> T | _Made[T]:
        return _Made(self._make, self._of[index]) if isinstance(index, slice) else self._make(self._of[index])


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _name(user_agent: str) -> str:
    return recognise(user_agent).name


def _microseconds(times: pa.ChunkedArray) -> NDArray[np.int64]:
    numbers: NDArray[np.int64] = times.cast("int64").to_numpy()
    return numbers


def _kinds(user_agents: pa.ChunkedArray) -> pa.Array:
    """Return the kind of the program that each User-Agent names."""
    import pyarrow as pa

    told = user_agents.combine_chunks().dictionary_encode("encode")
    return pa.array([kind_of(text) for text in told.dictionary.to_pylist()], pa.string()).take(told.indices)


def _judge(rows: pa.Table) -> tuple[list[SessionStart], NDArray[np.int64]]:
    """Judge what the classes are, many of which differ in their client alone: the judgements, and which one each class has."""
    import pyarrow.compute as pc

    asked = rows.select(["agent_kind", "method", "path", "status", "followed_to", "returns", "bare"])
    asked = asked.append_column("periodic", pc.is_valid(rows["period_s"]))
    asked = asked.append_column("several", pc.equal(rows["user_agent"], "*"))
    named = pc.unique(rows.filter(pc.not_equal(rows["user_agent"], ""))["log"])
    asked = asked.append_column("untold", pc.invert(pc.is_in(rows["log"], value_set=named)))
    first, which = _distinct(asked)
    judgements = [
        judge(
            one["agent_kind"],
            one["method"],
            one["path"],
            one["status"],
            one["followed_to"],
            periodic=one["periodic"],
            returns=one["returns"],
            bare=bool(one["bare"]),
            several=one["several"],
            untold=one["untold"],
        )
        for one in asked.take(first).to_pylist()
    ]
    return judgements, which


def _distinct(rows: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each distinct row stands first, and for each row which distinct one it is."""
    import numpy as np

    first, which = np.zeros(1, np.int64)[: rows.num_rows], np.zeros(rows.num_rows, np.int64)
    for column in rows.columns:
        told = column.combine_chunks().dictionary_encode("encode")
        code = which * len(told.dictionary) + told.indices.to_numpy()
        _, first, which = np.unique(code, return_index=True, return_inverse=True)
    return first, which


def _in_order(rows: pa.Table, rank: NDArray[np.int64], sort: str) -> NDArray[np.int64]:
    """Return where the classes stand in order; ``rank``: that of their likelihood."""
    import numpy as np

    def number(name: str) -> NDArray[np.float64]:
        column: NDArray[np.float64] = rows[name].to_numpy()  # null: NaN, which comes last
        return column

    def text(name: str, change: Callable[[str], str] = str) -> NDArray[np.int64]:
        told = [change(value) for value in rows[name].to_pylist()]
        place = {value: at for at, value in enumerate(sorted(set(told)))}
        return np.array([place[value] for value in told], np.int64)

    keys: dict[str, Callable[[], Sequence[NDArray[Any]]]] = {
        "sessions": lambda: (rank, np.isnan(number("period_s")) & (rank == LIKELIHOODS.index("possible"))),
        "visits": lambda: (),
        "requests": lambda: (-number("requests"),),
        "period": lambda: (number("period_s"),),
        "first": lambda: (_microseconds(rows["first_at"]),),
        "last": lambda: (-_microseconds(rows["last_at"]),),
        "client": lambda: (text("client"),),
        "agent": lambda: (text("user_agent", lambda told: _name(told).lower()), text("user_agent")),
        "path": lambda: (text("path"), text("method")),
    }
    last = (-number("visits"), number("class_id"))
    order: NDArray[np.int64] = np.lexsort((*keys[sort](), *last)[::-1])
    return order
