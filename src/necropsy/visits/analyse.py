"""The order in which the steps are taken, by whatever engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from necropsy.rhythm import periods
from necropsy.visits import redirect_chains, redirect_pairs
from necropsy.visits.tables import BARE, BLOCK, CHAIN, FOLLOWER, GUESS, RHYTHM, arrow_schema
from necropsy.visits.visit_blocks import Blocks, choose

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from necropsy.visits.engines.interface import Engine

CLASSES: Final = 10_000
"""Classes that are kept apart although they have no rhythm; and as many again by everything but the client."""
CLIENTS: Final = 5_000
"""Clients that are kept apart by their cookies: those that were given the most without bringing any."""

VISITS: Final = 1_000_000
"""Visits of one log that are kept one by one."""

CHILDREN: Final = 50
"""Names that one path keeps below it, most frequent first; the others are folded."""
_DEEPEST: Final = 11
"""Segments of a page at most, the empty one before its first slash and the dots at its end counted."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """The aggregates of a log."""

    classes: pa.Table
    """Step ``summed``."""
    texts: pa.Table
    """Texts behind the keys of those: ``key``, ``text``."""
    bins: pa.Table | None
    """Step ``bins``; None where nobody wants it."""
    visits: pa.Table | None
    """Step ``started``: visits one by one, of the stretches of time in ``blocks``; None where nobody wants them."""
    blocks: Blocks | None
    clients: pa.Table | None
    """Steps ``cookie_kept`` and ``cookie_rest`` (whose keys are null); None where the log does not tell of cookies."""
    client_texts: pa.Table | None


def analyse(
    engine: Engine, *, slack_us: int, bins: bool = True, visits_between: tuple[int, int] | None = None
) -> Analysis:
    """Make visits of lines, classes of visits, and judge their rhythms.

    Parameters
    ----------
    engine
        Has the tables ``line`` and ``given``.
    slack_us
        Microseconds after a redirect within which the same client's next page counts as its continuation.
    bins
        Whether to count visits by minute, too.
    visits_between
        First and last microsecond of the log, to have its visits one by one, too.
    """
    fold_rare_children(engine)
    find_visits(engine, slack_us)
    clients, client_texts = _clients(engine)
    make_classes(engine)
    judge_rhythms(engine)
    for step in ("kept", "overflow_class"):
        engine.create(step, classes=CLASSES)
    engine.create("folded")
    find_bare_pages(engine)
    for step in ("summed", "class_texts", *(["bins"] if bins else [])):
        engine.create(step)
    counted = engine.fetch("bins") if bins else None
    visits, blocks = _visits(engine, visits_between) if visits_between else (None, None)
    return Analysis(engine.fetch("summed"), engine.fetch("class_texts"), counted, visits, blocks, clients, client_texts)


def _visits(engine: Engine, between: tuple[int, int]) -> tuple[pa.Table, Blocks]:
    """Fetch visits one by one, of as many stretches of time as the limit allows."""
    import pyarrow as pa

    engine.create("busy")
    blocks = choose(engine.fetch("busy"), *between, VISITS)
    engine.upload("block", pa.table({"block": blocks.block}, schema=arrow_schema(BLOCK)))
    engine.create("started")
    return engine.fetch("started"), blocks


def fold_rare_children(engine: Engine) -> None:
    """Make ``page`` of the lines."""
    engine.create("counted")
    make_pages(engine)


def make_pages(engine: Engine) -> None:
    """Make ``page`` of ``counted``: where a path has very many children, the rare ones lose their names, from the top down."""
    engine.create("asked")
    if engine.value("paths") > CHILDREN:
        for depth in range(2, _DEEPEST + 1):
            if engine.value("crowded_paths", depth=depth, children=CHILDREN):
                engine.create("pruned_paths", depth=depth, children=CHILDREN)
    engine.create("page")
    engine.drop("counted", "asked")


def find_visits(engine: Engine, slack_us: int) -> None:
    """Make ``follower`` and ``chain``: which lines belong to the visit that another line began."""
    engine.create("redirect_candidates", slack_us=slack_us)
    if engine.value("redirects"):
        engine.create("host")
        engine.create("hop")
        _pair(engine, "by_referer", "first_pair", by_referer(slack_us))
        engine.create("unpaired")
        _pair(engine, "by_host", "second_pair", by_host(slack_us))
        chain_pairs(engine)
        engine.drop("host", "hop", "keyed", "guess", "pair_count", "typical_pair", "bystander", "ambiguous")
        engine.drop("confirmed_pair", "first_pair", "second_pair", "pair")
    else:
        nothing_followed(engine)
    engine.drop("redirect_candidates")


def by_referer(slack_us: int) -> redirect_pairs.Pairing:
    """Pair lines by the page that the follower's Referer names: the first round."""
    return redirect_pairs.Pairing(slack_us, named=True)


