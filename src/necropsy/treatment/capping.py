"""``cap-ttl`` from the address to the end, and back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from necropsy.treat.lifetimes.cap import Cap, Capped, GivenBack, undo_cap
from necropsy.treat.purge.control import Control, Knobs
from necropsy.treat.purge.journal import Journal, read_secret
from necropsy.treat.purge.stores import TreatmentError, opened
from necropsy.wire.redis.address import Address, parse_address

if TYPE_CHECKING:
    from necropsy.evidence.redis.options import LiveOptions
    from necropsy.treat.purge.batch import PurgeSource


def cap(
    address: Address,
    max_s: int,
    options: LiveOptions,
    *,
    journal: Path | None,
    journal_key: Path | None = None,
    by: str = "auto",
    report: Callable[[Capped], None] | None = None,
) -> Capped:
    """Shorten what lives longer than ``max_s`` from now on; without a journal, count it.

    Parameters
    ----------
    by
        Where keys and values come from: ``snapshot``, ``dump``, or ``auto``.

    Raises
    ------
    JournalError, TreatmentError, UnreadableSource
    """
    from necropsy.treatment.snapshot import choose_source
    from necropsy.treatment.sources import Scanned

    with opened(address) as store:
        written = None
        if journal is not None:
            facts = {
                "kind": "cap-ttl",
                "max_s": max_s,
                "address": address.masked,
                "db": -1 if address.db is None else address.db,
                "identities": sorted(store.identities),
                "server": store.primaries[0].product,
                "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            written = Journal.create(journal, facts, read_secret(journal_key) if journal_key else None)
        try:
            control = Control(Knobs(options.max_impact_s))
            with control.signals():
                source: PurgeSource = Scanned(address, options)
                if journal is not None:
                    source, _ = choose_source(by, address, store, journal, options)
                return Cap(store, source, written, control, max_s, report).run()
        finally:
            if written is not None:
                written.close()


def undo(
    folder: Path, *, redis: Address | None, journal_key: Path | None = None, other_store: bool = False
) -> GivenBack:
    """Take a shortening back.

    Parameters
    ----------
    other_store
        The store is another one on purpose, or was restarted: who has not the expiry that it was given stays as it is.

    Raises
    ------
    JournalError, TreatmentError, UnreadableSource
    """
    journal = Journal.open(folder, read_secret(journal_key) if journal_key else None)
    try:
        if journal.header.get("kind") != "cap-ttl":
            raise TreatmentError(f"{folder}: not a journal of cap-ttl", hint=f"necropsy purge --undo {folder}")
        journal.load()
        with opened(redis or parse_address(journal.header["address"])) as store:
            if not other_store:
                store.require_same(
                    journal.header["identities"], "--other-store gives lifetimes back to it all the same."
                )
            control = Control(Knobs())
            with control.signals():
                return undo_cap(journal, store, control)
    finally:
        journal.close()
