from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from necropsy.autopsy.linting import configuration_examiners
from necropsy.model.errors import NoEvidence

from .conftest import PROMETHEUS, SERVICES
from .running import run

FILES = ("prometheus.yml", "blackbox.yml", "services.json", "nginx.conf")


def test_files_are_told_by_their_content_whatever_their_names_are(folder: Path) -> None:
    for number, name in enumerate(FILES):
        (folder / name).rename(folder / f"file-{number}.txt")
    said = run("lint", *(f"file-{number}.txt" for number in range(4)))
    assert "probes/wrong-path" in said.out
    assert "file-0.txt:11: warning probes/wrong-path" in said.out
    assert "in 4 files" in said.out


def test_a_folder_is_searched_and_this_one_is_when_none_is_named(folder: Path) -> None:
    (folder / "notes.txt").write_text("nothing")
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "prometheus.yml").write_text("scrape_configs: [")
    assert run("lint").out == run("lint", ".").out
    assert "in 4 files" in run("lint").out


@pytest.mark.parametrize(("fail_on", "code"), [("info", 12), ("warning", 12), ("critical", 0), ("never", 0)])
def test_the_exit_code_is_that_of_the_worst_finding_that_counts(folder: Path, fail_on: str, code: int) -> None:
    assert folder.is_dir()
    assert run("lint", *FILES, "--fail-on", fail_on).code == code


def test_a_fixed_configuration_has_nothing_to_say(folder: Path) -> None:
    joined = "      - source_labels: [__address__]\n        regex: (.*)\n        replacement: http://$1/health\n"
    text = PROMETHEUS.replace("      - source_labels: [__address__]\n", joined)
    (folder / "prometheus.yml").write_text(text)
    (folder / "services.json").write_text(
        SERVICES.replace('{"id": "Server:8081", "name": "admin", "tags": ["probed"], "port": 8081},', "")
    )
    said = run("lint", *FILES)
    assert said.code == 0
    assert "nothing found in 4 files" in said.out


def test_a_file_that_its_program_would_refuse_fails_the_check_with_its_line(folder: Path) -> None:
    (folder / "prometheus.yml").write_text(
        "scrape_configs:\n  - job_name: a\n    relabel_configs: [{regex: '(?!x)'}]\n"
    )
    said = run("lint", "prometheus.yml")
    assert said.code == 1
    assert "prometheus.yml:3: error: " in said.out
    assert "::error file=prometheus.yml,line=3,title=refused::" in run("lint", "prometheus.yml", "-f", "github").out


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("prometheus.yml", "scrape_configs:\n- job_name: a\n  scrape_intervall: 5s\n", 3),
        ("blackbox.yml", "modules:\n  http_2xx:\n    prober: http\n    http: {follow_redirect: true}\n", 4),
    ],
)
def test_a_field_that_its_program_does_not_know_is_refused_as_there(
    folder: Path, name: str, text: str, line: int
) -> None:
    (folder / name).write_text(text)
    said = run("lint", name)
    assert f"{name}:{line}: error: field" in said.out
    assert said.code == 1
    assert run("lint", name, "--format", "github").out.startswith(f"::error file={name},line={line},title=refused::")


def test_the_diffs_end_the_findings_that_they_are_printed_for(folder: Path) -> None:
    said = run("lint", *FILES)
    assert "patch of prometheus.yml, +3 -0, simulated: port 8081 is no longer probed" in " ".join(said.out.split())
    assert "probes/idle-backend" in said.out
    (folder / "fix.diff").write_text(run("lint", *FILES, "--format", "diff").out)
    subprocess.run(["git", "apply", "-p1", "fix.diff"], cwd=folder, check=True, capture_output=True)
    assert "probes/idle-backend" not in run("lint", *FILES).out


def test_a_timeout_that_prometheus_refuses_is_critical(folder: Path) -> None:
    (folder / "prometheus.yml").write_text(
        "scrape_configs:\n  - job_name: a\n    scrape_interval: 10s\n    scrape_timeout: 30s\n"
    )
    said = run("lint", "prometheus.yml")
    assert said.code == 13
    assert "prometheus.yml:4: critical probes/timeout-exceeds-interval" in said.out


def test_a_misspelt_label_is_found_with_the_one_that_was_meant(folder: Path) -> None:
    (folder / "prometheus.yml").write_text(PROMETHEUS.replace("[__meta_consul_tags]", "[__meta_consul_tag]"))
    said = run("lint", *FILES)
    assert "prometheus.yml:8: warning probes/dead-rule" in said.out
    assert "they do have __meta_consul_tags" in said.out.replace("\n  ", " ")


