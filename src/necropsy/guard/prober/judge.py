"""Whether the last answer of a probe is a success: in blackbox' order, where what comes later is not judged after a failure."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from necropsy.guard.prober import cel
from necropsy.guard.prober.answer import Answer
from necropsy.guard.prober.module import HeaderRule, HttpModule
from necropsy.guard.prober.result import Result

_CHUNK: Final = 1 << 14
_NOT_READ: Final = "the body of a redirect that is not followed is not read"


def judge(module: HttpModule, result: Result, *, is_read: bool) -> None:
    """Judge the answer of a result; the first reason stays.

    Parameters
    ----------
    is_read
        False: it is a redirect that was not followed, whose body blackbox does not read.
    """
    answer = result.answer
    reasons: list[str] = []
    valid = answer.status in module.valid_status_codes if module.valid_status_codes else 200 <= answer.status < 300
    if not valid:
        reasons.append(f"status {answer.status}")
    elif module.header_matches or module.header_not_matches:
        reasons += _by_headers(module, answer)
        result.failed_by_regexp = bool(reasons)
    body, problem = _unpacked(answer, module) if is_read else (b"", "")
    result.uncompressed_length = len(body) if module.reads_body or not is_read else answer.size
    problem = answer.problem or problem
    if not is_read and (
        module.compression == "gzip" or module.has_cel or module.body_matches or module.body_not_matches
    ):
        problem = _NOT_READ
    if problem and module.compression == "gzip" and not body:  # nothing of it can be read: no expression is asked
        reasons.append(problem)
    if not reasons and (module.body_matches or module.body_not_matches):
        reasons += [problem] if problem else _by_body(module, body)
        result.failed_by_regexp = bool(reasons)
    if not reasons and module.has_cel:
        reasons += [problem] if problem else _by_cel(module, body)
        result.failed_by_cel = bool(reasons)
    reasons += [problem] if problem else []
    if module.valid_http_versions and f"HTTP/{answer.version:.1f}" not in module.valid_http_versions:
        reasons.append(f"HTTP/{answer.version:.1f} is not among {', '.join(module.valid_http_versions)}")
    if result.ssl and module.fail_if_ssl:
        reasons.append("the last response came over TLS")
    if not result.ssl and module.fail_if_not_ssl:
        reasons.append("the last response did not come over TLS")
    result.reason = result.reason or (reasons[0] if reasons else "")


def _by_headers(module: HttpModule, answer: Answer) -> list[str]:
    """Why headers fail; a missing one does under both rules, unless it may be missing."""
    return [
        *_headers(module.header_matches, answer, wanted=False),
        *_headers(module.header_not_matches, answer, wanted=True),
    ]


def _headers(rules: tuple[HeaderRule, ...], answer: Answer, *, wanted: bool) -> Iterator[str]:
    for rule in rules:
        values = answer.all(rule.header.lower())
        if not values:
            if not rule.allow_missing:
                yield f"header {rule.header} is missing"
        elif any(_found(rule.regexp, value) for value in values) != wanted:
            yield f"header {rule.header} {'does not match' if wanted else 'matches'} {rule.regexp!r}"


def _by_body(module: HttpModule, body: bytes) -> list[str]:
    text = body.decode("utf-8", "replace")
    reasons = [f"the body matches {pattern!r}" for pattern in module.body_matches if _found(pattern, text)]
    return reasons + [f"the body does not match {p!r}" for p in module.body_not_matches if not _found(p, text)]


def _by_cel(module: HttpModule, body: bytes) -> list[str]:
    reasons = []
    for expression, wanted in ((module.json_matches, False), (module.json_not_matches, True)):
        said = cel.verdict(expression, body) if expression else wanted
        if isinstance(said, str):
            reasons.append(said)
        elif said != wanted:
            reasons.append(f"the body {'does not match' if wanted else 'matches'} the CEL expression {expression!r}")
    return reasons


def _found(pattern: str, text: str) -> bool:
    import re2

    return re2.search(pattern, text) is not None


def _unpacked(answer: Answer, module: HttpModule) -> tuple[bytes, str]:
    """Return the body as it is judged, no longer than the limit, and what is wrong with it.

    It is taken to be packed as the module says, whatever the answer says, as blackbox does.
    """
    kind, limit, packed = module.compression, module.body_size_limit, answer.body
    if kind in ("", "identity"):
        return packed, ""
    try:
        body, is_whole = (_brotli if kind == "br" else _inflated)(packed, kind, limit)
    except (zlib.error, ValueError):
        return b"", f"the body is not packed by {kind}"
    if limit and len(body) > limit:
        return body[:limit], f"the body is larger than {limit:,} bytes"
    return body, "" if is_whole else f"the body, packed by {kind}, is cut short"


def _inflated(packed: bytes, kind: str, limit: int) -> tuple[bytes, bool]:
    """Unpack gzip, of one or more members, or bare deflate (RFC 1951), one byte past the limit at most."""
    pieces, size, rest = [], 0, packed
    while True:
        unpacker = zlib.decompressobj(31 if kind == "gzip" else -15)
        pieces.append(unpacker.decompress(rest, limit + 1 - size) if limit else unpacker.decompress(rest))
        size += len(pieces[-1])
        rest = unpacker.unused_data
        if not unpacker.eof or not rest or kind != "gzip" or (limit and size > limit):
            return b"".join(pieces), unpacker.eof or bool(limit and size > limit)


def _brotli(packed: bytes, _: str, limit: int) -> tuple[bytes, bool]:
    import brotli

    unpacker, pieces, size = brotli.Decompressor(), [], 0
    for at in range(0, len(packed), _CHUNK):
        try:
            pieces.append(unpacker.process(packed[at : at + _CHUNK]))
        except brotli.error as error:
            raise ValueError(str(error)) from error
        size += len(pieces[-1])
        if limit and size > limit:
            return b"".join(pieces), True
    return b"".join(pieces), bool(unpacker.is_finished())
