"""Kinds of trouble with a session store that errors in an application's log tell of."""

from __future__ import annotations

from enum import StrEnum


class StoreTrouble(StrEnum):
    """Kinds of trouble with a store, as its clients see it; most telling first: what the server itself answered leads."""

    FULL = "full"
    """The store is at its memory limit and refuses writes."""
    LOADING = "loading"
    """The store was started and still reads its dump."""
    CANNOT_SAVE = "cannot-save"
    """The store cannot write its dump, and refuses writes for it."""
    CONNECTIONS = "connections"
    """The store has as many clients as it may have, and refuses another."""
    READ_ONLY = "read-only"
    """The application writes to a replica, or too few replicas are there for a write."""
    CLUSTER_DOWN = "cluster-down"
    """Part of a cluster, or the master of a replica, is away."""
    BUSY = "busy"
    """A script or function holds the store."""
    LOGIN = "login"
    """The store refuses the login or the command."""
    POOL = "pool"
    """The application's own connection pool had no connection left."""
    SLOW = "slow"
    """A command or a connection attempt got no answer in time."""
    LOST = "lost"
    """There was no connection, or it broke."""
    ERROR = "error"
    """The store's client failed; the log does not say with what."""
    UNCLEAR = "unclear"
    """The line names the store and an error; no client that is known here writes it that way."""

    @property
    def rank(self) -> int:
        """Place in the order above, from 0."""
        return _ORDER.index(self)


_ORDER = tuple(StoreTrouble)
