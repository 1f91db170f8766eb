"""Access logs as nginx wrote them on that day, one JSON object a line; the format is that of ``configuration``.

A line (wrapped here)::

    {"@timestamp":"2019-05-24T18:41:34+00:00","remote_addr":"","host":"172.12.1.189:80",
     "request":"GET / HTTP/1.1","status": "302","body_bytes_sent":"0","request_time":"0.010",
     "http_referrer":"","http_user_agent":"Go-http-client/1.1"}
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from necropsy.lab.events import LoggedRequest

_ROTATED: Final = "access.log-20190524.gz"


def line(request: LoggedRequest) -> str:
    """Return one line of the log, without its end.

    >>> line(LoggedRequest(1558723294137, "localhost", "GET /health HTTP/1.1", 200, 6, 1, "", "Consul Health Check"))[:57]
    '{"@timestamp":"2019-05-24T18:41:34+00:00","remote_addr":"'
    """
    return (
        f'{{"@timestamp":"{_second(request.ended_ms // 1000)}","remote_addr":"","host":"{request.host}",'
        f'"request":"{request.line}","status": "{request.status}","body_bytes_sent":"{request.size}",'
        f'"request_time":"{request.duration_ms / 1000:.3f}","http_referrer":"{request.referrer}",'
        f'"http_user_agent":"{request.user_agent}"}}'
    )


def write(folder: Path, requests: Iterable[LoggedRequest], span: tuple[int, int], rotated_at: int | None) -> list[Path]:
    """Write the requests answered in ``span`` (Unix milliseconds, start excluded) in their order; return the files.

    Parameters
    ----------
    rotated_at
        Unix milliseconds at which the log was rotated and compressed; None: it was not.
    """
    within = sorted((r for r in requests if span[0] < r.ended_ms <= span[1]), key=lambda r: (r.ended_ms, r))
    files = [folder / "access.log"]
    if rotated_at is not None:
        old = "".join(f"{line(r)}\n" for r in within if r.ended_ms < rotated_at)
        within = [r for r in within if r.ended_ms >= rotated_at]
        files.insert(0, folder / _ROTATED)
        files[0].write_bytes(gzip.compress(old.encode(), compresslevel=6, mtime=rotated_at // 1000))
    with files[-1].open("w", encoding="utf-8", newline="\n") as log:
        log.writelines(f"{line(r)}\n" for r in within)
    return files


@lru_cache(maxsize=8)  # lines come in order of time
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
