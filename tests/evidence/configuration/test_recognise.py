from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.evidence.configuration.reader import KINDS
from necropsy.evidence.configuration.recognise import configurations, recognise

TEXTS = {
    "prometheus": ["scrape_configs: []", "global: {scrape_interval: 10s}", "rule_files: [a.yml]", "scrape_configs: ["],
    "blackbox": ["modules: {a: {prober: http}}", "modules:\n  a:\n    prober: icmp\n  b: ["],
    "consul": [
        '{"service": {"name": "a"}}',
        '{"services": [{"name": "a"}]}',
        '[{"Node": {"Node": "a"}, "Service": {"ID": "a"}, "Checks": []}]',
        '[{"ServiceID": "a", "ServiceName": "a", "Node": "n"}]',
        '{"web": {"ID": "web", "Service": "web", "Port": 80}}',
        'service {\n  name = "a"\n}',
        'datacenter = "dc1"\nservices = [{ name = "a" }]',
    ],
    "nginx": ["http {\n  server { listen 80; }\n}", "server {\n listen 80;\n}", "upstream a { server b; }"],
    "file_sd": ["- targets: [a]", '[{"targets": ["a"], "labels": {}}]'],
    "kubernetes": ["apiVersion: v1\nkind: Pod\n"],
    "compose": ["services: {web: {image: nginx}}"],
    "haproxy": ["backend app\n  option httpchk\n  server a 10.0.0.1:80 check\n"],
    "gatus": ["endpoints: [{url: 'http://a', conditions: ['[STATUS] == 200']}]"],
    "caddy": [
        "a.example {\n\treverse_proxy b:80\n}",
        "{\n\tadmin off\n}\n:80 {\n\treverse_proxy /x/* {\n\t\tto b c\n\t}\n}",
    ],
    "traefik": [
        "http: {services: {a: {loadBalancer: {}}}}",
        "[http.services.a.loadBalancer]\n  passHostHeader = true\n",
    ],
    "terraform": ['resource "aws_lb_target_group" "a" {\n  port = 80\n}'],
    "cloudformation": ["Resources: {a: {Type: 'AWS::ElasticLoadBalancingV2::TargetGroup'}}"],
    "uptime_kuma": ['{"version": "1", "monitorList": []}'],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in TEXTS.items() for text in texts])
def test_a_kind_is_known_by_its_content(kind: str, text: str) -> None:
    assert recognise(text, "file") == kind


@pytest.mark.parametrize("text", ["", "hello", "{}", "[]", "a: 1", "- 1", "[project]\nname = 'a'\n", "# a heading\n"])
def test_what_is_something_else_is_not_guessed(text: str) -> None:
    assert recognise(text, "file") is None


@given(st.text(alphabet=st.sampled_from(list("abc{}[]:;-\n \"'#=services")), max_size=80))
def test_any_text_has_a_kind_that_can_be_read_or_none(text: str) -> None:
    assert recognise(text, "file") in (None, *KINDS)


def test_hidden_folders_and_other_suffixes_are_left_out(tmp_path: Path) -> None:
    for name in ("a.yml", "b/c.json", ".git/d.yml", "node_modules/e.json", "f.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    assert [str(path.relative_to(tmp_path)) for path in configurations(tmp_path)] == ["a.yml", "b/c.json"]
