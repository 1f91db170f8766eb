"""The incident, staged by the lab and examined: every figure against the lab's own truth, every byte searched for secrets."""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from necropsy import autopsy
from necropsy.autopsy.incident_file import load
from necropsy.autopsy.sources import DumpPath
from necropsy.cli.options import Format
from necropsy.cli.output import render
from necropsy.lab.demo import stage
from necropsy.lab.truth import Stage
from necropsy.model.report import Report

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Examined:
    stage: Stage
    report: Report
    case: Path
    rendered: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.rendered["json"])


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> Examined:
    folder = tmp_path_factory.mktemp("demo")
    staged = stage(folder, seed=1)
    case = folder / "incident.case"
    report = autopsy.examine(load(str(staged.incident)), case_path=case)
    return Examined(staged, report, case, {kind.value: render(report, kind) for kind in Format})


def _cause(examined: Examined, slug: str, store: str) -> dict[str, Any]:
    return next(c for c in examined.json["verdict"]["causes"] if c["slug"] == slug and c["store"] == store)


def _store(examined: Examined, name: str) -> Any:
    return next(store for store in examined.stage.stores if store.name == name)


def test_the_first_cause_is_the_monitoring_of_store_a_with_at_least_nine_tenths(examined: Examined) -> None:
    first = examined.json["verdict"]["causes"][0]
    assert (first["slug"], first["store"]) == ("probes/creates-sessions", "admin-a")
    assert first["share"] >= 0.9
    assert first["share_low"] <= first["share"] <= first["share_high"]
    truth = _store(examined, "admin-a")
    # Sessions in their grace period were made by probes as well; the truth counts the living.
    assert first["sessions"] == pytest.approx(truth.from_probes + truth.grace, rel=0.005)


@pytest.mark.parametrize("store", ["admin-a", "admin-b"])
def test_the_creating_targets_are_named_with_their_lines_and_their_place_in_the_logs(
    examined: Examined, store: str
) -> None:
    actors = {actor["url"]: actor for actor in _cause(examined, "probes/creates-sessions", store)["actors"]}
    truth = {f"http://{t.address}:{t.port}/": t for t in examined.stage.targets if t.store == store and t.creates}
    assert set(actors) == set(truth)
    for url, target in truth.items():
        assert actors[url]["in_access_log"] is target.logged
        assert actors[url]["prober"] == "prometheus/blackbox_exporter_http"
        accused = actors[url]["origin"][0]
        line = (Path(accused["file"])).read_text().splitlines()[accused["line"] - 1]
        assert "__address__" in line
        if target.logged:
            assert actors[url]["phase_s"] == pytest.approx(target.phase_ms / 1000, abs=0.1)


def test_b_is_immortal_beside_it(examined: Examined) -> None:
    cause = _cause(examined, "sessions/immortal", "admin-b")
    assert cause["share"] == 1.0
    assert cause["sessions"] == _store(examined, "admin-b").live


def test_the_configuration_alone_predicts_70560_keys_and_the_count_is_within_one_percent(examined: Examined) -> None:
    prediction = next(p for p in examined.json["predictions"] if p["store"] == "admin-a")
    assert prediction["steady_state_keys"] == 70_560
    truth = _store(examined, "admin-a")
    assert prediction["counted_keys"] == truth.keys  # the server's own DBSIZE
    assert abs(truth.keys - 70_560) <= 705


def test_people_are_counted_as_the_lab_made_them(examined: Examined) -> None:
    for store in examined.report.stores:
        truth = _store(examined, store.name)
        assert store.authenticated == truth.authenticated
        assert store.sessions == truth.live + truth.grace


