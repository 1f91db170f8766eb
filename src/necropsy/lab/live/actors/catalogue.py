"""A copy of Consul's catalogue as a file of targets, for a Prometheus that cannot ask Consul: the labels are those of consul_sd.

Without Consul the definitions that its agents would read are taken instead.
"""

from __future__ import annotations

import argparse
import json
import re
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from necropsy._internal.paths import is_file

_ANSWER_S = 5.0
_NO_NAME = re.compile(r"[^a-zA-Z0-9_]")


def targets(instances: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the groups of a file_sd file for answers of ``/v1/catalog/service/NAME``.

    >>> targets([{"Node": "a1", "Address": "127.0.0.1", "ServiceAddress": "", "ServicePort": 80, "ServiceName": "admin-a",
    ...           "ServiceID": "Nginx", "ServiceTags": ["web"], "ServiceMeta": {"health-endpoint": "health"}}])[0]["targets"]
    ['127.0.0.1:80']
    """
    return [
        {
            "targets": [f"{one['ServiceAddress'] or one['Address']}:{one['ServicePort']}"],
            "labels": {
                "__meta_consul_node": one["Node"],
                "__meta_consul_address": one["Address"],
                "__meta_consul_service": one["ServiceName"],
                "__meta_consul_service_id": one["ServiceID"],
                "__meta_consul_service_address": one["ServiceAddress"],
                "__meta_consul_service_port": str(one["ServicePort"]),
                "__meta_consul_tags": f",{','.join(one['ServiceTags'])},",
                **{
                    f"__meta_consul_service_metadata_{_NO_NAME.sub('_', name)}": value
                    for name, value in (one["ServiceMeta"] or {}).items()
                },
            },
        }
        for one in instances
    ]


def from_consul(address: str) -> Iterator[dict[str, Any]]:
    """Yield every instance that the catalogue of ``HOST:PORT`` has."""
    for service in _get(f"http://{address}/v1/catalog/services"):
        if service != "consul":
            yield from _get(f"http://{address}/v1/catalog/service/{service}")


def from_definitions(files: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield what agents would register, given ``ADDRESS=FILE``."""
    for given in files:
        address, _, path = given.partition("=")
        for one in json.loads(Path(path).read_text(encoding="utf-8"))["services"]:
            yield {
                "Node": Path(path).parent.parent.name,
                "Address": address,
                "ServiceAddress": "",
                "ServicePort": one["port"],
                "ServiceName": one["name"],
                "ServiceID": one["id"],
                "ServiceTags": one["tags"],
                "ServiceMeta": one.get("meta", {}),
            }


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=_ANSWER_S) as answer:  # noqa: S310 -- Consul of the lab
        return json.load(answer)


def main() -> None:
    """Copy until killed; what cannot be asked leaves the file as it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--consul", action="append", default=[], help="HOST:PORT; may be repeated")
    parser.add_argument("--definitions", action="append", default=[], help="ADDRESS=FILE; may be repeated")
    parser.add_argument("--every", type=float, default=1.0, help="seconds")
    parser.add_argument("--to", type=Path, required=True)
    options = parser.parse_args()
    while True:
        for address in options.consul or [""]:
            try:
                instances = list(from_consul(address) if address else from_definitions(options.definitions))
            except (OSError, ValueError):
                continue
            text = json.dumps(targets(instances), indent=1)
            if not is_file(options.to) or options.to.read_text(encoding="utf-8") != text:
                passing = options.to.with_suffix(".new")
                passing.write_text(text, encoding="utf-8")
                passing.replace(options.to)
            break
        time.sleep(options.every)


if __name__ == "__main__":
    main()
