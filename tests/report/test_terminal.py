from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rich.cells import cell_len

from necropsy.model.report import Report
from necropsy.model.verdict import Contradiction, EvidenceRequest, Kind, View
from necropsy.report.terminal import document as terminal

from . import sample
from .golden import agrees

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def before_the_diffs(text: str) -> list[str]:
    return text.partition("\nDIFF ")[0].splitlines()


@pytest.mark.parametrize("name", sample.EVERY)
def test_the_terminal_shows_what_it_is_expected_to(name: str) -> None:
    assert agrees(f"{name}.txt", terminal.render(sample.EVERY[name]()))


def test_who_did_it_why_and_the_proof_stand_in_the_first_screen_of_24_lines() -> None:
    screen = "\n".join(terminal.render(sample.incident()).splitlines()[:24])
    for said in (
        "CAUSE  probes/creates-sessions",
        "high confidence",
        "93 % (91 to 95 %)",
        "172.12.1.189:80/",
        "172.12.1.189:8080/",
        "172.12.1.190:80/",
        "172.12.1.190:8081/",
        "302 -> /login",
        "in access.log: Go-http-client/1.1",
        "bypasses the proxy: not logged",
        "8,640/d",
        "prometheus.yml:17",
        "counted    70,412 keys",
        "predicted  70,560 keys",
        "FIX    ",
    ):
        assert said in screen, said


@pytest.mark.parametrize("width", [40, 50, 60, 80, 120])
@pytest.mark.parametrize("name", sample.EVERY)
def test_nothing_but_a_diff_is_wider_than_the_terminal(name: str, width: int) -> None:
    lines = before_the_diffs(terminal.render(sample.EVERY[name](), width=width))
    assert max(map(cell_len, lines)) <= width


def test_a_diff_is_shown_on_demand_as_it_is_to_be_applied_and_above_the_recap() -> None:
    assert sample.PROMETHEUS_DIFF not in terminal.render(sample.incident())
    text = terminal.render(sample.incident(), patches=True)
    assert sample.PROMETHEUS_DIFF in text
    assert text.index("DIFF ") < text.index("\nVERDICT  ")


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", sample.EVERY)
def test_the_last_two_lines_are_the_verdict_and_the_next_step(name: str, width: int) -> None:
    verdict, following = terminal.render(sample.EVERY[name](), width=width, patches=True).splitlines()[-2:]
    assert verdict.startswith("VERDICT  ")
    assert following.startswith("NEXT     ")
    assert max(cell_len(verdict), cell_len(following)) <= width


def test_the_fix_stands_above_the_configuration_lines() -> None:
    text = terminal.render(sample.incident())
    assert text.index("FIX ") < text.index("prometheus.yml:17")


def test_a_culprit_that_no_configuration_names_has_its_address_times_and_lines() -> None:
    loose = replace(
        sample.actor("172.12.1.189:80"), origin=(), address="10.9.0.2", clients=1, visits=8640, first_at=sample.START,
        last_at=sample.NOW, find="grep -F 'GET / ' access.log",
    )  # fmt: skip
    report = sample.incident()
    cause = replace(sample.PROBES_CAUSE, actors=(loose,))
    text = terminal.render(replace(report, verdict=replace(report.verdict, causes=(cause,))))
    where = "from 10.9.0.2, 8,640 visits in the log, births 2019-05-23 19:00 UTC to 2019-05-24 19:00 UTC"
    assert where in " ".join(text.split())
    assert "grep -F 'GET / ' access.log" in text


def test_what_is_over_is_told_in_the_past_and_nothing_is_promised_to_stop() -> None:
    report = sample.incident()
    cause = replace(sample.PROBES_CAUSE, over=True, last_at=sample.START)
    text = terminal.render(replace(report, verdict=replace(report.verdict, causes=(cause,))))
    assert " · was " in text
    assert "births stop at once" not in text
    assert "of it are left; the last unused one expires by" in text


