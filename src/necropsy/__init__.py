"""An autopsy for Redis-backed session stores."""

__version__ = "0.1.0"
