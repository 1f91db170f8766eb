"""Kinds of trouble with a store: their names, meanings and remedies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from necropsy.model.store_trouble import StoreTrouble


@dataclass(frozen=True, slots=True)
class Words:
    """One kind of trouble, in words."""

    short: str
    """For a list, beside the class of the error."""
    title: str
    """Beginning of the finding's title; "12 times" follows."""
    meaning: str
    """Its meaning for the store; begins with a small letter, ends without a full stop."""
    remedy: str
    """Title of the remedy."""
    steps: str
    """Advice, in whole sentences."""


_COMPARE: Final = "Compare the times with the store's memory and latency. A longer client timeout hides the problem."

WORDS: Final[dict[StoreTrouble, Words]] = {
    StoreTrouble.FULL: Words(
        "the store is at its memory limit",
        "The store was at its memory limit and refused writes",
        "the store was at its memory limit (maxmemory) and its policy allowed no eviction, so it refused writes; it"
        " was not slow",
        "Find what fills the store; raise maxmemory only for tonight",
        "Look at `INFO memory` and `CONFIG GET maxmemory*`: the limit, and the policy (noeviction refuses every write;"
        " volatile-* evicts only keys with a TTL).",
    ),
    StoreTrouble.LOADING: Words(
        "the store was reading its dump",
        "The store had just been started and was still reading its dump",
        "the store had been restarted and was still reading its dump",
        "Find out why the store was restarted",
        "Look at the store's own log and at the machine's (`dmesg`: was it killed for lack of memory?).",
    ),
    StoreTrouble.CANNOT_SAVE: Words(
        "the store cannot save",
        "The store could not save its dump and refused writes",
        "the store could not write its dump, and refuses writes until it can (stop-writes-on-bgsave-error)",
        "Make room for the store's dump",
        "Look at `INFO persistence`, at free space on its disk, and at memory for its fork (vm.overcommit_memory).",
    ),
    StoreTrouble.CONNECTIONS: Words(
        "too many clients",
        "The store had reached its limit of clients and refused more",
        "the store had reached maxclients",
        "Find who holds the connections",
        "Look at `CLIENT LIST` and `CONFIG GET maxclients`: connections leak, or pile up behind slow answers.",
    ),
    StoreTrouble.READ_ONLY: Words(
        "the store accepts no writes",
        "The application wrote to a store that accepts no writes",
        "the application wrote to a replica, or to a master without enough replicas",
        "Point the application at the master",
        "Look at `INFO replication` on the address that the application uses: was there a failover?",
    ),
    StoreTrouble.CLUSTER_DOWN: Words(
        "the cluster or the master is down",
        "The store's cluster or master was down",
        "part of the cluster, or the master, could not be reached",
        "Bring the missing nodes back",
        "Look at `CLUSTER INFO` and `CLUSTER NODES`, or at Sentinel's `SENTINEL MASTERS`.",
    ),
    StoreTrouble.BUSY: Words(
        "a script blocks the store",
        "A script blocked the store",
        "a script or function blocked the store, and no other client was answered",
        "Find the script",
        "Look at `SLOWLOG GET 20`; `SCRIPT KILL` ends a script that has written nothing yet.",
    ),
    StoreTrouble.LOGIN: Words(
        "the store refuses the login",
        "The store refused the application's login",
        "the password, the user or its permissions are wrong; the store is not slow",
        "Compare the application's credentials with the store's",
        "Look at `ACL LOG` and at what was deployed at the first of these times.",
    ),
    StoreTrouble.SLOW: Words(
        "no answer in time",
        "The application gave up on its store",
        "a command or a connection attempt was not answered in time",
        "Fix the cause; restarting the store only buys time",
        _COMPARE,
    ),
    StoreTrouble.POOL: Words(
        "no connection left in the application's pool",
        "The application's pool ran out of connections to its store",
        "all connections of the application's own pool were in use: it sends requests faster than the store answers,"
        " or does not return connections",
        "Find out what holds the connections before you enlarge the pool",
        "Compare the pool's size with requests per second times the store's latency; look for connections that are"
        " never returned.",
    ),
    StoreTrouble.LOST: Words(
        "no connection",
        "The application had no connection to its store",
        "there was no connection to the store, or it broke",
        "Find out whether the store was down or could not be reached",
        "Compare the times with the store's start (`INFO server`), with failovers and with the network in between.",
    ),
    StoreTrouble.ERROR: Words(
        "the store's client failed",
        "The application's client of the store failed",
        "the store's client failed; the log does not say why",
        "Read these entries in full",
        "Read the entries' messages: this error class has many causes.",
    ),
    StoreTrouble.UNCLEAR: Words(
        "not a known client error",
        "The application's log names its store in errors",
        "entries name the store and an error, in words that no known client uses",
        "Read these entries in full",
        "Read the entries' messages: the error class alone does not say more.",
    ),
}
"""Words for every kind."""
