"""Application logs in OpenSearch or Elasticsearch: the documents of an index within a time, as lines of JSON.

::

    opensearch://logs.example:9200/app-*?from=2019-05-24T18:00:00Z&to=2019-05-24T19:00:00Z
    elasticsearch+https://reader:password@logs.example:9243/admin-errors?time=timestamp

Both answer the same search API: a search that keeps a scroll open, then the scroll until it is empty. Asked by GET alone, as
everything that necropsy reads by HTTP; the scroll closes by itself a minute after its last answer. Tried against OpenSearch
2.19; of Elasticsearch (7 and 8) its documentation was followed. https://docs.opensearch.org/docs/latest/api-reference/scroll/

A document of the index, and the line that becomes of it::

    {"_index": "app", "_id": "1", "_source": {"@timestamp": "2019-05-24T18:12:40.345Z", "level": "ERROR", "message": "…"}}
    {"@timestamp": "2019-05-24T18:12:40.345Z", "level": "ERROR", "message": "…"}
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from necropsy._internal.masking import masked_address
from necropsy.model.errors import UnreadableSource
from necropsy.wire.http import HttpAnswer, get

_SCHEMES: Final = {
    "opensearch": "http",
    "opensearch+https": "https",
    "elasticsearch": "http",
    "elasticsearch+https": "https",
}
_OPTIONS: Final = frozenset({"from", "to", "time"})
_PAGE: Final = 1_000
_MOST: Final = 1_000_000
"""Documents that are read; the newest beyond are left, which is said."""
_KEPT: Final = "1m"
_TIMEOUT_S: Final = 60.0
_TIME_FIELD: Final = "@timestamp"


@dataclass(frozen=True, slots=True)
class IndexAddress:
    """The address of an index, and the documents that are wanted of it."""

    base: str
    """URL of the server, with user and password where there are any."""
    shown: str
    """The address as it may be shown."""
    index: str
    time: str
    """Field that holds the time of a document."""
    begin: str
    end: str
    """As the server understands times: ISO 8601, or its own ``now-1d``; empty: no limit."""


def is_address(locator: str) -> bool:
    """Whether a log is in a search engine.

    >>> is_address("opensearch://127.0.0.1:9200/app"), is_address("error.log")
    (True, False)
    """
    return locator.partition("://")[0].lower() in _SCHEMES


def shown(locator: str) -> str:
    """Return a locator without its password."""
    return masked_address(locator) if is_address(locator) else locator


def parse(locator: str) -> IndexAddress:
    """Read an address.

    >>> parse("opensearch://logs:9200/app-*?from=now-1d").index
    'app-*'

    Raises
    ------
    UnreadableSource
        No host, no index, or an option that there is not.
    """
    scheme, _, rest = locator.partition("://")
    try:
        parts = urlsplit(f"{_SCHEMES[scheme.lower()]}://{rest}")
        there = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        there = False
    hint = f"Write it like {scheme.lower()}://HOST:9200/INDEX?from=2019-05-24T18:00:00Z&to=2019-05-24T19:00:00Z."
    if not there:
        raise UnreadableSource(f"{shown(locator)}: not the address of a search engine", hint=hint)
    index = unquote(parts.path.strip("/"))
    if not index or "/" in index:
        raise UnreadableSource(f"{shown(locator)}: it names no index", hint=hint)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(set(options) - _OPTIONS):
        raise UnreadableSource(
            f"{shown(locator)}: no option {unknown[0]}", hint=f"There are {', '.join(sorted(_OPTIONS))}."
        )
    return IndexAddress(
        base=f"{parts.scheme}://{parts.netloc}",
        shown=shown(locator),
        index=index,
        time=options.get("time") or _TIME_FIELD,
        begin=options.get("from", ""),
        end=options.get("to", ""),
    )


def fetch(address: IndexAddress, to: Path) -> list[str]:
    """Write the documents of an index, oldest first, each as one line of JSON.

    Returns
    -------
    list of str
        What is missing of them; empty when they are complete.

    Raises
    ------
    UnreadableSource
        Nobody there, no such index, refused, or no document within the time.
    """
    query = {"range": {address.time: {**({"gte": address.begin} if address.begin else {}),
                                      **({"lte": address.end} if address.end else {})}}}  # fmt: skip
    asked: dict[str, Any] = {
        "size": _PAGE,
        "query": query if address.begin or address.end else {"match_all": {}},
        "sort": [{address.time: {"order": "asc", "unmapped_type": "date"}}],
        "track_total_hits": True,
    }
    answer = _ask(address, f"/{quote(address.index, safe='*,-_.')}/_search?scroll={_KEPT}", asked)
    remarks = _shortfall(answer)
    read = 0
    with to.open("w", encoding="utf-8", newline="\n") as out:
        while hits := _hits(answer, address):
            for hit in hits:
                out.write(json.dumps(hit.get("_source") or {}, ensure_ascii=False) + "\n")
            read += len(hits)
            if read >= _MOST:
                remarks.append(f"more than {_MOST:,} documents: those after the first {read:,} were not read")
                break
            answer = _ask(address, "/_search/scroll", {"scroll": _KEPT, "scroll_id": answer.get("_scroll_id", "")})
    if not read:
        within = (
            f" between {address.begin or 'the beginning'} and {address.end or 'now'}"
            if query["range"][address.time]
            else ""
        )
        raise UnreadableSource(
            f"{address.shown}: no document{within}",
            hint=f"Is {address.time} the field of their time? Another one is named by ?time=FIELD.",
        )
    return remarks


def _ask(address: IndexAddress, path: str, asked: dict[str, Any]) -> dict[str, Any]:
    answer = get(
        address.base + path,
        headers={"Content-Type": "application/json"},
        timeout_s=_TIMEOUT_S,
        body=json.dumps(asked).encode(),
    )
    if answer.status >= 300:
        raise UnreadableSource(f"{address.shown}: {_refusal(answer)}", hint=_HINTS.get(answer.status, _HINT))
    try:
        made = json.loads(answer.text)
    except ValueError:
        made = None
    if not isinstance(made, dict) or not isinstance(made.get("hits"), dict):
        raise UnreadableSource(f"{address.shown}: it answers, but not as a search engine does", hint=_HINT)
    return made


_HINT: Final = "Check the address: it is that of OpenSearch or Elasticsearch, not of its dashboard."
_HINTS: Final = {
    400: "from and to are times such as 2019-05-24T18:00:00Z or now-1d.",
    401: "Give a user that may read the index: opensearch+https://USER:PASSWORD@HOST:9200/INDEX.",
    403: "The user needs the right to read the index, and to scroll.",
    404: "Check the name of the index; a pattern such as app-* is allowed.",
}


def _refusal(answer: HttpAnswer) -> str:
    """Return the error message of a search engine; its words may hold anything, so they are cut."""
    try:
        error = json.loads(answer.text)["error"]
        reason = error if isinstance(error, str) else (error.get("root_cause") or [error])[0].get("reason", "")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        reason = ""
    said = re.sub(r"\s+", " ", str(reason))[:200]
    return f"HTTP {answer.status}{f': {said}' if said else ''}"


def _hits(answer: dict[str, Any], address: IndexAddress) -> list[dict[str, Any]]:
    hits = answer["hits"].get("hits")
    if not isinstance(hits, list) or not all(isinstance(hit, dict) for hit in hits):
        raise UnreadableSource(f"{address.shown}: it answers, but not as a search engine does", hint=_HINT)
    return hits


def _shortfall(answer: dict[str, Any]) -> list[str]:
    """Say what the server itself left out."""
    shards = answer.get("_shards") or {}
    said = []
    if shards.get("failed"):
        said.append(f"{shards['failed']} of {shards.get('total', '?')} shards failed: their documents are missing")
    if answer.get("timed_out"):
        said.append("the search timed out: documents are missing")
    return said