def test_annotations_are_escaped(folder: Path) -> None:
    (folder / "a,b.yml").write_text(PROMETHEUS)
    said = run("lint", "a,b.yml", "services.json", "--format", "github")
    assert "::warning file=a%2Cb.yml,line=11,title=probes/wrong-path::" in said.out
    assert all(line.startswith("::") for line in said.out.splitlines())


def test_sarif_points_at_the_accused_line(folder: Path) -> None:
    assert folder.is_dir()
    (ran,) = run("lint", *FILES, "--format", "sarif").json["runs"]
    (result,) = [result for result in ran["results"] if result["ruleId"] == "probes/wrong-path"]
    place = result["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("prometheus.yml", 11)


def test_the_json_is_a_report_without_stores(folder: Path) -> None:
    assert folder.is_dir()
    report = run("lint", *FILES, "--format", "json").json
    assert {finding["slug"] for finding in report["findings"]} >= {"probes/wrong-path", "probes/idle-backend"}
    assert report["verdict"]["causes"] == []


def test_what_was_named_and_is_no_configuration_is_said_and_fails(folder: Path) -> None:
    (folder / "notes.txt").write_text("nothing of that kind")
    said = run("lint", *FILES, "notes.txt", "--fail-on", "never")
    assert said.code == 1
    assert "notes.txt: error: not recognised as monitoring configuration" in said.out


def test_nothing_that_is_configuration_is_no_evidence(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"a": 1}))
    said = run("lint", str(tmp_path))
    assert isinstance(said.error, NoEvidence)
    assert said.code == 3


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yml", "foo: 1\nbar: [1, 2]\n"),
        ("app.py", "print(1)\n"),
        ("main.rs", "fn main() {}\n"),
        ("x.toml", "a = 1\n"),
    ],
)
def test_a_named_file_of_which_nothing_is_known_is_not_found_clean(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    said = run("lint", str(path))
    assert (said.code, str(said.error)) == (
        3,
        f"no monitoring configuration found: {path}: not recognised as monitoring configuration",
    )


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.yml", "x: 1\ny: [\n", "a.yml:3: not YAML: "),
        ("b.yaml", "targets:\n\t- a\n", "b.yaml:2: not YAML: "),
        ("c.json", '{\n"a": 1,\n}', "c.json:3: not JSON: "),
    ],
)
def test_a_named_file_that_is_broken_is_said_to_be_broken_with_its_line(
    name: str, text: str, told: str, folder: Path
) -> None:
    (folder / name).write_text(text)
    alone = run("lint", name)
    assert alone.code == 3
    assert f"no monitoring configuration found: {told}" in str(alone.error)
    beside = run("lint", *FILES, name, "--fail-on", "never")
    assert beside.code == 1
    place, _, reason = told.partition(" ")
    assert f"{place} error: {reason}" in beside.out


