"""The worth of a server's idle times after its eviction policy was switched.

Each key has 24 bits: the second of its last use, or under a policy by frequency (LFU) 16 bits of the minute and 8 of a
counter. A switch of the policy leaves them as they are and reads them the other way, so that a key that was used while the
policy was LFU looks idle for up to 194 days. What was used since the switch has a true idle time again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_SECONDS: Final = 1 << 24
"""What the second of the last use is modulo."""
_MINUTES: Final = 1 << 16
"""What the minute of it is modulo."""
_COUNTER_BITS: Final = 8
_COARSE_MIN: Final = 2
"""Minutes by which the minute may be wrong: the idle time is in whole seconds, and the server reads its clock now and then."""


def may_be_of_lfu(idle_s: Any, now_ms: int, booted_ms: int) -> npt.NDArray[np.bool_]:
    """Return which idle times may be the minute of a use under LFU, in the server's life, that is read as seconds.

    Parameters
    ----------
    idle_s
        int64 array, or one number; seconds.
    now_ms, booted_ms
        When they were read, and when the server started, by its clock; milliseconds since 1970.
    """
    import numpy as np

    now_s = now_ms // 1000
    minute = ((now_s - np.asarray(idle_s)) % _SECONDS) >> _COUNTER_BITS
    ago = (now_s // 60 - minute + _COARSE_MIN) % _MINUTES
    found: npt.NDArray[np.bool_] = ago <= (now_s - booted_ms // 1000) // 60 + 2 * _COARSE_MIN
    return found
