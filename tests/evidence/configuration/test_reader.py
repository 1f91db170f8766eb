"""Opening configuration: what is named, what that names in turn, and what is absent."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from necropsy.evidence.configuration.reader import KINDS, read
from necropsy.probes.monitoring import Monitoring
from necropsy.probes.simulate import simulate

ASSETS = Path(__file__).parents[2] / "assets"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one, so that names in the tests are short."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(folder: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def names(kind: str, *locators: str) -> list[str]:
    return [file.name for file in read(kind, locators)[0]]


def test_a_file_comes_with_its_digest_and_size(folder: Path) -> None:
    put(folder, {"blackbox.yml": "modules: {}\n"})
    [file], [source], absent = read("blackbox", ["blackbox.yml"])
    assert (file.name, file.text, file.kind) == ("blackbox.yml", "modules: {}\n", "blackbox")
    assert (source.reader, source.locator, source.size) == ("blackbox", "blackbox.yml", 12)
    assert source.sha256 == hashlib.sha256(b"modules: {}\n").hexdigest()
    assert absent == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_read_is_absent_with_the_next_step(folder: Path, kind: str) -> None:
    (folder / "binary").write_bytes(b"\xff\xfe\x00")
    files, sources, absent = read(kind, ["gone.yml", "binary", "no-such-*.yml"])
    assert files == []
    assert sources == []
    assert [a.locator for a in absent] == ["gone.yml", "binary", "no-such-*.yml"]
    assert all(a.kind == kind and a.reason and a.hint for a in absent)


def test_standard_input_is_a_file_without_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BufferedReader(io.BytesIO(b"http { include conf.d/*.conf; }"))  # type: ignore[arg-type]
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=stream))
    files, sources, absent = read("nginx", ["-"])
    assert [(file.name, source.sha256) for file, source in zip(files, sources, strict=True)] == [("-", None)]
    assert [a.locator for a in absent] == ["conf.d/*.conf"]


# -- nginx ----------------------------------------------------------------------------------------------------------


def test_includes_are_followed_from_the_main_file(folder: Path) -> None:
    put(
        folder,
        {
            "etc/nginx.conf": "http { include conf.d/*.conf; }",
            "etc/conf.d/b.conf": "include snippets/log.conf;",
            "etc/conf.d/a.conf": "",
            "etc/snippets/log.conf": "access_log off;",
        },
    )
    files, sources, absent = read("nginx", ["etc/nginx.conf"])
    assert [file.name for file in files] == [
        "etc/nginx.conf", "etc/conf.d/a.conf", "etc/conf.d/b.conf", "etc/snippets/log.conf"
    ]  # fmt: skip
    assert [source.note for source in sources] == [
        "", "named by etc/nginx.conf:1", "named by etc/nginx.conf:1", "named by etc/conf.d/b.conf:1"
    ]  # fmt: skip
    assert absent == []


def test_the_folder_of_nginx_means_its_main_file(folder: Path) -> None:
    put(folder, {"etc/nginx.conf": "http { include sites/a.conf; }", "etc/sites/a.conf": "", "etc/b.conf": ""})
    assert names("nginx", "etc") == ["etc/nginx.conf", "etc/sites/a.conf"]


def test_a_copy_reads_its_copies_and_says_what_was_not_copied(folder: Path) -> None:
    put(
        folder,
        {
            "copy/nginx.conf": "http { include /etc/nginx/conf.d/*.conf; include /etc/nginx/sites-enabled/*; }",
            "copy/conf.d/a.conf": "",
        },
    )
    files, _, absent = read("nginx", ["copy/nginx.conf"])
    assert [file.name for file in files] == ["copy/nginx.conf", "copy/conf.d/a.conf"]
    assert [(a.locator, a.reason) for a in absent] == [
        ("/etc/nginx/sites-enabled/*", "named by copy/nginx.conf:1, not given")
    ]


def test_a_copy_is_never_mixed_with_the_files_of_this_machine(folder: Path) -> None:
    put(folder, {"nginx.conf": "include /etc/passwd; include /etc/host*;"})
    assert names("nginx", "nginx.conf") == ["nginx.conf"]


def test_an_empty_folder_that_exists_is_a_fact_and_not_absent(folder: Path) -> None:
    put(folder, {"nginx.conf": "http { include conf.d/*.conf; }"})
    (folder / "conf.d").mkdir()
    assert read("nginx", ["nginx.conf"])[2] == []


def test_files_that_include_each_other_are_read_once(folder: Path) -> None:
    put(folder, {"a.conf": "include b.conf;", "b.conf": "include a.conf;"})
    assert names("nginx", "a.conf", "./b.conf") == ["a.conf", "b.conf"]


# -- Prometheus -----------------------------------------------------------------------------------------------------

PROMETHEUS = """
scrape_config_files: [jobs/*.yml]
scrape_configs:
  - job_name: a
    file_sd_configs:
      - files: [targets/*.json, /etc/prometheus/more.yml]
"""


def test_files_of_targets_and_of_jobs_are_followed(folder: Path) -> None:
    put(
        folder,
        {
            "p/prometheus.yml": PROMETHEUS,
            "p/jobs/b.yml": "scrape_configs: [{job_name: b, file_sd_configs: [{files: [b.json]}]}]",
            "p/jobs/b.json": '[{"targets": ["b:80"]}]',
            "p/targets/a.json": '[{"targets": ["a:80"]}]',
            "p/more.yml": "- targets: ['m:80']",
        },
    )
    files, _, absent = read("prometheus", ["p"])
    assert [(file.name, file.kind) for file in files] == [
        ("p/prometheus.yml", "prometheus"),
        ("p/jobs/b.yml", "prometheus"),
        ("p/jobs/b.json", "file_sd"),
        ("p/targets/a.json", "file_sd"),
        ("p/more.yml", "file_sd"),
    ]
    assert absent == []
    found = simulate(files)
    assert found.problems == ()
    assert sorted(probe.url for probe in found.probes) == [
        "http://a:80/metrics", "http://b:80/metrics", "http://m:80/metrics"
    ]  # fmt: skip


def test_the_targets_of_a_file_are_those_of_all_files_that_it_names(folder: Path) -> None:
    put(
        folder,
        {
            "prometheus.yml": "scrape_configs: [{job_name: a, file_sd_configs: [{files: ['found/*.json', one.yml]}]}]\n"
            "scrape_config_files: ['more*.yml']\n",
            "more.yml": "scrape_configs: [{job_name: b, static_configs: [{targets: [b:1]}]}]",
            "found/x.json": '[{"targets": ["x:1"],\n "labels": {"zone": "eu"}}]',
            "found/x.txt": "not for us",
            "one.yml": "- targets: [y:1]\n",
        },
    )
    files, _, absent = read("prometheus", [str(folder / "prometheus.yml")])
    found = [one.target for one in Monitoring(files).targets()]
    assert absent == []
    assert [target.url for target in found] == ["http://x:1/metrics", "http://y:1/metrics", "http://b:1/metrics"]
    assert found[0].discovered_labels["__meta_filepath"] == str(folder / "found" / "x.json")
    assert str(found[0].origin[0]) == f"{folder}/found/x.json:1"


def test_a_configuration_that_is_broken_is_still_handed_over(folder: Path) -> None:
    put(folder, {"prometheus.yml": "scrape_configs: ["})
    files, _, absent = read("prometheus", ["prometheus.yml"])
    assert len(files) == 1
    assert absent == []
    assert [problem.line for problem in simulate(files).problems] == [2]


# -- Consul ---------------------------------------------------------------------------------------------------------


def test_a_folder_of_consul_is_all_that_an_agent_reads(folder: Path) -> None:
    put(folder, {"c/b.json": "{}", "c/a.hcl": "", "c/notes.txt": "", "c/deeper/x.json": "{}"})
    assert names("consul", "c") == ["c/a.hcl", "c/b.json"]


@pytest.mark.parametrize(
    ("locator", "address"),
    [
        ("web.json", None),
        ("172.12.1.189=web.json", "172.12.1.189"),
        ("[fd00::1]=web.json", "fd00::1"),
        ("fd00::1=web.json", "fd00::1"),
        ("admin-1.example.com=web.json", "admin-1.example.com"),
        ("172.12.1.189=.", "172.12.1.189"),
    ],
)
def test_the_address_of_a_node_stands_before_its_file(folder: Path, locator: str, address: str | None) -> None:
    put(folder, {"web.json": '{"service": {"name": "a", "port": 80}}'})
    [file] = read("consul", [locator])[0]
    assert (Path(file.name).name, file.node_address) == ("web.json", address)


def test_a_file_whose_name_holds_an_equals_sign_is_still_that_file(folder: Path) -> None:
    put(folder, {"a=b.json": "{}"})
    assert names("consul", "a=b.json") == ["a=b.json"]


def test_one_file_may_be_read_by_the_agents_of_two_nodes(folder: Path) -> None:
    put(folder, {"web.json": '{"service": {"name": "a", "port": 80}}'})
    files, sources, _ = read("consul", ["10.0.0.1=web.json", "10.0.0.2=web.json"])
    assert [file.node_address for file in files] == ["10.0.0.1", "10.0.0.2"]
    assert len(sources) == 1


def test_a_folder_without_anything_to_read_is_absent(folder: Path) -> None:
    (folder / "empty").mkdir()
    assert [(a.locator, a.reason) for a in read("consul", ["empty"])[2]] == [
        ("empty", "no *.json, *.hcl in this folder")
    ]


# -- others ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        ("kubernetes", "deploy/pod.yaml", "kind: Pod\nspec: {containers: [{livenessProbe: {httpGet: {port: 80}}}]}"),
        ("haproxy", "deploy/haproxy.cfg", "backend a\n option httpchk\n server s 10.0.0.1:80 check\n"),
        ("compose", "deploy/compose.yaml", "services: {a: {healthcheck: {test: curl http://a/}}}"),
        ("caddy", "deploy/Caddyfile", ":80 {\n\treverse_proxy a:80 {\n\t\thealth_uri /\n\t}\n}\n"),
        (
            "traefik",
            "deploy/shop.toml",
            '[http.services.a.loadBalancer]\nhealthCheck = {path = "/"}\nservers = [{url = "http://a"}]\n',
        ),
        ("terraform", "deploy/main.tf", 'resource "aws_elb" "a" {\n health_check {\n target = "HTTP:80/"\n }\n}\n'),
    ],
)
def test_the_folder_of_every_prober_is_read(folder: Path, kind: str, name: str, text: str) -> None:
    put(folder, {name: text})
    files, _, absent = read(kind, ["deploy"])
    assert [file.name for file in files] == [name]
    assert absent == []
    assert len(simulate(files).probes) == 1


def test_a_saved_answer_says_which_url_it_answers(folder: Path) -> None:
    put(folder, {"answer.json": '[{"targets": ["a:80"]}]'})
    [file] = read("http_sd", ["http://cmdb/targets=answer.json"])[0]
    assert (file.name, file.node_address) == ("answer.json", "http://cmdb/targets")


# -- secrets --------------------------------------------------------------------------------------------------------


def test_nothing_of_what_stands_inside_reaches_sources_or_absences(folder: Path) -> None:
    put(
        folder,
        {
            "prometheus.yml": "scrape_configs: [{job_name: a, basic_auth: {username: u, password: t0psecret}}]",
            "consul.json": '{"encrypt": "t0psecret", "acl": {"tokens": {"agent": "t0psecret"}}, "service": {"name": "a"}}',
            "broken.yml": "password: 't0psecret\n",
            "nginx.conf": "include t0psecret",
        },
    )
    for kind, locator in (
        ("prometheus", "prometheus.yml"), ("consul", "consul.json"), ("blackbox", "broken.yml"), ("nginx", "nginx.conf")
    ):  # fmt: skip
        files, sources, absent = read(kind, [locator])
        assert "t0psecret" not in repr((sources, absent, simulate(files)))


def test_the_incident_is_read_as_it_was_found() -> None:
    folder = ASSETS / "incident"
    files = read("prometheus", [str(folder / "prometheus.before.yml")])[0]
    files += read("consul", [str(folder / "consul-services.before.json")])[0]
    assert {probe.url for probe in simulate(files).probes if probe.kind == "blackbox-http"} == {
        "http://<address>:80/", "http://<address>:8080/", "http://<address>:8081/"
    }  # fmt: skip
