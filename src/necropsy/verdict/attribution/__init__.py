"""Attribution: who made which births. One model in place of a sequence of rules; ``attribute`` is the one way in."""

from necropsy.verdict.attribution.conductor import attribute

__all__ = ["attribute"]
