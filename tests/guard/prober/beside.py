"""The real blackbox exporter and ours, asked the same: helpers of the tests that compare them."""

from __future__ import annotations

import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from necropsy.guard.prober.births import ProbedBirths
from necropsy.guard.prober.site import ProbeSite
from necropsy.guard.web import Site, serve
from necropsy.wire.redis.address import Address
from waiting import wait_until

OURS = {"probe_http_set_cookies", "probe_http_session_started", "probe_http_redirected_to_login"}
TIMES = re.compile(r"probe_(duration|dns_lookup_time|http_duration)_seconds")
Requests = list[tuple[str, dict[str, str]]]


@contextmanager
def prober(folder: Path, *stores: tuple[str, Address], **policies: str) -> Iterator[str]:
    answering = ProbeSite(folder / "blackbox.yml", policies, None, lambda _: None, stores)
    server = serve("127.0.0.1:0", Site(answering.routes()))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        answering.close()


def settle(births: ProbedBirths) -> None:
    """Wait until the windows without a probe are taken: a probe that comes at once would fall into them."""
    wait_until(lambda: births.idle, "windows without probes")


def probed(exporter: str, module: str, target: str, **more: str) -> tuple[int, dict[str, str]]:
    asked = urlencode({"module": module, "target": target, **more})
    try:
        with urllib.request.urlopen(f"{exporter}/probe?{asked}", timeout=30) as answer:
            text = answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, {"": error.read().decode()}
    return 200, dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))


def differing(theirs: dict[str, str], ours: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """Return the samples that differ, times apart: both values, None where one has no such sample."""
    names = {name for name in (*theirs, *ours) if name.partition("{")[0] not in OURS and not TIMES.match(name)}
    return {name: (theirs.get(name), ours.get(name)) for name in sorted(names) if theirs.get(name) != ours.get(name)}


def halves(requests: Requests, *but: str) -> tuple[Requests, Requests]:
    """Return the requests of the first who asked and those of the second, some headers left out."""
    half = len(requests) // 2
    plain = [
        (where, {name: value for name, value in headers.items() if name not in but}) for where, headers in requests
    ]
    return plain[:half], plain[half:]
