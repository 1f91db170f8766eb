from __future__ import annotations

import json

import pytest

from necropsy.probes.syntax.document import parse_json
from necropsy.probes.syntax.hcl import parse_hcl
from necropsy.treat.edits.consul_meta import foresee_answer, name_health_endpoint
from necropsy.treat.edits.text import Insertion, apply


def named(text: str, endpoints: dict[tuple[str, str], str]) -> list[Insertion]:
    return name_health_endpoint(text, parse_hcl(text, "services.json"), endpoints)


CONSUL = """\
{
  "services": [
    {
      "id": "Nginx",
      "name": "admin",
      "port": 80,
      "check": {"http": "http://localhost/health"}
    },
    {"id": "flat", "name": "admin", "port": 8080},
    {
      "id": "has-meta",
      "name": "admin",
      "meta": {
        "team": "a"
      }
    },
    {"name": "bare"}
  ]
}
"""


def test_the_endpoint_goes_into_the_meta_wherever_that_is_or_is_not() -> None:
    wanted = {
        ("admin", "Nginx"): "/health",
        ("admin", "flat"): "/up",
        ("admin", "has-meta"): "/h",
        ("bare", "bare"): "/b",
    }
    after = apply(CONSUL, named(CONSUL, wanted))
    services = (parse_json(after, "f").get("services") or parse_json("[]", "f")).to_python()
    assert [service["meta"]["health_check_endpoint"] for service in services] == ["health", "up", "h", "b"]
    assert services[2]["meta"]["team"] == "a"
    assert '      "port": 80,\n      "meta": {\n        "health_check_endpoint": "health"\n      },\n' in after


def test_another_service_of_the_same_id_is_left_alone() -> None:
    assert named(CONSUL, {("other", "Nginx"): "/health"}) == []


@pytest.mark.parametrize("meta", ['"Meta": {}', '"Meta": null', '"Meta": {"a": "b"}', '"Tags": []'])
@pytest.mark.parametrize(
    "shape",
    [
        '[{{"Node": {{"Node": "a1"}}, "Service": {{"ID": "x", "Service": "admin", "Port": 80, {meta}}}}}]',
        '{{"x": {{"ID": "x", "Service": "admin", "Port": 80, {meta}}}}}',
        '[{{"ServiceID": "x", "ServiceName": "admin", "ServicePort": 80, "Service{meta_plain}}}]',
    ],
)
def test_what_consul_will_answer_after_a_reload_is_foreseen_in_every_shape(shape: str, meta: str) -> None:
    text = shape.format(meta=meta, meta_plain=meta[1:])
    after = json.loads(apply(text, foresee_answer(text, parse_json(text, "answer.json"), {("admin", "x"): "/health"})))
    entry = after[0] if isinstance(after, list) else after["x"]
    service = entry.get("Service") if isinstance(entry.get("Service"), dict) else entry
    assert (service.get("Meta") or service.get("ServiceMeta"))["health_check_endpoint"] == "health"


HCL = """\
# admin, both colours
services {
  name = "admin"
  id   = "Server:8080"
  port = 8080   # blue
  check { http = "http://localhost:8080/health" }
}
services { name = "admin" id = "Server:8081" port = 8081 }
services {
  name = "admin"
  id   = "Server:8082"
  meta = {
    "version" = "1"
  }
}
service { name = "other" meta { } }
"""


def test_each_service_of_an_hcl_file_is_told_its_endpoint_and_nothing_else_is_touched() -> None:
    endpoints = {("admin", f"Server:{port}"): "/health" for port in (8080, 8081, 8082)}
    after = apply(HCL, named(HCL, endpoints | {("other", "other"): "/up"}))
    assert (
        after
        == """\
# admin, both colours
services {
  name = "admin"
  id   = "Server:8080"
  port = 8080   # blue
  meta {
    health_check_endpoint = "health"
  }
  check { http = "http://localhost:8080/health" }
}
services { name = "admin" id = "Server:8081" port = 8081, meta = { health_check_endpoint = "health" } }
services {
  name = "admin"
  id   = "Server:8082"
  meta = {
    "version" = "1"
    health_check_endpoint = "health"
  }
}
service { name = "other" meta { health_check_endpoint = "up"  } }
"""
    )
    assert named(after, endpoints) == []


BLOCKS = """\
service {
  name = "admin"
  port = 80  # nginx
  check { http = "http://localhost/health" }
}
service {
  name = "shop"
  meta {
    team = "a"
  }
}
"""


@pytest.mark.parametrize("text", [CONSUL, BLOCKS])
def test_lines_that_are_added_end_as_the_others_do(text: str) -> None:
    wanted = {
        ("admin", "Nginx"): "/health",
        ("admin", "has-meta"): "/h",
        ("admin", "admin"): "/health",
        ("shop", "shop"): "/h",
    }
    windows = text.replace("\n", "\r\n")
    after = apply(windows, named(windows, wanted))
    assert after == apply(text, named(text, wanted)).replace("\n", "\r\n")
    assert after != windows
