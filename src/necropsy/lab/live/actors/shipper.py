"""Ships the error logs of the applications to OpenSearch, each entry with its stack trace as one document, as Filebeat would."""

from __future__ import annotations

import argparse
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

_EVERY_S = 1.0
_ANSWER_S = 10.0
_BEGINS = re.compile(r"^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d[.,]\d{3})")


def entries(text: str) -> Iterator[str]:
    r"""Yield the entries of a log: a line that begins with a time, and what follows up to the next.

    >>> list(entries("2019-05-24 18:00:00.345 ERROR a\n\tat b\n2019-05-24 18:00:01.345 ERROR c\n"))
    ['2019-05-24 18:00:00.345 ERROR a\n\tat b', '2019-05-24 18:00:01.345 ERROR c']
    """
    entry: list[str] = []
    for line in text.splitlines():
        if _BEGINS.match(line) and entry:
            yield "\n".join(entry)
            entry = []
        entry.append(line)
    if entry:
        yield "\n".join(entry)


def document(entry: str, host: str) -> dict[str, str]:
    """Return the document of an entry; its time is that of the entry, UTC."""
    begins = _BEGINS.match(entry)
    at = (
        f"{begins[1]}T{begins[2].replace(',', '.')}Z"
        if begins
        else time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    )
    return {"@timestamp": at, "host": host, "message": entry}


def main() -> None:
    """Ship what is new until killed; what could not be sent is sent again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", required=True)
    parser.add_argument("--index", required=True)
    parser.add_argument("--logs", required=True)
    given = parser.parse_args()
    sent: dict[Path, int] = {}
    while True:
        for path in sorted(Path(given.logs).glob("*/error-*.log")):
            data = path.read_bytes()[sent.get(path, 0) :]
            whole = data[: data.rfind(b"\n") + 1]
            if whole and _send(given.to, given.index, whole.decode("utf-8", "replace"), path.parent.name):
                sent[path] = sent.get(path, 0) + len(whole)
        time.sleep(_EVERY_S)


def _send(to: str, index: str, text: str, host: str) -> bool:
    create = json.dumps({"index": {}})
    body = "".join(f"{create}\n{json.dumps(document(entry, host))}\n" for entry in entries(text)).encode()
    request = urllib.request.Request(
        f"http://{to}/{index}/_bulk?refresh=true", body, {"Content-Type": "application/x-ndjson"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_ANSWER_S) as answer:  # noqa: S310
            return not json.load(answer)["errors"]
    except (urllib.error.URLError, OSError, ValueError):
        return False


if __name__ == "__main__":
    main()
