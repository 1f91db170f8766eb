"""Lines inside other lines: numbers stay, damage is counted, and no mixture of prefixes and layouts breaks the reading."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blank_cases import blank_case
from evidence.access_log.producers import PRODUCERS, requests
from necropsy.evidence.access_log.formats.given import name_keys
from necropsy.evidence.access_log.reader import read
from necropsy.model.errors import UsageError

REQUEST = next(requests())
LINE = REQUEST.combined


@pytest.mark.parametrize(
    "wrap",
    [
        lambda line: f"2024-02-05T10:00:01.206Z stdout F {line}",
        lambda line: f"Feb  5 10:00:01 web1 nginx: {line}",
        lambda line: f"web-1  | 2024-02-05T10:00:01.206Z stdout F {line}",
        lambda line: json.dumps({"message": line}),
        lambda line: json.dumps({"textPayload": f"Feb  5 10:00:01 web1 nginx: {line}"}),
        lambda line: f"web-1  | {json.dumps({'log': line})}",
    ],
    ids=["runtime", "syslog", "runtime in compose", "JSON", "syslog in JSON", "JSON in compose"],
)
def test_a_damaged_line_keeps_its_number_behind(wrap, reading) -> None:
    lines = [LINE, LINE, "rubbish", LINE]
    read = reading("\n".join(map(wrap, lines)) + "\n")
    assert read.log.requests == 3
    assert [(blemish.place, blemish.count) for blemish in read.log.blemishes] == [(3, 1)]


@pytest.mark.parametrize(
    "around",
    [
        {"date": 1707127201.2, "source": {"path": "/var/log/nginx/access.log"}, "shipper": {"version": "3.1.9"}},
        {"timestamp": "2024-02-05T10:00:01.206Z", "host": "10.0.0.4", "path": "/srv/logs/access", "status": "200"},
        {"time": "2024-02-05T10:00:01Z", "url": "http://collector.example/in", "agent": "beat/8.1", "code": 202},
    ],
    ids=["a log's path", "a status of delivery", "a collector's address"],
)
@pytest.mark.parametrize("key", ["log", "message", "_raw"])
def test_a_line_inside_an_object_counts_more_than_a_shippers_own_keys(around, key, reading) -> None:
    read = reading("\n".join(json.dumps(around | {key: LINE + "\n"}) for _ in range(3)) + "\n")
    assert read.log.requests == 3
    assert {row[0] for row in read.classes("client")} == {REQUEST.client}


@pytest.mark.parametrize("key", ["log", "message", "_raw"])
def test_an_object_that_escapes_half_of_a_surrogate_pair_costs_its_own_line_alone(key, reading) -> None:
    lines = [json.dumps({key: LINE + "\n"})] * 3 + [json.dumps({key: "\ud800 " + LINE + "\n"})]
    assert reading("\n".join(lines) + "\n").log.requests == 3


def test_a_bracket_that_is_never_closed_swallows_no_other_line(reading) -> None:
    lines = [f"[pod/web-1/nginx] {LINE}"] * 3 + ["[pod/web-1/nginx"] + [f"[pod/web-1/nginx] {LINE}"] * 2
    assert reading("\n".join(lines) + "\n").log.requests == 5


@pytest.mark.parametrize("pair", ["client", "client=", "visitor=ip", "=ip"])
def test_a_field_that_there_is_none_of_is_refused_with_those_that_there_are(pair: str) -> None:
    with pytest.raises(UsageError, match="not FIELD=KEY") as refused:
        name_keys([pair])
    assert "client" in refused.value.hint


PIECES = st.sampled_from(
    [written.text(REQUEST) for written in PRODUCERS.values()]
    + [
        "Feb  5 10:00:01 web1 nginx: ",
        "web-1  | ",
        '{"log":"',
        '{"message":{"a":[',
        "<190>1 - - - - - ",
        "[pod/",
        "time:\t",
        "a=",
        '"',
        "\\xC3",
        "\x1b[0m",
    ]
)


@pytest.mark.process
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=3).map("".join), min_size=1, max_size=10))
def test_no_mixture_of_layouts_breaks_the_reading(tmp_path, lines) -> None:
    path = tmp_path / "access.log"
    path.write_text("\n".join(lines), encoding="utf-8", newline="\n")
    with blank_case() as case:
        log = read(case, [str(path)])
        assert case.value("SELECT coalesce(sum(requests), 0) FROM visitor_class") == log.requests
    assert len(log.sources) + len(log.absent) == 1
    assert all(absent.reason and absent.hint for absent in log.absent)
