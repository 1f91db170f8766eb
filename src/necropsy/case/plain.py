"""What ``siphash`` needs of Cython when it runs uncompiled: to know that it does."""

from __future__ import annotations

compiled = False
