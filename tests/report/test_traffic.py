from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from rich.cells import cell_len

from necropsy.model.evidence import Absent, Blemish, Source
from necropsy.model.traffic import Traffic, Visitor, Visitors
from necropsy.report.commands import traffic, traffic_rows
from necropsy.report.html import traffic as page

AT = datetime(2019, 5, 24, 18, 41, 34, tzinfo=UTC)
HOSTILE = "=cmd|'/c calc'\x1b[2J\u202e<script>alert(1)</script>\n\x00"
PROBER = Visitor(
    log="access.log", client="10.0.0.9", user_agent="Go-http-client/1.1", agent="Go net/http", agent_kind="library",
    host="172.12.1.189:80", method="GET", path="/", status=302, followed_to="/login", visits=8640, requests=17280,
    first_at=AT, last_at=AT + timedelta(days=1), period_s=10.0, phase_s=4.2, phase_spread_s=0.3, coverage=1.0,
    sessions="likely", because="sent to a login page, and programs hardly ever return cookies", activity=(180,) * 48,
)  # fmt: skip
PERSON = PROBER._replace(client="*", user_agent="*", agent="", agent_kind="unknown", host="", path="/news/*", status=None, followed_to=None,
    visits=12, requests=12, period_s=None, phase_s=None, phase_spread_s=None, coverage=None, sessions="once", activity=(),
)  # fmt: skip


def found(*visitors: Visitor) -> Traffic:
    return Traffic(
        visitors=Visitors.of(*visitors),
        requests=sum(visitor.requests for visitor in visitors),
        first_at=AT,
        last_at=AT + timedelta(days=1),
        sources=(Source("access_log", "access.log", AT, "ab" * 32, 4096, None, "combined"),),
        blemishes=(Blemish("access.log", "line", 7, "does not fit the log format", HOSTILE, 3),),
        absent=(Absent("access_log", "old.log", "old.log: no such file", "Check the path."),),
    )


TEXTS = st.text(max_size=200).map(lambda text: text + HOSTILE)
VISITORS = st.builds(
    Visitor._replace,
    st.sampled_from((PROBER, PERSON)),
    **dict.fromkeys(("log", "client", "user_agent", "agent", "host", "method", "path"), TEXTS),
    followed_to=TEXTS | st.none(),
    visits=st.integers(1, 10**12),
    agent_kind=st.sampled_from(("browser", "unknown")),
    period_s=st.floats(0.01, 10**7) | st.none(),
    coverage=st.floats(0, 1) | st.none(),
    sessions=st.sampled_from(("likely", "possible", "once", "unlikely")),
)


@given(st.lists(VISITORS, max_size=3))
@settings(max_examples=30)
def test_no_line_is_wider_than_the_terminal_and_nothing_in_it_acts(visitors: list[Visitor]) -> None:
    text = traffic.render(found(*visitors))
    assert [line for line in text.splitlines() if cell_len(line) > 80] == []
    assert not {"\x1b", "\u202e", "\x00"} & set(text)


@given(VISITORS)
@settings(max_examples=5)
def test_a_page_shows_what_strangers_sent_and_obeys_none_of_it(visitor: Visitor) -> None:
    text = page.render(found(visitor))
    assert "<script" not in text
    assert not {"\x1b", "\u202e", "\x00"} & set(text)
    assert "default-src &#39;none&#39;" in text


def test_a_page_draws_when_a_visitor_came() -> None:
    text = page.render(found(PROBER, PERSON))
    assert text.count("<svg") == 1
    assert text.count("<rect") == 48
    assert text == page.render(found(PROBER, PERSON))


def test_the_headline_says_how_many_sessions_that_is_an_hour() -> None:
    assert traffic.headline(found(PROBER, PERSON)) == "8,640 visits probably start a session each, 360 an hour"
    assert traffic.headline(found(PERSON)).startswith("only visits by browsers")
    assert traffic.headline(found(PROBER, PERSON._replace(sessions="possible"))).endswith(
        "; 12 more may start one each, 0.5 an hour"
    )
    alone = found(PERSON._replace(sessions="possible"))
    assert traffic.headline(alone).startswith("12 visits may start a session each")


def test_a_rhythm_with_holes_says_how_much_of_it_came() -> None:
    assert traffic.rhythm(PROBER) == "10 s"
    assert traffic.rhythm(PROBER._replace(coverage=0.62)) == "10 s, 62 %"
    assert traffic.rhythm(PROBER._replace(period_s=300.0)) == "5 min"
    assert traffic.rhythm(PROBER._replace(probers=2)) == "10 s, by 2"
    assert traffic.rhythm(PERSON) == ""


@given(st.lists(VISITORS, max_size=3))
@settings(max_examples=20)
def test_json_is_valid_by_the_published_schema(visitors: list[Visitor]) -> None:
    schema: dict[str, Any] = json.loads(traffic_rows.schema())
    Draft202012Validator.check_schema(schema)
    document = json.loads(traffic_rows.as_json(found(*visitors)))
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(document)


def test_nothing_of_a_visitor_is_left_out_of_the_columns_but_its_picture() -> None:
    assert set(traffic_rows.COLUMNS) == set(Visitor._fields) - {"activity"} | {"rhythm"}
    schema = json.loads(traffic_rows.schema())
    assert list(schema["$defs"]["visitor"]["properties"]) == list(traffic_rows.COLUMNS)


def test_csv_and_parquet_hold_the_same_rows_and_csv_no_formula() -> None:
    both = found(PROBER, PERSON._replace(user_agent=HOSTILE))
    rows = list(csv.DictReader(io.StringIO(traffic_rows.as_csv(both))))
    columns = pq.read_table(io.BytesIO(traffic_rows.as_parquet(both)))
    assert columns.column_names == list(traffic_rows.COLUMNS) == list(rows[0])
    assert [int(row["visits"]) for row in rows] == columns.column("visits").to_pylist() == [8640, 12]
    assert rows[1]["user_agent"].startswith("'=")
    assert columns.column("first_at").to_pylist()[0] == AT


def test_only_so_many_rows_are_shown_and_the_rest_is_counted() -> None:
    text = traffic.render(found(PROBER, PERSON, PERSON), rows=1)
    assert "... 2 more client groups: 24 visits (--limit shows more)" in text


def test_what_was_folded_is_said_in_words() -> None:
    folded = found(PROBER._replace(client="*", user_agent="*", host="*", agent="", agent_kind="unknown"))
    assert "several User-Agents from several clients at several hosts" in " ".join(traffic.render(folded).split())
    assert "several User-Agents, from several clients, at several hosts" in page.render(folded)


def test_a_log_without_user_agents_does_not_say_that_its_clients_sent_none() -> None:
    bare = PROBER._replace(user_agent="", agent="", agent_kind="unknown", log="bare.log")
    sent_none = bare._replace(log="full.log")
    for made in (traffic.render, page.render):
        alone = " ".join(made(found(bare)).split())
        assert ("User-Agent not logged" in alone, "no User-Agent" in alone) == (True, False)
        both = " ".join(made(found(bare, sent_none, PERSON._replace(log="full.log"))).split())
        assert (both.count("User-Agent not logged"), both.count("no User-Agent")) == (1, 1)
