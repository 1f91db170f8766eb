"""``docs/json-report.md``, made from the schema: the meaning of every key is written down once."""

from __future__ import annotations

from json import loads
from typing import Any

from necropsy.report.json import v1

_HEAD = """\
# The report as JSON, version 1

The keys of the report that `--format json` writes for scripts and other programs.

```sh
necropsy examine … --format json
necropsy report incident.case --format json
```

<!-- Made from src/necropsy/report/json/report-1.schema.json: change that and refresh this with
     NECROPSY_GOLDEN=1 pytest tests/report -->

Keys of version 1 are neither renamed nor removed. Keys may be added: ignore those that you do not know, as the schema
does. [The JSON Schema](../src/necropsy/report/json/report-1.schema.json) (2020-12) is part of the package.

* Times are ISO 8601 in UTC and end in `Z`. Durations are seconds, sizes are bytes, shares run from 0 to 1.
* Every key is always there. What is unknown is `null`, never `0`; what is not there is an empty list.
* User-Agents, URLs and paths are written by whoever calls: escape them wherever you show them.
* Session ids, cookies and principals are never in a report.
"""


def describe() -> str:
    """Markdown that documents every key of version 1."""
    schema = loads(v1.schema())
    sections = [_HEAD, _table("The report", schema)]
    sections += [_table(f"`{name}`", part) for name, part in schema["$defs"].items()]
    return "\n".join(sections)


def _table(title: str, part: dict[str, Any]) -> str:
    rows = [
        f"| `{key}` | {_type(value)} | {value.get('description', '')} |" for key, value in part["properties"].items()
    ]
    return "\n".join(
        [f"## {title}", "", part["description"], "", "| key | type | meaning |", "|---|---|---|", *rows, ""]
    )


def _type(value: dict[str, Any]) -> str:
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name})"
    if "anyOf" in value:
        return " or ".join(_type(choice) for choice in value["anyOf"])
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return " ".join(f"`{choice}`" for choice in value["enum"])
    if value["type"] == "array":
        return f"list of {_type(value['items'])}"
    types = value["type"] if isinstance(value["type"], list) else [value["type"]]
    named = ["time" if kind == "string" and value.get("format") == "date-time" else kind for kind in types]
    return " or ".join(named)
