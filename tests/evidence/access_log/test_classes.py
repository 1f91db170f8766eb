"""Classes: alike visits together, and never more of them than a case can hold."""

from __future__ import annotations

from necropsy.evidence.access_log.files.sources import family
from necropsy.visits import analyse

LINE = '{client} - - [24/May/2019:{hour:02}:{minute:02}:{second:02} +0000] "GET {path} HTTP/1.1" {status} 17 "-" "{agent}"\n'


def line(client="10.0.0.1", at=0, path="/", status=200, agent="curl/8"):
    return LINE.format(
        client=client, hour=at // 3600, minute=at // 60 % 60, second=at % 60, path=path, status=status, agent=agent
    )


def test_every_part_of_a_class_tells_it_apart(reading) -> None:
    lines = [
        line(), line(), line(client="10.0.0.2"), line(path="/b"), line(status=404), line(agent="wget"),
        line().replace("GET", "POST"), line(path="/?q=1"),
    ]  # fmt: skip
    read = reading("".join(lines))
    assert sorted(read.classes("visits"), reverse=True) == [(3,), (1,), (1,), (1,), (1,), (1,)]


def test_beyond_the_limit_clients_are_folded_then_the_rest_and_nothing_is_lost(reading, monkeypatch) -> None:
    monkeypatch.setattr(analyse, "CLASSES", 3)
    lines = [line(client=f"10.0.0.{i}", path="/a", at=i) for i in range(30) for _ in range(1 + (i < 3) * 9)]
    lines += [line(client=f"10.0.1.{i}", path=f"/{'bcdefgh'[i]}", at=i, agent=f"agent/{i}") for i in range(7)]
    read = reading("".join(lines))
    rows = read.classes("client, user_agent, path, status, visits")
    assert rows[:3] == [(f"10.0.0.{i}", "curl/8", "/a", 200, 10) for i in range(3)]
    assert ("*", "curl/8", "/a", 200, 27) in rows[3:6]
    assert rows[-1][:4] == ("*", "*", "*", 200)
    assert len(rows) == 7
    assert sum(row[-1] for row in rows) == len(lines)
    assert read.case.value("SELECT sum(visits) FROM visit_bin") == len(lines)


def test_a_prober_is_kept_however_many_people_there_are(reading, monkeypatch) -> None:
    monkeypatch.setattr(analyse, "CLASSES", 1)
    people = [line(client=f"10.0.0.{i}", at=i * 7, path="/a") for i in range(40) for _ in range(30)]
    prober = [line(client="10.9.9.9", agent="Prober/1", at=11 + 60 * i, path="/health") for i in range(25)]
    read = reading("".join([*people, *prober]))
    (row,) = read.case.rows("SELECT * FROM visitor_class WHERE user_agent = 'Prober/1'")
    assert (row["client"], row["visits"], row["period_s"], row["phase_s"]) == ("10.9.9.9", 25, 60.0, 11.5)


def test_bins_count_visits_by_minute(reading) -> None:
    read = reading("".join(line(at=second) for second in (0, 59, 60, 61, 3599)))
    rows = read.case.rows("SELECT strftime(bin, '%H:%M') AS bin, visits FROM visit_bin ORDER BY bin")
    assert rows == [{"bin": "00:00", "visits": 2}, {"bin": "00:01", "visits": 2}, {"bin": "00:59", "visits": 1}]


def test_texts_that_repeat_and_texts_that_do_not_come_out_alike(reading) -> None:
    # Both kinds in every field, in files read one after the other.
    first = [line(agent="often/1") for _ in range(50)] + [line(agent=f"rare/{i}", path="/x") for i in range(5)]
    second = [line(agent="often/1"), line(agent="often/2"), line(agent="rare/1", path="/x")] + [
        line(agent="often/2")
    ] * 9
    read = reading({"access.log.1": "".join(first), "access.log": "".join(second)})
    assert dict(read.classes("user_agent, visits")) == {
        "often/1": 51, "often/2": 10, "rare/0": 1, "rare/1": 2, "rare/2": 1, "rare/3": 1, "rare/4": 1,
    }  # fmt: skip
    assert dict(read.classes("user_agent, path"))["rare/1"] == "/x"


def test_reading_twice_into_a_case_numbers_on(reading) -> None:
    reading({"a.log": line()})
    read = reading({"b.log": line(path="/b")})
    assert read.classes("class_id, path") == [(0, "/"), (1, "/b")]


def test_families_of_files() -> None:
    same = ["access.log", "access.log.1", "access.log.12.gz", "access.log-20240501", "access.log-20240501.zst", "access.log.2024-05-01.bz2",
            "access.2024-05-01.log", "access.1.log"]  # fmt: skip
    assert {family(f"/var/log/{name}") for name in same} == {"/var/log/access.log"}
    others = ["access.before.log", "web1.access.log", "access.log.json", "7", "2024-05-01", "-"]
    assert [family(name) for name in others] == others
