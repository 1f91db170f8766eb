from __future__ import annotations

from dataclasses import replace

import pytest

from necropsy.report.wording import sentences

from . import sample


def test_a_logged_actor_is_shown_under_the_name_that_the_log_has_for_it() -> None:
    assert sentences.seen(sample.actor("172.12.1.189:80"), sample.incident()) == "in access.log: Go-http-client/1.1"


def test_going_round_the_proxy_is_said_only_of_a_port_that_the_blind_spot_names() -> None:
    report = sample.incident()
    assert sentences.seen(sample.actor("172.12.1.189:8080"), report) == "bypasses the proxy: not logged"
    configured = replace(report, sources=(*report.sources, replace(report.sources[-1], reader="nginx")))
    assert sentences.seen(sample.actor("172.12.1.189:8080"), configured) == "bypasses nginx: not logged"
    silent = replace(report, findings=())
    assert sentences.seen(sample.actor("172.12.1.189:8080"), silent) == "not in any access log"
    other = replace(sample.actor("172.12.1.189:8080"), url="http://172.12.1.189:808/")
    assert sentences.seen(other, report) == "not in any access log"


def test_without_logs_nothing_is_said_about_logs() -> None:
    unknown = replace(sample.actor("172.12.1.189:80"), in_access_log=None)
    assert sentences.seen(unknown, sample.incident()) == ""


def test_with_several_logs_none_of_them_is_named() -> None:
    report = sample.incident()
    more = replace(report.sources[2], locator="logs/other.log")
    several = replace(report, sources=(*report.sources, more))
    assert sentences.seen(sample.actor("172.12.1.189:80"), several) == "in the access logs: Go-http-client/1.1"


def test_the_accused_line_comes_first_and_every_line_once() -> None:
    places = [str(origin) for origin in sentences.origins(sample.PROBES_CAUSE)]
    assert places[0] == "prometheus.yml:17"
    assert len(places) == len(set(places)) == 5


def test_after_the_fix_the_sessions_of_the_accused_are_gone_within_a_lifetime() -> None:
    said = sentences.after(sample.PROBES_CAUSE, sample.incident())
    assert said[-1] == "births stop at once; sessions fall from 34,486 to about 2,414 within 1 day, as they expire"


def test_immortal_sessions_do_not_go_away_by_themselves() -> None:
    immortal = replace(sample.PROBES_CAUSE, store="B")
    assert "have to be removed" in sentences.after(immortal, sample.incident())[-1]


def test_without_a_remedy_nothing_is_promised() -> None:
    assert sentences.after(replace(sample.PROBES_CAUSE, remedy=None), sample.incident()) == []


def test_what_is_told_as_a_cause_is_not_told_again() -> None:
    told = [(item.slug, item.store) for item in sentences.also(sample.incident())]
    assert told == [("monitoring/log-blind-spot", "A"), ("probes/wrong-path", None)]


def test_a_remedy_of_several_findings_is_shown_once() -> None:
    assert [slug for slug, _ in sentences.remedies(sample.incident())] == [
        "probes/creates-sessions",
        "sessions/immortal",
    ]
    assert len(sentences.patches(sample.incident())) == 2


def test_a_prediction_is_told_with_the_first_cause_of_its_store_only() -> None:
    report = sample.incident()
    second = replace(sample.PROBES_CAUSE, slug="traffic/unlogged-creator")
    both = replace(report, verdict=replace(report.verdict, causes=(sample.PROBES_CAUSE, second)))
    assert [p.store for p in sentences.predictions_of(sample.PROBES_CAUSE, both)] == ["A"]
    assert sentences.predictions_of(second, both) == []
    assert [p.store for p in sentences.predictions_of(None, both)] == ["B"]


@pytest.mark.parametrize("url", ["http://[", "", "ftp://x", "http://<address>:80/health?full=1"])
def test_any_url_can_be_told(url: str) -> None:
    actor = replace(sample.actor("172.12.1.189:80"), url=url)
    assert sentences.address(actor)
    assert "every 10 s" in sentences.asks(actor)


def test_an_actor_shows_its_own_lines_before_those_that_all_actors_share() -> None:
    cause, actor = sample.PROBES_CAUSE, sample.PROBES_CAUSE.actors[1]
    assert [str(line) for line in sentences.own_lines(actor, cause)] == ["prometheus.yml:17", "consul-services.json:25"]
    assert [str(line) for line in sentences.shared_lines(actor, cause)] == ["blackbox.yml:3"]


def test_the_only_actor_shares_its_lines_with_nobody() -> None:
    alone = replace(sample.PROBES_CAUSE, actors=sample.PROBES_CAUSE.actors[:1])
    assert len(sentences.own_lines(alone.actors[0], alone)) == 3
    assert sentences.shared_lines(alone.actors[0], alone) == []


def test_a_rotated_log_has_the_name_of_its_log() -> None:
    report = sample.incident()
    rotated = replace(report.sources[2], locator="logs/access.log-20190524.gz")
    both = replace(report, sources=(*report.sources, rotated))
    assert sentences.seen(sample.actor("172.12.1.189:80"), both) == "in access.log: Go-http-client/1.1"


def test_after_all_fixes_each_sentence_stands_once_and_names_its_store() -> None:
    report = sample.incident()
    other = replace(sample.PROBES_CAUSE, store="B")
    said = sentences.afterwards(replace(report, verdict=replace(report.verdict, causes=(sample.PROBES_CAUSE, other))))
    assert len(said) == len(set(said))
    assert [sentence.partition(": ")[0] for sentence in said if sentence.startswith(("A: ", "B: "))] == ["A", "B"]


def test_slugs_that_lack_the_same_evidence_are_told_together() -> None:
    report = sample.configuration_only()
    assert sentences.unexamined(report) == [("probes/creates-sessions, sessions/immortal", "needs --rdb or --redis")]


def test_a_rhythm_without_a_name_is_not_called_explained() -> None:
    report = sample.incident()
    assert "are unexplained" in sentences.unexplained(report)
    nobody = replace(sample.PROBES_CAUSE, slug="traffic/unlogged-creator")
    unlogged = replace(report, verdict=replace(report.verdict, causes=(nobody,)))
    assert "no known creator" in sentences.unexplained(unlogged)


def test_no_cause_says_what_was_there_to_accuse() -> None:
    report = sample.well()
    assert sentences.no_cause(report)[0] == "No cause"
    bare = replace(report.stores[0], sessions=0)
    assert sentences.no_cause(replace(report, stores=(bare,)))[0] == "No sessions"
    assert sentences.no_cause(sample.configuration_only())[0] == "No verdict"


def test_an_actor_of_which_the_log_names_no_host_is_called_by_its_agent_and_path() -> None:
    nameless = replace(sample.actor("172.12.1.189:80"), url="/login")
    assert sentences.address(nameless) == f"{nameless.user_agent} /login"


def test_nobodies_are_told_apart_by_when_they_come_and_nothing_is_promised_of_them() -> None:
    nobody = replace(sample.actor("172.12.1.189:80"), url="", user_agent="", prober=None, period_s=10.0, phase_s=4.018)
    assert sentences.address(nobody) == "unknown client, every 10 s at 4.02 s"
    assert sentences.address(replace(nobody, phase_s=None)) == "unknown client, every 10 s at no fixed moment"
    unlogged = replace(sample.PROBES_CAUSE, slug="traffic/unlogged-creator")
    assert not any("births stop" in sentence for sentence in sentences.after(unlogged, sample.incident()))
