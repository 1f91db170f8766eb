from __future__ import annotations

import base64
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.evidence.configuration.embedded import holds_jobs, parts, unrendered
from necropsy.evidence.configuration.reader import read
from necropsy.evidence.configuration.recognise import recognise
from necropsy.probes.simulate import simulate

JOBS = (
    "scrape_configs:\n- job_name: shop\n  metrics_path: /status/prom\n  static_configs:\n  - targets: ['10.0.0.1:80']\n"
)
BLACKBOX = "modules:\n  page:\n    prober: http\n"


def indented(text: str, by: int) -> str:
    return textwrap.indent(text, " " * by)


CONFIG_MAP = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: p}}\ndata:\n  prometheus.yml: |\n{indented(JOBS, 4)}"
HOLDERS = {
    "config map": (CONFIG_MAP, ["prometheus"]),
    "two kinds in one config map": (
        f"{CONFIG_MAP}  blackbox.yml: |-\n{indented(BLACKBOX, 4)}",
        ["prometheus", "blackbox"],
    ),
    "values of a chart, as text": (f"server:\n  extraScrapeConfigs: |\n{indented(JOBS[16:], 4)}", ["prometheus"]),
    "values of a chart, as YAML": (
        f"prometheus:\n  prometheusSpec:\n    additionalScrapeConfigs:\n{indented(JOBS[16:], 4)}",
        ["prometheus"],
    ),
    "a whole configuration in values": (f"serverFiles:\n  prometheus.yml:\n{indented(JOBS, 4)}", ["prometheus"]),
    "modules in values": (f"config:\n{indented(BLACKBOX, 2)}", ["blackbox"]),
    "a collector's receiver": (f"receivers:\n  prometheus:\n    config:\n{indented(JOBS, 6)}", ["prometheus"]),
    "inline file of compose": (
        f"services: {{p: {{image: prom}}}}\nconfigs:\n  p:\n    content: |\n{indented(JOBS, 6)}",
        ["prometheus"],
    ),
    "nginx in a config map": (
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  nginx.conf: |\n    events {}\n    http {\n      server { listen 80; }\n    }\n",
        ["nginx"],
    ),
}


@pytest.mark.parametrize("name", HOLDERS)
def test_a_configuration_inside_of_another_file_is_found_at_its_place(name: str) -> None:
    text, kinds = HOLDERS[name]
    found = parts(text, "all.yaml")
    assert [part.kind for part in found] == kinds
    for part in found:
        assert (part.name, part.whole, part.patchable) == ("all.yaml", text, True)
        assert len(part.text) == len(text)
        assert all(mine in (" ", theirs) for mine, theirs in zip(part.text, text, strict=True))


@pytest.mark.parametrize("name", [name for name in HOLDERS if "prometheus" in HOLDERS[name][1]])
def test_its_jobs_are_those_of_the_lines_of_the_file(name: str) -> None:
    text, _ = HOLDERS[name]
    probes = [probe for probe in simulate(parts(text, "all.yaml")).probes if probe.kind == "scrape"]
    (line,) = [number for number, content in enumerate(text.splitlines(), 1) if "10.0.0.1:80" in content]
    assert [probe.path for probe in probes] == ["/status/prom"]
    assert line in [origin.line for origin in probes[0].origin]


def test_a_secret_is_decoded_and_counts_from_its_key() -> None:
    data = base64.b64encode(JOBS.encode()).decode()
    text = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: p}}\ndata:\n  jobs.yaml: {data}\n"
    (part,) = parts(text, "secret.yaml")
    assert (part.kind, part.name, part.patchable) == ("prometheus", "secret.yaml#jobs.yaml", False)
    assert part.text.splitlines().index("scrape_configs:") == 5


@pytest.mark.parametrize(
    ("inside", "kind"),
    [
        (b"scrape_configs:\n- job_name: web\n  static_configs: [{targets: [a]}]\n", "prometheus"),
        (b"modules:\n  a:\n    prober: http\n    timeout: 5s\n", "blackbox"),
        (b"shop.example {\n\treverse_proxy web:80 {\n\t\thealth_uri /\n\t}\n}\n", "caddy"),
    ],
)
def test_what_a_config_map_holds_as_bytes_is_decoded(inside: bytes, kind: str) -> None:
    packed = base64.b64encode(inside).decode()
    text = f"apiVersion: v1\nkind: ConfigMap\ndata: {{note: hello}}\nbinaryData:\n  file: {packed}\n"
    [part] = parts(text, "map.yaml")
    assert (part.kind, part.name, part.text.encode().lstrip(b"\n")) == (kind, "map.yaml#file", inside)


def test_two_configurations_of_one_kind_are_two_files() -> None:
    found = parts(f"{CONFIG_MAP}---\n{CONFIG_MAP}", "all.yaml")
    assert len({part.name for part in found}) == 2
    assert sum(part.patchable for part in found) == 1


@pytest.mark.parametrize(
    "text", [JOBS, "a: 1", "kind: ConfigMap\ndata:\n  note: |\n    two\n    lines\n", "{{ if a }}\nx: [", ""]
)
def test_what_holds_nothing_has_no_parts_or_is_one(text: str) -> None:
    assert [part.whole for part in parts(text, "a.yaml")] in ([], [text])


def test_values_that_hold_a_configuration_are_recognised() -> None:
    assert recognise(HOLDERS["values of a chart, as YAML"][0], "values.yaml") == "values"
    assert recognise("replicas: 2\nimage: {tag: '3'}\n", "values.yaml") is None
    assert recognise("# of nobody\n---\nscrape_configs: [{job_name: a}]\n", "p.yml") == "prometheus"


def test_a_manifest_that_was_named_as_prometheus_gives_what_it_holds(tmp_path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG_MAP)
    files, sources, absent = read("prometheus", [str(file)])
    assert [(f.kind, f.whole is not None) for f in files] == [("prometheus", True)]
    assert (len(sources), absent) == (1, [])
    file.write_text("apiVersion: v1\nkind: Service\nmetadata: {name: a}\n")
    files, _, absent = read("prometheus", [str(file)])
    assert files == []
    assert "Kubernetes manifest" in absent[0].reason
    assert "--kubernetes" in absent[0].hint


def test_a_template_is_said_to_be_one_only_if_it_is_about_requests() -> None:
    assert unrendered("scrape_configs:\n- job_name: {{ .Values.job }}\n") == "scrape jobs"
    assert unrendered("readinessProbe:\n  httpGet: {path: {{ .Values.path }}}\n") == "probes of containers"
    assert unrendered("image: {{ .Values.image }}\n") == ""
    assert holds_jobs("- hosts: all\n  vars:\n    scrape_configs:\n") is True


@given(st.text("abkd:|>- \n\t'\"{}[]#&*!", max_size=60))
def test_any_text_has_parts_or_none(text: str) -> None:
    for part in parts(text, "a.yaml"):
        assert part.kind
