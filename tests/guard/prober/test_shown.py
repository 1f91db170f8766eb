"""What is shown of targets: nothing secret, no more of them than there is room for, and no failure as a success."""

from __future__ import annotations

from pathlib import Path

import pytest

from guard.prober.stub import serving
from necropsy.guard.prober import site
from necropsy.guard.prober.site import ProbeSite
from necropsy.guard.web import Request
from servers import free_port


def ask(answering: ProbeSite, target: str, **more: str) -> str:
    return answering.routes()["/probe"](Request({"target": target, "module": "http_2xx", **more}, {})).body


def metrics(answering: ProbeSite) -> list[str]:
    text = answering.routes()["/metrics"](Request({}, {})).body
    return [line for line in text.splitlines() if line.startswith("necropsy_probe_sessions_started_total{")]


def test_no_password_token_or_session_id_of_a_target_is_in_a_metric_the_log_the_page_or_a_debug_text(
    tmp_path: Path,
) -> None:
    (tmp_path / "blackbox.yml").write_text("modules:\n  http_2xx: {prober: http, http: {follow_redirects: false}}\n")
    warnings: list[str] = []
    answering = ProbeSite(tmp_path / "blackbox.yml", {"http_2xx": "observe"}, None, warnings.append)
    with serving() as (address, _):
        host = address.removeprefix("http://")
        targets = [
            f"http://bob:S3CRET@{host}/?token=S3CRET",
            f"bob:S3CRET@{host}",
            f"{address}/page;jsessionid=S3CRET",
            f"{address}/page?JSESSIONID=S3CRET&a=1%0aerror: forged",
            f"{address}/page\nerror: S3CRET=forged",
            "http://bob:S3CRET@127.0.0.1:port/",
            "http://bob:S3CRET@[::1/",
            "http://bob:S3CRET@\u2100.example/",
        ]
        said = [ask(answering, target, debug="true") for target in targets for _ in range(2)]
    seen = str(answering.seen())
    assert "127.0.0.1" in seen
    everything = "\n".join([*said, *metrics(answering), seen, *warnings]).replace("error: S3CRET=forged", "")
    assert "S3CRET" not in everything
    assert "bob" not in everything
    assert not [line for line in everything.splitlines() if line.startswith("error:")]


def test_targets_beyond_the_room_are_summed_up_and_one_that_fails_is_not_shown_as_fine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(site, "_MOST_SHOWN", 3)
    answering = ProbeSite(None, {}, None, lambda _: None)
    with serving() as (address, _):
        for number in range(3):
            ask(answering, f"{address}/page?number={number}")
        ask(answering, f"http://127.0.0.1:{free_port()}/")
        for number in range(3, 6):
            ask(answering, f"{address}/page?number={number}")
    assert len(metrics(answering)) == 4
    other = [row for row in answering.seen() if row[0] == site.OTHERS]
    assert [(module, success, probes) for _, module, success, _, probes, _ in other] == [("http_2xx", False, 4)]
    assert "refused" in other[0][3]
