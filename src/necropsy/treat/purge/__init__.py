"""The purge: plan, journal, compare-and-delete, undo.

::

    selection   what ``--where`` means, as a condition over the case's sessions
    plan        the sealed plan: keyed hashes of the chosen sessions, the rules, the store it is for
    judge       one batch of keys: which of the chosen sessions may go now, and why the others stay
    watch       what was touched since it was read, and deletion under WATCH
    scripts     what runs on the server: fetch, compare-and-delete
    expected    sessions that may go, with the other keys that belong to them
    stores      connections that can write: to a server, behind a Sentinel, to a Cluster's primaries
    payload     DUMP payloads: built from a snapshot's bytes, and read without a server
    frames      the journal's file: frames, each synced, each sealed with those before it
    journal     what the frames hold: sessions as they were, outcomes, what an undo brought back
    throttle    when to rest, and what it is that asks for it
    control     signals and the control file
    apply       the purge itself
    undo        the way back
"""