@pytest.mark.parametrize(
    ("addresses", "patched"),
    [
        (["10.0.0.1:8080/"], ["10.0.0.1:8080/alive"]),
        (["10.0.0.1:8080/", "10.0.0.2:8080"], ["10.0.0.1:8080/alive", "10.0.0.2:8080/alive"]),
        (["admin.example.com/", "10.0.0.9/"], ["admin.example.com/alive", "10.0.0.9/alive"]),
    ],
)
def test_the_slash_that_ends_an_address_is_not_doubled_by_the_path_of_the_patch(
    addresses: list[str], patched: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("modules.yml").write_text("modules: {http_2xx: {prober: http}}\n")
    Path("prometheus.yml").write_text(
        "scrape_configs:\n"
        "  - job_name: pages\n"
        "    metrics_path: /probe\n"
        f"    static_configs: [{{targets: {json.dumps(addresses)}}}]\n"
        "    relabel_configs:\n"
        "      - {source_labels: [__address__], target_label: __param_target}\n"
        "      - {target_label: __address__, replacement: 'blackbox:9115'}\n"
    )
    Path("check.json").write_text(
        '{"service": {"name": "a", "port": 1, "check": {"http": "http://10.0.0.1:1/alive", "interval": "9s"}}}'
    )
    said = run("lint", "prometheus.yml", "modules.yml", "check.json", "-f", "diff")
    assert f"+    static_configs: [{{targets: {json.dumps(patched)}}}]\n" in said.out


CHECKED_ELSEWHERE = {
    "values of a chart": ("values.yaml", "livenessProbe:\n  httpGet:\n    path: /\n    port: http\n"),
    "a gateway": ("kong.yml", "upstreams:\n- name: a\n  healthchecks:\n    active: {http_path: /}\n"),
    "a mesh": ("envoy.yaml", "clusters:\n- name: a\n  health_checks:\n  - http_health_check: {path: /}\n"),
    "a task": (
        "task.json",
        '{"containers": [{"name": "a", "healthCheck": {"command": ["curl", "http://localhost/"]}}]}',
    ),
}
UNASKED = {
    "a job of Nomad": ("job.hcl", 'job "a" {\n  service {\n    check {\n      path = "/"\n    }\n  }\n}\n'),
    "a patch without ports": (
        "patch.yaml",
        "kind: Pod\napiVersion: v1\nspec: {containers: [{livenessProbe: {httpGet: {port: web}}}]}\n",
    ),
    "a URL without a scheme": (
        "gatus.yml",
        'endpoints: [{name: a, url: a.example, conditions: ["[STATUS] == 200"]}]\n',
    ),
    "upstreams by DNS": ("Caddyfile", ":80 {\n\treverse_proxy {\n\t\tdynamic a web 80\n\t\thealth_uri /\n\t}\n}\n"),
}


@pytest.mark.parametrize("name", CHECKED_ELSEWHERE)
def test_health_checks_in_a_form_that_is_not_read_are_said_in_a_folder_too(name: str, tmp_path: Path) -> None:
    file, text = CHECKED_ELSEWHERE[name]
    (tmp_path / file).write_text(text)
    (tmp_path / "haproxy.cfg").write_text("backend a\n  option httpchk GET /health\n  server a 10.0.0.1:80 check\n")
    said = run("lint", str(tmp_path))
    assert said.code == 4
    assert f"{file}:notexamined:ithas" in "".join(said.out.split())
    assert run("lint", str(tmp_path / file)).code == 3


@pytest.mark.parametrize("name", UNASKED)
def test_a_check_that_was_seen_and_cannot_be_simulated_is_not_found_clean(name: str, tmp_path: Path) -> None:
    file, text = UNASKED[name]
    (tmp_path / file).write_text(text)
    said = run("lint", str(tmp_path / file))
    assert said.code == 4
    assert "not examined:" in " ".join(said.out.split())  # the line breaks where the path of the folder says


def test_a_prober_s_file_with_a_fault_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text("[http.services.a.loadBalancer.healthCheck]\npath =\n")
    said = run("lint", str(tmp_path / "shop.toml"))
    assert said.code == 1
    assert "shop.toml:2:error:notTOML" in "".join(said.out.split())


def test_a_clean_application_is_found_clean(tmp_path: Path) -> None:
    (tmp_path / "application.yml").write_text("spring:\n  session:\n    timeout: 1h\n")
    said = run("lint", str(tmp_path / "application.yml"))
    assert (said.code, said.out) == (0, "nothing found in 1 file\n")


def test_only_examiners_that_need_no_store_and_no_log_are_asked() -> None:
    slugs = {examiner.slug for examiner in configuration_examiners()}
    assert {"probes/wrong-path", "probes/dead-rule", "probes/idle-backend"} <= slugs
    assert not slugs & {"probes/creates-sessions", "monitoring/log-blind-spot", "healthy"}


# -- what cannot be judged is not clean ------------------------------------------------------------------------------

UNKNOWN = {
    "consul": "scrape_configs: [{job_name: a, consul_sd_configs: [{server: 'consul:8500'}]}]\n",
    "a kind without a reader": "scrape_configs: [{job_name: a, ec2_sd_configs: [{region: eu}]}]\n",
    "a kind of a later Prometheus": "scrape_configs: [{job_name: a, upcloud_sd_configs: [{zone: fi}]}]\n",
    "files of targets": "scrape_configs: [{job_name: a, file_sd_configs: [{files: [t/*.json]}]}]\n",
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_targets_that_nobody_knows_are_said_and_exit_with_4(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prometheus.yml").write_text(UNKNOWN[name])
    said = run("lint", "prometheus.yml")
    assert said.code == 4
    assert "prometheus.yml:1: not examined: " in said.out
    assert "not examined in 1 file" in said.out


def test_a_finding_counts_before_what_was_not_examined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prometheus.yml").write_text(UNKNOWN["consul"])
    (tmp_path / "haproxy.cfg").write_text("backend a\n  option httpchk GET /login\n  server a 10.0.0.1:80 check\n")
    assert run("lint").code == 12


@pytest.mark.parametrize("byte", [b"# caf\xe9\n", b"# \xed\xa0\x80\n", b"# \xff\xfe\n"])
@pytest.mark.parametrize("named", [True, False])
def test_one_strange_byte_does_not_lose_a_configuration_of_nginx(
    byte: bytes, named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    server = b"server { listen 80; location / { proxy_pass http://app; health_check uri=/login; } }"
    (tmp_path / "nginx.conf").write_bytes(
        byte + b"events {}\nhttp { upstream app { server 10.0.0.1; } " + server + b" }\n"
    )
    said = run("lint", *(["nginx.conf"] if named else []))
    assert said.code == 12
    assert "requests /login from 1 target" in said.out


@pytest.mark.parametrize("named", [True, False])
def test_yaml_that_is_not_utf_8_is_named_with_its_line(
    named: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / "shop.yml").write_bytes(b"scrape_configs:\n- job_name: caf\xe9\n")
    said = run("lint", *(["shop.yml", "prometheus.yml"] if named else []))
    assert "shop.yml" in said.out
    assert "(line 2)" in said.out


def test_a_template_of_a_chart_is_not_passed_over_in_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deployment.yaml").write_text("kind: {{ .Values.kind }}\nlivenessProbe:\n  httpGet: {path: /}\n")
    (tmp_path / "nginx.conf").write_text("events {}\nhttp { server { listen 80; } }\n")
    said = run("lint")
    assert said.code == 4
    assert "helm template" in said.out


# -- relabelling's effect on the target ------------------------------------------------------------------------------

ERASED = """\
scrape_configs:
- job_name: pages
  metrics_path: /probe
  params: {module: [page]}
  static_configs:
  - targets: [10.0.0.1:80]
    labels: {url: "http://a.example/health"}
  - targets: [10.0.0.2:80]
  relabel_configs:
  - {source_labels: [__address__], target_label: __param_target}
  - RULE
  - {target_label: __address__, replacement: "blackbox:9115"}
"""


@pytest.mark.parametrize(
    ("rule", "has_patch"),
    [
        ("{source_labels: [url], target_label: __param_target}", True),
        ("source_labels: [url]\n    target_label: __param_target", True),
        ("{source_labels: [url], regex: '(.*)', target_label: __param_target}", True),
        ("{target_label: __param_target, replacement: ''}", False),
        ("{action: labeldrop, regex: __param_target}", False),
    ],
)
def test_a_rule_that_deletes_the_target_is_named_with_its_victims(
    rule: str, has_patch: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prometheus.yml").write_text(ERASED.replace("RULE", rule))
    said = run("lint", "prometheus.yml")
    assert "prometheus.yml:11: warning probes/dropped-target" in said.out
    assert "10.0.0.2:80" in said.out
    assert ("(.+)" in run("lint", "prometheus.yml", "-f", "diff").out) is has_patch
    shown = run("probes", "--prometheus", "prometheus.yml").out
    assert " scrape " not in shown


# -- what others reported ---------------------------------------------------------------------------------------------


def test_a_rule_that_deletes_the_path_of_a_scrape_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prometheus.yml").write_text(
        "scrape_configs:\n- job_name: apps\n  static_configs:\n  - {targets: [a:80], labels: {path: /prom}}\n"
        "  - {targets: [b:80]}\n  relabel_configs:\n  - {source_labels: [path], target_label: __metrics_path__}\n"
    )
    said = run("lint", "prometheus.yml")
    assert said.code == 12
    assert "prometheus.yml:7: warning probes/wrong-path" in said.out
    assert "http://b:80/" in said.out
    assert "http://a:80" not in said.out
    assert "(.+)" in run("lint", "prometheus.yml", "-f", "json").out


def test_a_job_that_forgets_its_exporter_asks_the_targets_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prometheus.yml").write_text(
        "scrape_configs:\n- job_name: pages\n  metrics_path: /probe\n  static_configs: [{targets: ['shop.example:80']}]\n"
        "  relabel_configs: [{source_labels: [__address__], target_label: __param_target}]\n"
    )
    said = run("lint", "prometheus.yml")
    assert "probes/dropped-target" in said.out
    assert "no rule writes __address__" in " ".join(said.out.split())


def test_a_list_of_jobs_that_is_no_yaml_is_refused_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jobs.yaml").write_text("- job_name: 'a'\n    metrics_path: /probe\n  static_configs: []\n")
    said = run("lint")
    assert said.code == 1
    assert "jobs.yaml:2: error: " in said.out


def test_labels_on_a_group_without_targets_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prometheus.yml").write_text(
        "scrape_configs:\n- job_name: a\n  static_configs:\n  - {labels: {team: shop}}\n  - {targets: ['a:1']}\n"
    )
    said = run("lint", "prometheus.yml")
    assert "prometheus.yml:4: note: " in said.out
    assert "without targets" in " ".join(said.out.split())


def test_standard_input_is_refused_with_the_command_that_reads_it() -> None:
    said = run("lint", "-")
    assert (said.code, str(said.error)) == (2, "lint does not read standard input")
    assert said.error is not None
    assert "necropsy probes --prometheus -" in said.error.hint