def by_host(slack_us: int) -> redirect_pairs.Pairing:
    """Pair lines by their host: the second round."""
    return redirect_pairs.Pairing(slack_us, named=False)


def chain_pairs(engine: Engine) -> None:
    """Make ``follower`` and ``chain`` of the pairs of both rounds."""
    engine.create("pair")
    engine.map_groups("follower", redirect_chains.followers, "pair", "flow", FOLLOWER)
    engine.create("chain")


def nothing_followed(engine: Engine) -> None:
    """Make ``follower`` and ``chain`` of a log without redirects."""
    for name, columns in (("follower", FOLLOWER), ("chain", CHAIN)):
        engine.upload(name, arrow_schema(columns).empty_table())


def _pair(engine: Engine, keyed: str, pair: str, pairing: redirect_pairs.Pairing) -> None:
    """Run one round."""
    guess_pairs(engine, keyed, pairing)
    engine.create("typical_pair")
    settle_pairs(engine, pair, pairing, again=bool(engine.value("coincidences")))


def guess_pairs(engine: Engine, keyed: str, pairing: redirect_pairs.Pairing) -> None:
    """Make ``keyed``, ``guess`` and ``pair_count``: pairs by their order alone."""
    engine.create(keyed)
    engine.map_groups("guess", pairing, "keyed", "key", GUESS)
    engine.create("pair_count")


def settle_pairs(engine: Engine, pair: str, pairing: redirect_pairs.Pairing, *, again: bool) -> None:
    """Make the pairs of a round of those that are typical; again without passers-by, if some guesses are coincidence."""
    if again:
        # Once more without the passers-by: only redirects, and pages that redirects of this log lead to.
        for step in ("bystander", "ambiguous", "confirmed_pair", "retried"):
            engine.create(step)
        engine.map_groups("guess", pairing, "keyed", "key", GUESS)
        engine.create("merged_pairs")
    engine.create(pair)


def _clients(engine: Engine) -> tuple[pa.Table | None, pa.Table | None]:
    """Sum up who was given cookies and brought them back."""
    import pyarrow as pa

    if not engine.value("telling"):
        return None, None
    engine.create("cookie_client")
    engine.create("cookie_kept", clients=CLIENTS)
    engine.create("cookie_rest")
    engine.create("cookie_texts")
    rows = [engine.fetch(step) for step in ("cookie_kept", "cookie_rest")]
    return pa.concat_tables(rows, promote_options="permissive"), engine.fetch("cookie_texts")


def make_classes(engine: Engine) -> None:
    """Make ``visit``, ``classes`` and ``redirect_target``."""
    for step in ("visit", "classes", "redirect_target"):
        engine.create(step)


def find_bare_pages(engine: Engine) -> None:
    """Make ``bare``: pages that have no body."""
    if engine.value("unanswered"):
        engine.create("shown")
        engine.create("bare")
    else:
        no_bare_pages(engine)


def no_bare_pages(engine: Engine) -> None:
    """Make ``bare`` of a log that tells of no page without a body."""
    engine.upload("bare", arrow_schema(BARE).empty_table())


def judge_rhythms(engine: Engine) -> None:
    """Make ``rhythm``: one row for each class that comes at a fixed interval."""
    among = engine.value("frequent_classes", fewest=periods.FEWEST)
    engine.create("judged", fewest=periods.fewest(among))
    engine.map_groups("rhythm", Rhythms(among), "judged", "class_key", RHYTHM)
    engine.drop("judged")


@dataclass(frozen=True, slots=True)
class Rhythms:
    """The rhythms that are believed, among so many classes; a function of ``class_key`` and ``time_us``."""

    among: int

    def __call__(self, visits: pa.Table) -> pa.Table:
        """Judge all visits of some classes."""
        import pyarrow as pa

        found = periods.find(visits["class_key"].to_numpy(), visits["time_us"].to_numpy(), among=self.among)
        return pa.table(
            {
                "class_key": found.class_id,
                "period_s": found.period_s,
                "phase_s": _known(found.phase_s),
                "phase_spread_s": _known(found.phase_spread_s),
                "coverage": found.coverage,
                "probers": found.probers,
            }
        )


def _known(values: NDArray[np.float64]) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    return pa.array(values, mask=np.isnan(values))
