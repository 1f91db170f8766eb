from __future__ import annotations

from pathlib import Path

import pytest

from necropsy.model.errors import NoEvidence, UsageError

from .running import run

NGINX = ("--nginx", "nginx.conf")


def test_every_request_is_listed_with_the_lines_that_make_it(configuration: list[str]) -> None:
    said = run("probes", *configuration)
    assert said.code == 0
    for expected in (
        "GET http://10.0.0.1:8080/",
        "every 10 s",
        "User-Agent Go-http-client/…",
        "follows redirects",
        "prometheus.yml:11  copies __address__ into __param_target",
        "services.json:4",
        "3 may start sessions: 25,920 a day",
    ):
        assert expected in said.out
    assert max(map(len, said.out.splitlines())) <= 80


def test_the_proxy_says_which_log_shows_a_probe_and_which_port_is_idle(configuration: list[str]) -> None:
    probes = {probe["url"]: probe for probe in run("probes", *configuration, *NGINX, "--format", "json").json["probes"]}
    assert probes["http://10.0.0.1:80/"]["logs"] == ["/var/log/nginx/access.log"]
    assert probes["http://10.0.0.1:8080/"]["logs"] == []
    assert [url for url, probe in probes.items() if probe["idle"]] == ["http://10.0.0.1:8081/"]


def test_without_the_proxy_the_log_is_unknown_and_not_absent(configuration: list[str]) -> None:
    document = run("probes", *configuration, "--format", "json").json
    assert {probe["logs"] for probe in document["probes"]} == {None}
    assert "Add --nginx" in run("probes", *configuration).out


def test_with_the_host_of_prometheus_each_probe_has_its_moment(configuration: list[str]) -> None:
    said = run("probes", *configuration, "--prometheus-host", "a", "--at", "2019-05-24T19:00:00Z", "--format", "json")
    scraped = [probe for probe in said.json["probes"] if probe["kind"] == "blackbox-http"]
    assert len(scraped) == 3
    for probe in scraped:
        assert 0 <= probe["phase_s"] < 10
        assert probe["fires_at"].startswith(f"2019-05-24T19:00:0{int(probe['phase_s'])}")


def test_targets_that_are_never_asked_are_listed_with_their_reason(configuration: list[str]) -> None:
    said = run("probes", *configuration)
    assert "LOST   1 target of prometheus/blackbox: a relabel rule keeps targets" in said.out
    assert "10.0.0.1:6379" in said.out


@pytest.mark.parametrize(
    ("question", "asks", "redirected"),
    [
        ("http://10.0.0.1:8080/", {"http://10.0.0.1:8080/"}, set()),
        ("10.0.0.1:8080/login", set(), {"http://10.0.0.1:8080/"}),
        ("/health", {"http://localhost/health", "http://localhost:8080/health"}, None),
        ("http://admin.example.com/login", set(), {"http://10.0.0.1:80/"}),
        ("nobody.example.com", set(), set()),
    ],
)
def test_who_hits_a_url_a_host_or_a_path(
    configuration: list[str], question: str, asks: set[str], redirected: set[str] | None
) -> None:
    said = run("probes", *configuration, *NGINX, "--who-hits", question, "--format", "json")
    found: dict[str, set[str]] = {"asks": set(), "proxied": set(), "redirected": set()}
    for probe in said.json["probes"]:
        found[probe["hit"]].add(probe["url"])
    assert found["asks"] == asks
    assert redirected is None or found["redirected"] == redirected
    if not asks and not redirected:
        assert "No probe in this configuration requests" in run("probes", *configuration, "--who-hits", question).out


def test_relabelling_is_shown_rule_by_rule_with_labels_before_and_after(configuration: list[str]) -> None:
    said = run("probes", *configuration, "--steps", "blackbox", "--target", ":8080")
    lines = said.out.splitlines()
    rule = next(number for number, line in enumerate(lines) if "prometheus.yml:11" in line)
    assert lines[rule + 1].split() == ["label", "before", "after"]
    assert lines[rule + 2].split() == ["__param_target", "-", "10.0.0.1:8080"]
    assert lines[-1] == "  -> http://blackbox:9115/probe?target=10.0.0.1%3A8080"