def test_the_patches_apply_and_make_every_probe_ask_for_health(examined: Examined, tmp_path: Path) -> None:
    from necropsy.evidence.configuration.reader import read
    from necropsy.probes.simulate import simulate
    from necropsy.probes.syntax.document import parse_json
    from necropsy.treat.edits.consul_meta import foresee_answer
    from necropsy.treat.edits.text import apply

    sources = load(str(examined.stage.incident))
    files = [
        file for kind in ("prometheus", "blackbox", "consul", "nginx") for file in read(kind, getattr(sources, kind))[0]
    ]
    remedy = examined.report.verdict.causes[0].remedy
    assert remedy is not None
    patched = {}
    for patch in remedy.patches:
        copy = tmp_path / patch.file.lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(Path(patch.file).read_text())
        subprocess.run(
            ["git", "apply", "-p1"], input=patch.diff, text=True, cwd=tmp_path, check=True, capture_output=True
        )
        patched[patch.file] = copy.read_text()
    assert len(patched) == 4
    endpoints = {(p.service or "", p.instance or ""): "/health" for p in simulate(files).probes}
    after = []
    for file in files:
        text = patched.get(file.name, file.text)
        if file.kind == "consul":
            text = apply(text, foresee_answer(text, parse_json(text, file.name), endpoints))
        after.append(type(file)(file.name, text, file.kind, file.node_address))
    urls = [probe.url for probe in simulate(after).probes if probe.kind == "blackbox-http"]
    assert len(urls) == 9
    assert all(url.endswith("/health") for url in urls)


