"""Visits one by one: which stretches of a log keep theirs, and what the case holds of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from blank_cases import blank_case
from necropsy.visits import analyse
from necropsy.visits.visit_blocks import BLOCK_US, choose

MS = '{{"time":"{time}","request_time":0.250,"remote_addr":"{client}","request":"GET / HTTP/1.1","status":302,"http_user_agent":"Go"}}\n'
COMBINED = '10.0.0.1 - - [24/May/2019:{hour:02}:{minute:02}:00 +0000] "GET / HTTP/1.1" 302 0 "-" "{agent}"\n'


def busy(visits: dict[int, int], fine: int = 0) -> pa.Table:
    return pa.table({"block": list(visits), "visits": list(visits.values()), "fine": [fine] * len(visits)})


def test_a_log_within_the_limit_is_one_span_from_its_first_to_its_last_visit() -> None:
    chosen = choose(busy({10: 60, 11: 60, 12: 60}), 10 * BLOCK_US + 5, 12 * BLOCK_US + 7, 1_000)
    assert chosen.spans == ((10 * BLOCK_US + 5, 12 * BLOCK_US + 7),)
    assert not chosen.is_fine


def test_a_missing_file_is_a_hole_between_two_spans() -> None:
    visits = dict.fromkeys((*range(100, 150), *range(300, 350)), 60)
    chosen = choose(busy(visits), 100 * BLOCK_US, 350 * BLOCK_US - 1, 1_000_000)
    assert chosen.spans == ((100 * BLOCK_US, 150 * BLOCK_US - 1), (300 * BLOCK_US, 350 * BLOCK_US - 1))


def test_a_quiet_night_of_a_quiet_log_is_no_hole() -> None:
    visits = dict.fromkeys(range(100, 200, 8), 1)
    assert len(choose(busy(visits), 100 * BLOCK_US, 200 * BLOCK_US, 1_000).spans) == 1


@pytest.mark.parametrize("most", [1, 100, 599, 6_000])
def test_beyond_the_limit_whole_stretches_are_kept_and_spans_hold_only_those(most: int) -> None:
    chosen = choose(busy(dict.fromkeys(range(100), 60)), 0, 100 * BLOCK_US - 1, most)
    assert 1 <= chosen.block.size <= max(1, most // 60)
    inside = np.zeros(100, dtype=bool)
    for first, last in chosen.spans:
        inside[first // BLOCK_US : last // BLOCK_US + 1] = True
    assert np.flatnonzero(inside).tolist() == chosen.block.tolist()


def test_visits_and_their_span_enter_the_case_when_they_are_wanted(reading) -> None:
    lines = [MS.format(time=f"2019-05-24T18:41:{second:02}.500+00:00", client="10.0.0.1") for second in (0, 10, 20)]
    read = reading("".join(lines), visits=True)
    rows = read.case.rows("SELECT class_id, client, epoch_us(started_at) % 60000000 AS began FROM visit ORDER BY began")
    assert [row["began"] for row in rows] == [250_000, 10_250_000, 20_250_000]  # the line is written at the end
    assert len({row["client"] for row in rows}) == 1
    (span,) = read.case.rows("SELECT * FROM log_span")
    assert (span["resolution_s"], span["times_are_starts"]) == (0.001, True)


def test_of_a_log_to_the_second_without_durations_times_are_ends(reading) -> None:
    read = reading("".join(COMBINED.format(hour=1, minute=m, agent="Go") for m in range(5)), visits=True)
    (span,) = read.case.rows("SELECT * FROM log_span")
    assert (span["resolution_s"], span["times_are_starts"]) == (1.0, False)
    assert read.case.value("SELECT count(*) FROM visit") == 5


def test_a_long_log_keeps_whole_stretches_of_visits(reading, monkeypatch) -> None:
    monkeypatch.setattr(analyse, "VISITS", 60)
    read = reading(
        "".join(COMBINED.format(hour=h, minute=m, agent="Go") for h in range(5) for m in range(60)), visits=True
    )
    kept = read.case.value("SELECT count(*) FROM visit")
    assert 10 <= kept <= 60
    assert kept % 10 == 0  # a visit a minute, ten minutes a stretch
    assert read.case.value("SELECT sum(visits) FROM visit_bin") == 300


def test_two_readings_of_one_log_number_its_visitors_differently(reading, tmp_path) -> None:
    """The number is hashed with the case's key, so that nobody can try out addresses."""
    from necropsy.evidence.access_log.reader import read

    path = tmp_path / "one.log"
    path.write_text(COMBINED.format(hour=1, minute=1, agent="Go"))
    numbers = set()
    for _ in range(2):
        with blank_case() as case:
            read(case, [str(path)], visits=True)
            numbers.add(case.value("SELECT client FROM visit"))
    assert len(numbers) == 2


def test_nobody_who_does_not_want_visits_gets_any(reading) -> None:
    read = reading(COMBINED.format(hour=1, minute=1, agent="Go"))
    assert not read.case.has("visit")
    assert not read.case.has("log_span")
