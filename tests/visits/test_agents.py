from __future__ import annotations

import pytest
from crawleruseragents import CRAWLER_USER_AGENTS_DATA
from hypothesis import given
from hypothesis import strategies as st

from necropsy.visits.agents import AGENTS, is_browser, recognise

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/121.0.7.0 Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "name", "kind"),
    [
        (CHROME, "Chrome 121 on Linux", "browser"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Firefox 128 on Windows",
            "browser",
        ),
        ("ELB-HealthChecker/2.0", "AWS load balancer", "prober"),
        ("Consul Health Check", "Consul", "prober"),
        ("kube-probe/1.14", "Kubernetes probe", "prober"),
        ("Blackbox Exporter/0.25.0", "Prometheus blackbox exporter", "prober"),
        ("Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "UptimeRobot", "prober"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot", "crawler"),
        (f"{CHROME} (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "bingbot", "crawler"),
        ("Mozilla/5.0 (compatible; Barkrowler/0.9; +https://babbar.tech/crawler)", "Barkrowler", "crawler"),
        ("ltx71 - (http://ltx71.com/)", "ltx71", "scanner"),
        ("Mozilla/5.0 zgrab/0.x", "zgrab", "scanner"),
        ("Go-http-client/1.1", "Go net/http", "library"),
        ("python-requests/2.31.0", "Python requests", "library"),
        ("Java/1.8.0_202", "Java", "library"),
        (CHROME.replace("Chrome/", "HeadlessChrome/"), "headless Chrome", "library"),
        ("acme-heartbeat-probe", "acme-heartbeat-probe", "prober"),
        ("NodePing", "NodePing", "prober"),
        ("curly-hair-salon/2", "curly-hair-salon", "unknown"),
        ("Mozilla/5.0 (compatible; AcmeCheck/1.0)", "AcmeCheck", "prober"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120.0 DatadogSynthetics", "Datadog", "prober"),
        ("Mozilla/5.0 (compatible; Nmap Scripting Engine)", "Nmap", "scanner"),
        ("Mozilla/5.0 (compatible; link preview)", "preview", "crawler"),
        (CHROME.replace("X11; Linux x86_64", "Linux; Android 9; CUBOT X19"), "Chrome 121 on Android", "browser"),
        ("-", "", "unknown"),
        ("*", "", "unknown"),
    ],
)
def test_a_program_is_named_by_what_it_calls_itself(user_agent: str, name: str, kind: str) -> None:
    agent = recognise(user_agent)
    assert (agent.name, agent.kind) == (name, kind)


@given(st.text(max_size=300))
def test_whatever_a_stranger_sends_is_some_kind_of_program(user_agent: str) -> None:
    assert recognise(user_agent).kind in {"browser", "prober", "crawler", "library", "scanner", "unknown"}


def test_every_program_of_the_list_is_recognised_as_what_it_is_listed() -> None:
    for kind, known in AGENTS:
        for sign, name in known:
            assert (recognise(sign).name, recognise(sign).kind) == (name, kind)


def test_who_asks_for_browsers_alone_is_told_of_no_program_of_the_lists() -> None:
    assert [sign for _, known in AGENTS for sign, _ in known if is_browser(f"Mozilla/5.0 (compatible; {sign})")] == []


def test_nobody_on_the_maintained_list_is_taken_for_a_person() -> None:
    told = {text: recognise(text) for entry in CRAWLER_USER_AGENTS_DATA for text in entry["instances"]}
    assert len(told) > 1000
    assert {text: agent for text, agent in told.items() if agent.kind in {"browser", "unknown"} or not agent.name} == {}
