"""Cures for an application that starts a session for every probe: one ``Cure`` a session layout, in its own module.

``treat`` and ``sessions/immortal`` read it through ``registry.cure``: no advice names another framework's property.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cure:
    """Two settings of one framework: no session for clients that never return the cookie, and a lifetime of hours."""

    framework: str
    """Name as its users write it: ``Express (express-session)``."""
    starts: str
    """The code that starts a session there, in one sentence."""
    stop: str
    """The change after which probes and bots start none, in one or two sentences."""
    code: str = ""
    """The change as code; empty when ``stop`` says it all."""
    language: str = ""
    """Language of the code, as Markdown's fences name it."""
    lifetime: str = ""
    """The setting of the idle lifetime, with a value of one day; empty when there is none."""
    beware: str = ""
    """A call of the framework's own that removes more than sessions; empty when there is none."""
    source: str = ""
    """Documentation or source file in which the settings are described."""