def test_no_verdict_says_what_to_bring_and_what_was_seen() -> None:
    view = View("A", 300, 20, 90.0, sample.START, sample.START, sample.NOW, 120, 0.64)
    verdict = replace(
        sample.well().verdict, kind=Kind.UNKNOWN, reason="people explain 30 %", views=(view,),
        requests=(EvidenceRequest("older access logs", "they name who came before", "necropsy examine … --access-log 'access.log*'"),),
        contradictions=(Contradiction("access.log", "its clock is 3,600 s ahead: its times were moved", set_aside=False),),
    )  # fmt: skip
    text = terminal.render(replace(sample.well(), verdict=verdict, findings=()))
    assert text.startswith("NO VERDICT  people explain 30 %\nADD    older access logs: they name who came before\n")
    assert "the access logs cover 40 % of the births" in " ".join(text.split())
    assert "64 % of its keys could be read" in " ".join(text.split())
    assert "CONFLICT  access.log  its clock is 3,600 s ahead" in text
    assert text.splitlines()[-1].startswith("NEXT     add older access logs: necropsy examine")


@pytest.mark.parametrize("name", sample.EVERY)
def test_colours_add_no_word_and_take_none_away(name: str) -> None:
    colored = terminal.render(sample.EVERY[name](), color=True)
    assert "\x1b[" in colored
    plain = [line.rstrip() for line in ANSI.sub("", colored).splitlines()]
    assert plain == terminal.render(sample.EVERY[name]()).splitlines()


def test_without_colour_there_is_no_escape_even_if_a_visitor_sends_some() -> None:
    text = terminal.render(sample.hostile())
    assert not {character for character in text if not character.isprintable()} - {"\n"}
    assert "\\x1b[2J" in text


def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = terminal.render(sample.incident(), color=True)
    for name, value in {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "40", "FORCE_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    assert terminal.render(sample.incident(), color=True) == expected


def test_commands_are_named_only_if_they_can_be_typed() -> None:
    named = re.findall(r"necropsy (\w+)", terminal.render(sample.incident()))
    assert set(named) == {"explain", "report"}
    unsaved = terminal.render(replace(sample.incident(), case=None))
    assert "necropsy report" not in unsaved


def crowd() -> Report:
    report = sample.incident()
    cause = replace(sample.PROBES_CAUSE, actors=tuple(sample.actor("172.12.1.189:80") for _ in range(20)))
    return replace(report, verdict=replace(report.verdict, causes=(cause,)))


def test_of_many_actors_the_first_are_named_and_the_rest_counted() -> None:
    text = terminal.render(crowd())
    assert text.count("172.12.1.189:80/") == terminal.MOST_ACTORS
    assert f"... {20 - terminal.MOST_ACTORS} more" in text


def test_an_actor_that_does_not_fit_one_line_takes_two() -> None:
    wide = replace(sample.actor("172.12.1.189:80"), url="http://a-name-that-is-long.internal.example:8080/start")
    report = sample.incident()
    cause = replace(sample.PROBES_CAUSE, actors=(wide,))
    lines = terminal.render(replace(report, verdict=replace(report.verdict, causes=(cause,)))).splitlines()
    first = next(n for n, line in enumerate(lines) if "a-name-that-is-long" in line)
    assert lines[first].endswith("8,640/d")
    assert lines[first + 1].strip() == "in access.log: Go-http-client/1.1"


def test_nothing_found_is_told_apart_from_nothing_looked_at() -> None:
    assert "HEALTHY" in terminal.render(sample.well())
    assert "NO VERDICT" in terminal.render(sample.empty())
    nothing = replace(sample.well().verdict, kind=Kind.NOTHING_FOUND)
    assert "NO CAUSE" in terminal.render(replace(sample.well(), verdict=nothing, findings=()))


def test_sources_that_were_read_alike_are_told_together() -> None:
    report = sample.incident()
    lines = terminal.render(report).splitlines()
    read = next(n for n, line in enumerate(lines) if line.startswith("READ "))
    assert lines[read] == "READ   a.rdb, b.rdb  rdb, up to 2019-05-24 19:00 UTC, RDB version 9, Redis 5.0.4"


def test_a_thousand_rotated_logs_are_not_named_one_by_one() -> None:
    report = sample.incident()
    log = next(source for source in report.sources if source.reader == "access_log")
    logs = tuple(replace(log, locator=f"logs/access.log.{number}") for number in range(1000))
    text = " ".join(terminal.render(replace(report, sources=logs)).split())
    assert "logs/access.log.6, 993 more access_log" in text
    assert "access.log.7," not in text