def test_a_rule_that_drops_a_target_ends_its_way(configuration: list[str]) -> None:
    (walk,) = run("probes", *configuration, "--steps", "blackbox", "--target", "6379", "--format", "json").json[
        "targets"
    ]
    assert len(walk["steps"]) == 1
    assert walk["steps"][0]["after"] is None
    assert walk["outcome"].startswith("not probed: a relabel rule keeps")


def test_a_job_that_does_not_exist_is_answered_with_those_that_do(configuration: list[str]) -> None:
    said = run("probes", *configuration, "--steps", "blackbix")
    assert isinstance(said.error, UsageError)
    assert str(said.error) == "blackbix: no job of this name"
    assert said.error.hint == "Jobs with targets: blackbox."


def test_a_job_that_discovers_nothing_is_told_from_one_that_nobody_configured(folder: Path) -> None:
    (folder / "prometheus.yml").write_text(
        "scrape_configs:\n"
        "  - job_name: own\n"
        "    static_configs: [{targets: ['10.0.0.1:9100']}]\n"
        "  - job_name: shops\n"
        "    consul_sd_configs: [{server: 'consul:8500'}]\n"
    )
    without = "Jobs with targets: own. Without targets: shops. Add --consul, or the files with the targets."
    for asked, reason in (("shops", "shops: the job discovers no target"), ("shopz", "shopz: no job of this name")):
        said = run("probes", "--prometheus", "prometheus.yml", "--steps", asked)
        assert isinstance(said.error, UsageError)
        assert (str(said.error), said.error.hint) == (reason, without)


def test_passwords_in_labels_and_urls_are_never_shown(folder: Path) -> None:
    (folder / "prometheus.yml").write_text(
        "scrape_configs:\n"
        "  - job_name: up\n"
        "    metrics_path: /probe\n"
        "    static_configs: [{targets: ['http://user:hunter2@a.example.com/'], labels: {__param_token: hunter2}}]\n"
        "    relabel_configs:\n"
        "      - {source_labels: [__address__], target_label: __param_target}\n"
        "      - {target_label: __param_password, replacement: hunter2}\n"
        "      - {target_label: __address__, replacement: 'blackbox:9115'}\n"
    )
    for more in ((), ("--steps", "up"), ("--format", "json"), ("--steps", "up", "--format", "json")):
        said = run("probes", "--prometheus", "prometheus.yml", *more)
        assert said.code == 0
        assert "hunter2" not in said.out


def test_no_configuration_is_no_evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in ("probes", "cost"):
        said = run(command)
        assert isinstance(said.error, NoEvidence)
        assert said.code == 3


def test_a_configuration_that_says_nothing_that_could_be_read_is_no_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prometheus.yml").write_text("scrape_configs: [\n")
    said = run("probes", "--prometheus", "prometheus.yml")
    assert "No probe in the files that could be read" in said.out
    assert said.code == 3


def test_without_a_source_the_folder_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "scrape_configs:\n- job_name: a\n  static_configs: [{targets: [a.example.com]}]\n"
    (tmp_path / "monitoring.yml").write_text(text)
    assert "GET http://a.example.com/metrics" in run("probes").out
    assert "GET http://a.example.com/metrics" in run("probes", "--who-hits", "a.example.com").out


def test_manifests_are_named_by_an_option_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "pod.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: admin}\nspec:\n  containers:\n  - name: admin\n"
        "    livenessProbe: {httpGet: {path: /login, port: 8080}, periodSeconds: 10}\n"
    )
    said = run("probes", "--kubernetes", "manifests/")
    assert "/login" in said.out
    assert "kube-probe/" in said.out


def test_a_target_is_asked_for_with_its_job(configuration: list[str]) -> None:
    assert isinstance(run("probes", *configuration, "--target", "a").error, UsageError)


def test_what_could_not_be_read_is_said(folder: Path) -> None:
    assert folder.is_dir()
    said = run("probes", "--prometheus", "prometheus.yml", "--consul", "gone.json")
    assert "UNREAD" in said.out
    assert "gone.json: no such file" in said.out
