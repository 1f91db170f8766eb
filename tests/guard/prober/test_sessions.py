"""A prober that leaks no sessions: counted in a real Redis behind an application, beside the real blackbox exporter."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

import servers
from exporters import blackbox
from guard.prober.beside import probed, prober
from guard.prober.stub import serving
from necropsy.guard.prober.site import ProbeSite
from necropsy.guard.web import Request

pytestmark = pytest.mark.integration

PROBES = 12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "blackbox.yml").write_text("modules:\n  http_2xx: {prober: http}\n")
    return tmp_path


def test_a_dozen_probes_leave_one_session_and_those_of_blackbox_a_dozen(folder: Path) -> None:
    with servers.running("redis-7.0") as server, serving(server.client()) as (address, _):
        with prober(folder) as ours:
            results = [probed(ours, "http_2xx", f"{address}/")[1] for _ in range(PROBES)]
        assert server.client().dbsize() == 1
        assert [result["probe_http_session_started"] for result in results] == ["1"] + ["0"] * (PROBES - 1)
        assert {result["probe_success"] for result in results} == {"1"}
        server.client().flushall()
        with blackbox(folder) as theirs:
            for _ in range(PROBES):
                probed(theirs, "http_2xx", f"{address}/")
        assert server.client().dbsize() == PROBES


def test_a_session_that_died_is_renewed_once(folder: Path) -> None:
    with servers.running("redis-7.0") as server, serving(server.client()) as (address, _), prober(folder) as ours:
        probed(ours, "http_2xx", f"{address}/")
        server.client().flushall()
        started = [probed(ours, "http_2xx", f"{address}/")[1]["probe_http_session_started"] for _ in range(3)]
        assert started == ["1", "0", "0"]
        assert server.client().dbsize() == 1


def test_two_targets_have_a_session_each(folder: Path) -> None:
    with servers.running("redis-7.0") as server, serving(server.client()) as (a, _), serving(server.client()) as (b, _):
        with prober(folder) as ours:
            for _ in range(3):
                probed(ours, "http_2xx", f"{a}/")
                probed(ours, "http_2xx", f"{b}/")
        assert server.client().dbsize() == 2


def test_forbid_fails_at_the_answer_and_does_not_follow_it(folder: Path) -> None:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(servers.running("redis-7.0"))
        address, requests = stack.enter_context(serving(server.client()))
        ours = stack.enter_context(prober(folder, http_2xx="forbid"))
        result = probed(ours, "http_2xx", f"{address}/")[1]
        assert result["probe_success"] == "0"
        assert [path for path, _ in requests] == ["/"]
        assert probed(ours, "http_2xx", f"{address}/health")[1]["probe_success"] == "1"


def test_a_target_is_warned_of_once_with_the_rate_when_it_is_observed(folder: Path) -> None:
    for policy, said in (("reuse", "so that it stays one session"), ("observe", "a day. Use --session http_2xx=reuse")):
        warnings: list[str] = []
        answering = ProbeSite(folder / "blackbox.yml", {"http_2xx": policy}, None, warnings.append)
        with servers.running("redis-7.0") as server, serving(server.client()) as (address, _):
            for _ in range(4):
                answering.routes()["/probe"](Request({"target": f"{address}/", "module": "http_2xx"}, {}))
        assert said in warnings[-1]
        assert len(warnings) <= 2
        text = answering.routes()["/metrics"](Request({}, {})).body
        assert "necropsy_probe_sessions_started_total{" in text


def test_a_reload_with_an_error_keeps_the_old_configuration(folder: Path) -> None:
    answering = ProbeSite(folder / "blackbox.yml", {}, None, lambda _: None)
    (folder / "blackbox.yml").write_text("modules:\n  http_2xx: {prober: http, nonsense: 1}\n")
    with pytest.raises(Exception, match="unknown key 'nonsense'"):
        answering.reload()
    assert "http_2xx" in answering.modules
    assert "config_last_reload_successful 0" in answering.routes()["/metrics"](Request({}, {})).body


def test_modules_that_are_not_served_are_handed_to_the_blackbox_exporter(folder: Path, tmp_path: Path) -> None:
    theirs_folder = tmp_path / "theirs"
    theirs_folder.mkdir()
    (theirs_folder / "blackbox.yml").write_text("modules:\n  connect: {prober: tcp}\n")
    with serving() as (address, _), blackbox(theirs_folder) as theirs:
        answering = ProbeSite(folder / "blackbox.yml", {}, theirs, lambda _: None)
        query = {"target": address.removeprefix("http://"), "module": "connect"}
        response = answering.routes()["/probe"](Request(query, {}, {name: [value] for name, value in query.items()}))
        assert "probe_success 1\n" in response.body
