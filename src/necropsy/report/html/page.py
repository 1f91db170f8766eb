"""The report as one HTML page that shows who did it before anything else.

The page asks the network for nothing, and its Content-Security-Policy would not let it: scripts run only if their hash
is in the policy, so that markup smuggled in through a User-Agent stays text even if an escape were forgotten.
"""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import resources
from json import dumps
from typing import TYPE_CHECKING, Any, Final

from necropsy.model.figures import several
from necropsy.model.report import Report
from necropsy.report.escaping import inert, inert_block
from necropsy.report.figures import a_day, count, duration, interval, moment, percent, size
from necropsy.report.html.charts import Gallery, galleries
from necropsy.report.terminal import footer
from necropsy.report.wording import completeness, sentences

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_SCRIPTS: Final = ("palette.js", "charts.js", "page.js")
"""Our own scripts, in the order in which they are put together."""
_STYLES: Final = ("fonts/fonts.css", "page.css", "parts.css", "print.css")
_LIBRARY: Final = "echarts/echarts.common.min.js"


def render(report: Report) -> str:
    """Render the report as one self-contained HTML page.

    Returns
    -------
    str
        The page; identical for identical reports. About 0.9 MB, most of it the chart library and two fonts; the
        library is left out when there is nothing to draw.
    """
    hung = galleries(report)
    own = "(() => {\n'use strict';\n" + "\n".join(asset(name) for name in _SCRIPTS) + "})();\n"
    scripts = [own] if not hung else [asset(_LIBRARY), own]
    page = (
        environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            verdict=report.verdict,
            galleries=hung,
            policy=_policy(scripts),
            styles=[asset(name) for name in _STYLES],
            scripts=scripts,
            data=_data(hung),
        )
    )
    return page.rstrip("\n") + "\n"


def environment() -> Environment:
    """Return the templates of this package: everything that they show is escaped and made inert."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(lambda name: _text(f"templates/{name}")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,
    )
    environment.globals.update(completeness=completeness, sentences=sentences, population=footer.population)
    environment.filters.update(
        a_day=a_day,
        amount=count,
        breakable=_breakable,
        duration=duration,
        glued=_glued,
        moment=moment,
        percent=percent,
        size=size,
    )
    environment.globals.update(interval=interval, several=several)
    return environment


def _harmless(value: Any) -> Any:
    """Make what the template's expressions say inert; jinja2 escapes what comes out of here.

    Whatever is no number and not the template's own markup counts as text from outside, also an object that is shown
    through its ``__str__``.
    """
    from markupsafe import Markup

    return value if isinstance(value, (Markup, int, float)) else inert_block(str(value))


def _breakable(text: object) -> Markup:
    """Let a path or a name be broken where a reader would break it, rather than before its line number."""
    from markupsafe import Markup

    return Markup("<wbr>").join(re.split(r"(?<=[/_])(?=[^/_])", inert(str(text))))  # join escapes the parts


def _glued(text: str) -> str:
    """Keep a number, its percent sign and the sign before it on one line."""
    return re.sub(r"(?<=\d) (?=%)|(?<=[<>~]) (?=\d)", "\u00a0", text)


def _data(hung: list[Gallery]) -> str:
    """Give the charts' data as JSON that cannot end its script element and is safe in any encoding."""
    pictures = {
        picture.id: {"kind": picture.kind, **picture.data}
        for gallery in hung
        for picture in (*gallery.wide, *gallery.small)
    }
    text = dumps(pictures, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _policy(scripts: list[str]) -> str:
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; font-src data:; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def asset(name: str) -> str:
    """Return the text of a packaged style or script."""
    return _text(f"assets/{name}")


def _text(name: str) -> str:
    # Line ends are made equal: a browser hashes a script after it has done the same.
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8").replace("\r\n", "\n")