def test_no_session_id_cookie_or_principal_reaches_the_case_or_any_report(examined: Examined) -> None:
    secrets = [*examined.stage.session_ids, *examined.stage.principals]
    assert len(secrets) > 80_000
    haystacks = {name: text.encode() for name, text in examined.rendered.items()}
    haystacks["case file"] = examined.case.read_bytes()
    with duckdb.connect(str(examined.case), read_only=True) as connection:  # compressed pages hide text: read the cells
        for (table,) in connection.execute("SELECT table_name FROM information_schema.tables").fetchall():
            cells = connection.execute(f'SELECT string_agg(t::VARCHAR, chr(10)) FROM "{table}" t').fetchall()[0][0]
            haystacks[f"table {table}"] = (cells or "").encode()
    uuids = {secret.encode() for secret in examined.stage.session_ids}
    cookies = {base64.b64encode(uuid) for uuid in uuids}  # as Spring's cookie serializer writes them

    for name, haystack in haystacks.items():
        assert not set(re.findall(rb"[0-9A-Za-z+/]{48}", haystack)) & cookies, name
        found = set(re.findall(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", haystack)) & uuids
        assert not found, name
        for principal in examined.stage.principals:
            assert principal.encode() not in haystack, name


def test_examining_changes_nothing_on_disk(examined: Examined) -> None:
    before = {path: path.read_bytes() for path in examined.stage.folder.rglob("*") if path.is_file()}
    autopsy.examine(load(str(examined.stage.incident)))
    assert {path: path.read_bytes() for path in examined.stage.folder.rglob("*") if path.is_file()} == before


def test_a_case_renders_again_without_its_sources(examined: Examined) -> None:
    again = autopsy.report(examined.case)
    for kind in Format:
        assert render(again, kind) == examined.rendered[kind.value]


def test_two_runs_of_one_seed_agree(examined: Examined, tmp_path: Path) -> None:
    staged = stage(tmp_path / "again", seed=1)
    for log in ("servers/a1/access.log", "prometheus/prometheus.yml", "servers/a1/consul.d/services.json"):
        assert (staged.folder / log).read_bytes() == (examined.stage.folder / log).read_bytes()
    packed = "servers/a1/access.log-20190524.gz"
    assert gzip.decompress((staged.folder / packed).read_bytes()) == gzip.decompress(
        (examined.stage.folder / packed).read_bytes()
    )
    report = autopsy.examine(load(str(staged.incident)))
    mine = json.loads(render(report, Format.JSON))["verdict"]["causes"]
    named = {"actors", "remedy"}  # they name files below the folder
    for cause, other in zip(mine, examined.json["verdict"]["causes"], strict=True):
        assert {k: v for k, v in cause.items() if k not in named} == {k: v for k, v in other.items() if k not in named}


def test_the_verdict_is_printed_by_the_command_with_the_code_of_its_severity(examined: Examined) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "necropsy.cli.main", "report", str(examined.case), "--fail-on", "critical"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 13
    assert done.stdout.startswith("CAUSE  probes/creates-sessions")
    assert max(len(line) for line in done.stdout.split("\nDIFF")[0].splitlines()) <= 80
    assert done.stderr == ""


def test_every_figure_can_be_derived_again_by_the_query_that_stands_beside_it(examined: Examined) -> None:
    exhibits = [e for f in examined.report.findings for e in (f.primary, *f.supporting) if e is not None and e.query]
    assert len(exhibits) > 10
    with duckdb.connect(str(examined.case), read_only=True) as connection:
        for exhibit in exhibits:
            rows = connection.execute(exhibit.query).fetchall()
            assert rows, exhibit
            if match := re.search(r"([\d,]+) sessions$", exhibit.title):
                assert rows[0][0] == pytest.approx(int(match[1].replace(",", "")), rel=0.01), exhibit


def test_half_of_the_dump_still_says_who_did_it_and_what_the_figures_cover(examined: Examined, tmp_path: Path) -> None:
    sources = load(str(examined.stage.incident))
    store = sources.stores[0]
    whole = Path(store.locator.text).read_bytes()
    half = tmp_path / "half.rdb"
    half.write_bytes(whole[: len(whole) // 2])
    report = autopsy.examine(replace(sources, stores=(replace(store, locator=DumpPath(str(half))),)))
    cause = report.verdict.causes[0]
    assert (cause.slug, len(cause.actors)) == ("probes/creates-sessions", 4)
    assert cause.share > 0.9
    assert 24 * cause.births_per_hour == pytest.approx(4 * 8_640, rel=0.05)
    (blemish,) = report.blemishes
    assert f"ends early at byte {blemish.place:,}" in blemish.why
    assert "the figures cover the" in blemish.why


def test_a_log_of_another_time_is_no_witness(examined: Examined, tmp_path: Path) -> None:
    sources = load(str(examined.stage.incident))
    log = tmp_path / "access.log"
    with Path(sources.access_log[-1]).open() as old, log.open("w") as new:
        new.writelines(line.replace("2019-05-", "2031-05-") for line in old)
    report = autopsy.examine(replace(sources, access_log=(str(log),)))
    (absent,) = (value for value in report.absent if value.kind == "access_log")
    assert "it does not show their creators" in absent.reason
    assert "2031-05-2" in absent.reason
    for cause in report.verdict.causes:
        assert {actor.in_access_log for actor in cause.actors} <= {None}
    assert not any("create nothing" in cleared.text for cleared in report.verdict.ruled_out)
    assert report.verdict.causes[0].share > 0.9  # the configuration knows them all the same


def test_a_file_whose_name_is_no_text_is_absent_and_the_rest_is_examined(examined: Examined, tmp_path: Path) -> None:
    sources = load(str(examined.stage.incident))
    odd = tmp_path / "caf\udce9.log"
    shutil.copyfile(sources.access_log[0], odd)
    report = autopsy.examine(
        replace(sources, access_log=(*sources.access_log, str(odd))), case_path=tmp_path / "a.case"
    )
    (absent,) = report.absent
    assert absent.locator.endswith("caf\\xe9.log")
    assert absent.hint
    assert [cause.slug for cause in report.verdict.causes] == [c.slug for c in examined.report.verdict.causes]


def test_a_store_may_have_any_name(examined: Examined, tmp_path: Path) -> None:
    sources = load(str(examined.stage.incident))
    store = replace(sources.stores[1], name='O\'Neil "B"; <b>')
    path = tmp_path / "incident.case"
    report = autopsy.examine(replace(sources, stores=(store,)), case_path=path)
    with duckdb.connect(str(path), read_only=True) as connection:
        for finding in report.findings:
            if finding.store is not None and finding.primary is not None:
                assert connection.execute(finding.primary.query).fetchall()


def test_a_chart_counts_the_births_that_the_verdict_counts(examined: Examined) -> None:
    for chart in examined.report.births:
        drawn = sum(sum(series.values) for series in chart.series if series.kind == "cause")
        told = sum(
            cause["sessions"]
            for cause in examined.json["verdict"]["causes"]
            if cause["store"] == chart.store and cause["slug"] == "probes/creates-sessions"
        )
        assert round(drawn) == pytest.approx(told, abs=1)
