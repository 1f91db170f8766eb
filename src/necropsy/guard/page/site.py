"""The addresses of the page. Nothing can be triggered from it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from necropsy.guard.page import view
from necropsy.guard.page.live import LiveFigures
from necropsy.guard.web import Request, Response, Route

_HTML: Final = "text/html; charset=utf-8"
_META_POLICY: Final = re.compile(r'http-equiv="Content-Security-Policy" content="([^"]+)"')


class StatusPage:
    """The page, its report and its stream.

    Parameters
    ----------
    state
        What there is to show now.
    report
        The last report as HTML, packed by zlib; empty before the first look.
    """

    def __init__(self, state: Callable[[], view.PageState], report: Callable[[], bytes], live: LiveFigures) -> None:
        self._state = state
        self._report = report
        self._live = live

    def routes(self) -> dict[str, Route]:
        """Return the routes of the site."""
        return {
            "/": lambda _: Response(
                view.render(self._state()), _HTML, headers={"Content-Security-Policy": view.POLICY}
            ),
            "/guard.css": lambda _: Response(view.style(), "text/css; charset=utf-8"),
            "/guard.js": lambda _: Response(view.script(), "text/javascript; charset=utf-8"),
            "/report": self._show_report,
            "/events": self._events,
        }

    def _show_report(self, _: Request) -> Response:
        packed = self._report()
        if not packed:
            return Response("No examination has finished yet.\n", status=HTTPStatus.NOT_FOUND)
        html = zlib.decompress(packed).decode()
        return Response(html, _HTML, headers={"Content-Security-Policy": report_policy(html)})

    def _events(self, _: Request) -> Response:
        stream = self._live.stream()
        if stream is None:
            return Response("Too many viewers of this page.\n", status=HTTPStatus.SERVICE_UNAVAILABLE)
        return Response("", "text/event-stream", stream=stream)


def report_policy(html: str) -> str:
    """Return the policy that the report names itself, and that this page alone may frame it.

    >>> report_policy('<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;">')
    "default-src 'none'; frame-ancestors 'self'"
    """
    said = _META_POLICY.search(html)
    own = said[1].replace("&#39;", "'").replace("&amp;", "&") if said else "default-src 'none'"
    return f"{own}; frame-ancestors 'self'"
