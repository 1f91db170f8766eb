"""Upstream's own bad and good configurations: each bad one is refused at the line of its fault, each good one is taken.

The files are those of two releases, read from the Go modules that hold them; only their names and lines are kept here.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from necropsy.autopsy.linting import lint
from necropsy.model.errors import ConfigurationError, NotJudged
from necropsy.probes.prometheus.blackbox.modules import read_modules
from necropsy.probes.prometheus.configuration import parse_prometheus

pytestmark = pytest.mark.integration

PROMETHEUS = "github.com/prometheus/prometheus@v0.314.0"
"""Prometheus 3.14.0."""
BLACKBOX = "github.com/prometheus/blackbox_exporter@v0.28.0"

FAULTS = {
    "azure_authentication_method": 3, "azure_bearertoken_basicauth": 9, "azure_client_id_missing": 6,
    "azure_client_secret_missing": 7, "azure_subscription_id_missing": 4, "azure_tenant_id_missing": 5,
    "bearertoken": 5, "bearertoken_basicauth": 5, "dropequal": 4, "dropequal1": 6, "ec2_filters_empty_values": 7,
    "ec2_token_file": 6, "empty_alert_relabel_config": 3, "empty_alertmanager_relabel_config": 4,
    "empty_metric_relabel_config": 4, "empty_rr_config": 2, "empty_rw_config": 2, "empty_rw_relabel_config": 4,
    "empty_scrape_config": 2, "empty_scrape_config_action": 4, "empty_static_config": 4,
    "empty_target_relabel_config": 4, "eureka_invalid_server": 4, "eureka_no_server": 4, "hetzner_role": 3,
    "http_token_file": 6, "http_url_bad_scheme": 3, "http_url_no_host": 3, "http_url_no_scheme": 3,
    "ionos_datacenter": 3, "jobname": 2, "jobname_dup": 7, "keepequal": 4, "keepequal1": 6,
    "kubernetes_api_server_with_own_namespace": 7, "kubernetes_authorization_basicauth": 10,
    "kubernetes_bearertoken": 9, "kubernetes_bearertoken_basicauth": 9,
    "kubernetes_http_config_without_api_server": 5, "kubernetes_kubeconfig_with_apiserver": 6,
    "kubernetes_kubeconfig_with_http_config": 6, "kubernetes_kubeconfig_with_own_namespace": 7,
    "kubernetes_namespace_discovery": 6, "kubernetes_role": 4, "kubernetes_selectors_duplicated_role": 9,
    "kubernetes_selectors_endpoints": 6, "kubernetes_selectors_incorrect_selector": 7,
    "kubernetes_selectors_ingress": 6, "kubernetes_selectors_node": 6, "kubernetes_selectors_pod": 9,
    "kubernetes_selectors_service": 6, "labeldrop": 4, "labeldrop2": 4, "labeldrop3": 4, "labeldrop4": 4,
    "labeldrop5": 4, "labelkeep": 4, "labelkeep2": 4, "labelkeep3": 4, "labelkeep4": 4, "labelkeep5": 4,
    "labelmap": 5, "labelname": 3, "labelvalue": 3, "lightsail_token_file": 6, "lowercase": 6, "lowercase3": 7,
    "marathon_authtoken_authorization": 9, "marathon_authtoken_authtokenfile": 9, "marathon_authtoken_basicauth": 9,
    "marathon_authtoken_bearertoken": 9, "marathon_no_servers": 9, "metric_name_validation_scheme": 2,
    "modulus_missing": 4, "oci_authentication_method": 3, "openstack_availability": 3, "openstack_role": 3,
    "otlp_allow_utf8": 4, "otlp_ignore_resource_attributes_without_promote_all": 2,
    "otlp_promote_all_resource_attributes": 3, "otlp_sanitize_ignore_resource_attributes": 3,
    "otlp_sanitize_promote_resource_attributes": 2, "outscale_no_region": 4, "outscale_no_secret": 4,
    "outscale_two_secrets": 7, "ovhcloud_bad_service": 3, "ovhcloud_no_secret": 3, "puppetdb_bad_url": 3,
    "puppetdb_no_query": 3, "puppetdb_no_scheme": 3, "puppetdb_no_url": 3, "puppetdb_token_file": 7, "regex": 4,
    "remote_read_dup": 5, "remote_read_header": 5, "remote_read_url_missing": 2,
    "remote_write_authorization_header": 5, "remote_write_dup": 5, "remote_write_header": 5,
    "remote_write_queue_capacity_zero": 4, "remote_write_queue_max_backoff_less_than_min": 5,
    "remote_write_queue_max_samples_per_send_zero": 4, "remote_write_queue_max_shards_zero": 4,
    "remote_write_queue_min_shards_greater_than_max": 4, "remote_write_queue_min_shards_zero": 4,
    "remote_write_url_missing": 2, "remote_write_wrong_msg": 3, "rules": 3, "scaleway_no_secret": 3,
    "scaleway_role": 3, "scaleway_two_secrets": 7, "scrape_body_size_limit": 3, "scrape_config_files": 4,
    "scrape_config_files_fallback_scrape_protocol1": 3, "scrape_config_files_fallback_scrape_protocol2": 3,
    "scrape_config_files_glob": 2, "scrape_config_files_scrape_protocols": 3,
    "scrape_config_files_scrape_protocols2": 3, "scrape_config_utf8_conflicting": 3, "scrape_interval": 4,
    "section_key_dup": 4, "stackit_endpoint": 4, "static_config": 4, "target_label_hashmod_missing": 4,
    "target_label_missing": 4, "tracing_invalid_authorization_header": 5, "tracing_invalid_compression": 4,
    "tracing_invalid_header": 5, "tracing_missing_endpoint": 2, "tsdb_chunk_encoding_floats": 4,
    "tsdb_chunk_encoding_floats_wrong_case": 4, "tsdb_chunk_encoding_floats_wrong_case_xor2": 4,
    "tsdb_retention_percentage": 4, "tsdb_retention_percentage_negative": 4, "tsdb_retention_size": 4,
    "tsdb_retention_time": 4, "unknown_attr": 19, "unknown_global_attr": 2, "uppercase": 4, "uppercase3": 7,
    "url_in_targetgroup": 5, "uyuni_no_server": 4, "uyuni_token_file": 8,
}  # fmt: skip
"""Name of a bad configuration, without ``.bad.yml``: line of its fault."""
FAULTS_OF_PARTS = {
    "scrape_config_files_double_import": ("scrape_config_files_double_import.bad.yml", 3),
    "scrape_config_files_duplicate": ("scrape_config_files.good.yml", 2),
    "scrape_config_files_global": ("scrape_config_files.bad.yml", 4),
    "scrape_config_files_global_duplicate": ("scrape_config_files.good.yml", 2),
}
"""Those whose fault shows only together with the files that they name: the file and line to blame."""
FAULTS_OF_MODULES = {
    "blackbox-bad": 50, "blackbox-bad2": 8, "invalid-dns-class": 7, "invalid-dns-module": 6, "invalid-dns-type": 8,
    "invalid-http-body-config": 7, "invalid-http-body-match-regexp": 7, "invalid-http-body-not-match-regexp": 7,
    "invalid-http-compression-mismatch": 8, "invalid-http-compression-mismatch-special-case": 8,
    "invalid-http-header-match": 7, "invalid-http-header-match-regexp": 9, "invalid-http-http3-http2": 8,
    "invalid-http-http3-http2-enabled": 7, "invalid-http-http3-http2-version": 8,
    "invalid-http-request-compression-reject-all-encodings": 10, "invalid-icmp-ttl": 5,
    "invalid-icmp-ttl-overflow": 5, "invalid-no-versions-http3-enabled": 6, "invalid-tcp-query-response-regexp": 7,
    "invalid-unix-query-response-regexp": 8,
}  # fmt: skip
"""Name of a bad configuration of the blackbox exporter, without ``.yml``: line of its fault."""


@cache
def module(name: str) -> Path:
    """Folder with the sources of a Go module, fetched once."""
    go = shutil.which("go", path="/usr/local/go/bin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    if go is None:
        pytest.skip("needs Go to fetch a module: apt-get install golang-go")
    said = subprocess.run([go, "mod", "download", "-json", name], capture_output=True, text=True, check=False, cwd="/")
    found = json.loads(said.stdout or "{}")
    assert "Dir" in found, found.get("Error") or said.stderr
    return Path(found["Dir"]) / "config" / "testdata"


def first_fault(text: str, name: str) -> int | None:
    """Line of the first thing that Prometheus 3.14 refuses; None for a configuration that it loads."""
    try:
        problems = parse_prometheus(text, name, prometheus="3.14.0", lenient=True).problems
    except ConfigurationError as error:
        problems = (error,)
    return next((error.line for error in problems if not isinstance(error, NotJudged)), None)


def test_the_table_names_each_bad_configuration_of_the_release() -> None:
    there = {path.name.removesuffix(".bad.yml") for path in module(PROMETHEUS).glob("*.bad.yml")}
    assert there == FAULTS.keys() | FAULTS_OF_PARTS.keys()
    assert len(there) == 147


@pytest.mark.parametrize("name", FAULTS)
def test_a_bad_configuration_is_refused_at_its_fault(name: str) -> None:
    path = module(PROMETHEUS) / f"{name}.bad.yml"
    assert first_fault(path.read_text(), path.name) == FAULTS[name]


@pytest.mark.parametrize("name", FAULTS_OF_PARTS)
def test_a_fault_that_shows_with_other_files_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(module(PROMETHEUS))
    file, line = FAULTS_OF_PARTS[name]
    refused = lint([f"{name}.bad.yml"], prometheus_version="3.14.0").refused
    assert f"{file}:{line}" in [item.locator for item in refused]


def test_each_good_configuration_is_taken() -> None:
    good = sorted(module(PROMETHEUS).rglob("*.good.yml"))
    assert len(good) >= 55
    assert {path.name: first_fault(path.read_text(), path.name) for path in good} == {path.name: None for path in good}


@pytest.mark.parametrize("name", FAULTS_OF_MODULES)
def test_a_bad_module_of_the_exporter_is_refused_at_its_fault(name: str) -> None:
    path = module(BLACKBOX) / f"{name}.yml"
    assert [error.line for error in read_modules(path.read_text(), path.name).problems] == [FAULTS_OF_MODULES[name]]


def test_the_table_names_each_bad_configuration_of_the_exporter() -> None:
    there = {path.stem for path in module(BLACKBOX).glob("*.yml")} - {"blackbox-good"}
    assert there == FAULTS_OF_MODULES.keys()


@pytest.mark.parametrize("name", ["config/testdata/blackbox-good.yml", "blackbox.yml", "example.yml"])
def test_what_the_exporter_ships_is_taken(name: str) -> None:
    path = module(BLACKBOX).parents[1] / name
    assert read_modules(path.read_text(), name, version="0.28.0").problems == ()
