"""An autopsy for Redis-backed session stores."""

from necropsy._internal.compiled import use_all_or_none

__version__ = "0.1.0"

use_all_or_none()
