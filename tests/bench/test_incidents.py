"""The bench of incidents tells the truth: about what it simulates, and about reports."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from incidents import configuration, logs, truth
from incidents.application import STYLES, Client
from incidents.build import build, imagine
from incidents.chance import Chance
from incidents.kinds.registry import KINDS, schedule
from incidents.kinds.setting import crowd, setting
from incidents.scene import Scene
from incidents.stores import WRITERS, flask, stamp

from necropsy.lab import server

pytestmark = pytest.mark.process  # whole incidents are made

ONE_KEY_A_SESSION = [name for name in WRITERS if name != "spring-indexed"]


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_shares_of_a_store_add_up_and_a_healthy_kind_has_no_culprit(kind: str) -> None:
    scene, style = imagine(11, kind)
    facts = truth.judgeable(scene, style, None)
    for store in scene.stores:
        shares = [actor["share"] for actor in facts["actors"] if actor["store"] == store]
        assert sum(shares) == pytest.approx(1.0 if scene.resident(store) else 0.0)
    healthy = next(one.healthy for one in KINDS if one.name == kind)
    assert facts["healthy"] is healthy
    assert facts["expect"]["dump"]["verdict"] == "nothing"
    if not healthy and "dump" in scene.evidence:
        assert any(cause["required"] for cause in facts["expect"]["all"]["causes"])


@pytest.mark.parametrize("kind", ["prober-both", "kubelets", "crawler-many", "campaign"])
def test_the_same_seed_gives_the_same_bytes(kind: str, tmp_path: Path) -> None:
    texts = []
    for name in ("a", "b"):
        scene, style = imagine(5, kind)
        assert style is not None
        written = logs.write(scene, style, tmp_path / name / "logs")
        configuration.write(scene, style, tmp_path / name / "configuration")
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        commands = [
            b"".join(WRITERS[store.layout](store, scene.sessions, scene.now_ms)) for store in scene.stores.values()
        ]
        facts = json.dumps(truth.judgeable(scene, style, written), default=str)
        texts.append([*(path.read_bytes() for path in files), *commands, facts])
    assert texts[0] == texts[1]
    assert imagine(6, kind)[0].now_ms != imagine(5, kind)[0].now_ms


def _life(layout: str) -> Scene:
    scene = Scene(1, "office", 1_700_000_000_000, Chance(1, layout))
    crowd(setting(scene, layouts={layout: 1.0}, lifetime_s=3_600), 150)
    return scene


@pytest.mark.process
@pytest.mark.parametrize("layout", ONE_KEY_A_SESSION)
def test_a_real_server_holds_as_many_keys_as_the_truth_has_sessions(layout: str) -> None:
    scene = _life(layout)
    (store,) = scene.stores.values()
    for one in server.BUILDS:
        with server.running(one) as running:
            running.feed(WRITERS[layout](store, scene.sessions, scene.now_ms))
            assert running.size() == len(scene.resident(store.name)) > 0


def test_a_log_holds_the_visits_of_its_time_and_only_what_goes_through_its_proxy(tmp_path: Path) -> None:
    scene, style = imagine(3, "prober-both")
    assert style is not None
    written = logs.write(scene, style, tmp_path)
    lines = [
        line
        for path in written.files
        for line in (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).splitlines()
    ]
    assert len(lines) == sum(written.lines.values()) > 100
    hidden = [actor.name for actor in scene.actors.values() if not actor.in_log]
    assert hidden
    assert not any(name in written.lines for name in hidden)


def test_every_format_is_written_as_nginx_would() -> None:
    scene, style = imagine(3, "prober-visible")
    assert style is not None
    request = next(one for one in scene.requests if one.actor.startswith("prober"))
    for name in logs.FORMATS:
        text = logs.line(request, logs.Style(name, style.start_ms, style.end_ms))
        assert text.endswith("\n")
        if name.startswith("json"):
            assert json.loads(text)["http_user_agent"] == request.agent
        else:
            assert f'"GET {request.path} HTTP/1.1" {request.status} ' in text


def test_a_third_of_a_run_is_healthy_and_every_kind_has_its_turn() -> None:
    pairs = schedule(1, 120)
    healthy = {kind.name for kind in KINDS if kind.healthy}
    assert sum(kind in healthy for _, kind in pairs) == 40
    assert {kind for _, kind in pairs} == {kind.name for kind in KINDS}


def test_the_checksum_is_the_servers() -> None:
    assert stamp.crc64(b"123456789") == 0xE9C6D914C4B8D9CA  # the server's own test vector
    assert stamp.after_zeros(stamp.crc64(b"abcd"), 1_000) == stamp.crc64(b"abcd" + bytes(1_000))


def test_msgpack_has_the_forms_that_a_session_needs() -> None:
    assert flask.msgpack({"_id": "x" * 40}) == b"\x81\xa3_id\xd9\x28" + b"x" * 40


@pytest.mark.parametrize("style", STYLES)
def test_a_visit_without_a_cookie_makes_one_session_whatever_the_style(style: str) -> None:
    scene = Scene(1, "office", 1_700_000_000_000, Chance(1, style))
    place = setting(scene, styles=(style,), layouts={"spring-plain": 1.0}, lifetime_s=3_600)
    actor = place.actor("client", "culprit")
    for keeps in (False, True):
        client = Client(actor, "curl/8", "10.0.0.1", keeps_cookies=keeps)
        session = place.application.visit(scene.now_ms - 60_000.0, client, "/", server=place.servers[0])
        assert session is not None
    assert len(scene.sessions) == 2
    assert [one.status for one in scene.requests] == ([200] * 2 if style == "open" else [302, 200] * 2)


@pytest.mark.process
def test_a_dump_says_that_it_was_saved_at_the_end_of_its_incident(tmp_path: Path) -> None:
    incident = build(1, "mended", tmp_path)
    assert incident.options["dump"]
    for option in incident.options["dump"][1::2]:
        data = Path(option.partition("=")[2]).read_bytes()
        at = data.index(b"\x05ctime\xc2") + 7
        assert int.from_bytes(data[at : at + 4], "little") == incident.truth["now_ms"] // 1000
        assert stamp.crc64(data[:-8]) == int.from_bytes(data[-8:], "little")
