"""The order of the stages, and what is added up between them: by the steps of DuckDB's engine, in a database here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Protocol

from necropsy.visits import analyse
from necropsy.visits.engines.duckdb_engine import DuckdbEngine, whole_numbers
from necropsy.visits.partitioned import stages
from necropsy.visits.tables import BLOCK, GIVEN, arrow_schema
from necropsy.visits.visit_blocks import Blocks, choose

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.case.scratch import Scratch
    from necropsy.visits.partitioned.partition import Stage

_SUM, _MIN, _MAX = "sum({0})::BIGINT AS {0}", "min({0}) AS {0}", "max({0}) AS {0}"
_HOW: Final[Mapping[str, str]] = {
    **dict.fromkeys(("requests", "filled", "seen", "onward", "visits", "fine", "followed"), _SUM),
    **dict.fromkeys(("brought", "given", "renewed", "clients"), _SUM),
    **dict.fromkeys(("first_us", "number", "rest_key"), _MIN),
    **dict.fromkeys(("last_us", "most"), _MAX),
}
"""How columns of several partitions become one, by name; the others are keys."""


class Partitions(Protocol):
    """The partitions of a log, wherever they are."""

    def run(
        self, stage: Stage, given: Mapping[str, pa.Table], *, of: str, into: str | None = None
    ) -> dict[str, pa.Table]:
        """Run a stage on every partition; return what they say.

        Parameters
        ----------
        given
            Tables that each of them is given.
        of
            Whose tables they have: ``lines``, those of an earlier stage by its name, or ``lines+NAME``.
        into
            Name under which what they keep can be found.
        """


class Conductor:
    """Analyses a log whose lines are in partitions.

    Parameters
    ----------
    scratch
        Empty; for what is added up.
    counts
        What the reading said: see ``counting``.
    """

    def __init__(self, scratch: Scratch, partitions: Partitions, counts: Mapping[str, pa.Table], slack_us: int) -> None:
        self._scratch = scratch
        self._engine = DuckdbEngine(scratch)
        self._partitions = partitions
        self._counts = counts
        self._slack_us = slack_us

    def analyse(self, *, bins: bool, visits_between: tuple[int, int] | None) -> analyse.Analysis:
        """See ``visits.analyse``."""
        told = {name: sum(self._counts["told"][name].to_pylist()) for name in ("redirects", "cookies", "unanswered")}
        self._find_pages()
        said = self._find_pairs(
            redirects=told["redirects"] > 0, cookies=told["cookies"] > 0, visits=visits_between is not None
        )
        clients = self._clients(said) if told["cookies"] else None
        self._judge(said)
        self._bare(any_=told["unanswered"] > 0)
        self._engine.create("summed")
        counted, visits, blocks = self._visits(said, visits_between, bins=bins)
        client_texts = self._find_texts(cookies=clients is not None)
        texts = self._engine.fetch("class_texts")
        return analyse.Analysis(self._engine.fetch("summed"), texts, counted, visits, blocks, clients, client_texts)

    def _find_pages(self) -> None:
        self._add_up("counted", self._counts["counted"])
        self._scratch.connection.register("page_text", self._counts["page_text"])
        self._scratch.connection.register("host_text", self._counts["host_text"])
        self._scratch.run("CREATE TEMP TABLE given AS FROM page_text UNION ALL FROM host_text")
        analyse.make_pages(self._engine)
        self._scratch.run("CREATE TEMP TABLE redirect_candidates AS SELECT key AS host_key FROM host_text")
        self._engine.create("host")

    def _find_pairs(self, *, redirects: bool, cookies: bool, visits: bool) -> dict[str, pa.Table]:
        """Run the stages up to the classes; return what they said."""
        pages = self._fetch("page", "SELECT page_key, pattern_key, method_id, path FROM page")
        run, slack = self._partitions.run, self._slack_us
        said = run(stages.Guess(slack, redirects), pages | self._fetch("host"), of="lines", into="guess")
        typical: dict[str, pa.Table] = {}
        again, before = False, "lines"
        if redirects:
            typical, again = self._typical(said)
            said = run(stages.GuessAgain(slack, again), typical, of="guess", into="guess_again")
            typical, again = self._typical(said)
            before = "lines+guess_again"
        stage = stages.MakeClasses(slack, redirects, again, cookies, visits)
        return run(stage, pages | typical, of=before, into="make_classes")

    def _typical(self, said: Mapping[str, pa.Table]) -> tuple[dict[str, pa.Table], bool]:
        """Return the pairs of pages that are typical, and whether any other was seen."""
        self._add_up("pair_count", said["pair_count"])
        self._engine.create("typical_pair")
        return self._fetch("typical_pair"), bool(self._engine.value("coincidences"))

    def _clients(self, said: Mapping[str, pa.Table]) -> pa.Table:
        """Choose among the clients that the partitions kept apart; the others go to the rest."""
        import pyarrow as pa

        self._upload("cookie_client", said["cookie_kept"].drop_columns(["clients"]))
        self._engine.create("cookie_kept", clients=analyse.CLIENTS)
        self._engine.create("cookie_rest")
        parts = [said["cookie_rest"], self._fetch("cookie_rest")["cookie_rest"]]
        self._add_up("cookie_rest", pa.concat_tables(parts, promote_options="permissive"))
        rows = [self._engine.fetch(step) for step in ("cookie_kept", "cookie_rest")]
        return pa.concat_tables(rows, promote_options="permissive")

    def _judge(self, said: Mapping[str, pa.Table]) -> None:
        """Make ``kept``, ``folded`` and what they are made of."""
        import pyarrow as pa

        among = sum(said["frequent"]["classes"].to_pylist())
        self._upload("candidate", said["most"])
        order = f"ORDER BY visits DESC, number LIMIT {analyse.CLASSES}"
        most = self._fetch("most", f"SELECT class_key FROM candidate {order}")
        said = self._partitions.run(stages.JudgeClasses(among), most, of="make_classes")
        self._upload("rhythm", said["rhythm"])
        self._upload("most", most["most"])
        self._scratch.run("CREATE TEMP TABLE kept AS SELECT class_key FROM most UNION SELECT class_key FROM rhythm")
        for table, parts in (("classes", ("own", "crowd")), ("redirect_target", ("own_target", "crowd_target"))):
            self._add_up(table, pa.concat_tables([said[part] for part in parts], promote_options="permissive"))
        self._upload("line", said["standing"])
        self._engine.create("overflow_class", classes=analyse.CLASSES)
        self._engine.create("folded")

    def _bare(self, *, any_: bool) -> None:
        if any_:
            self._add_up("shown", self._counts["shown"])
            self._engine.create("bare")
        else:
            analyse.no_bare_pages(self._engine)

    def _visits(
        self, said: Mapping[str, pa.Table], between: tuple[int, int] | None, *, bins: bool
    ) -> tuple[pa.Table | None, pa.Table | None, Blocks | None]:
        """Count visits by minute, and fetch those of some stretches of time one by one."""
        import pyarrow as pa

        given = self._fetch("folded", "SELECT level, place, class_id FROM folded")
        blocks = None
        if between is not None:
            self._add_up("busy", said["busy"])
            blocks = choose(self._fetch("busy", "FROM busy ORDER BY block")["busy"], *between, analyse.VISITS)
            given |= {"block": pa.table({"block": blocks.block}, schema=arrow_schema(BLOCK))}
        if not bins and blocks is None:
            return None, None, None
        found = self._partitions.run(stages.CountVisits(bins, blocks is not None), given, of="make_classes")
        counted = started = None
        if bins:
            self._add_up("bins", found["bins"])
            counted = self._fetch("bins", "FROM bins ORDER BY cell")["bins"]
        if blocks is not None:
            self._upload("started", found["started"])
            started = self._fetch("started", "FROM started ORDER BY time_us, class_id, visitor_key")["started"]
        return counted, started, blocks

    def _find_texts(self, *, cookies: bool) -> pa.Table | None:
        """Make ``class_texts``; return the texts of the clients with cookies."""
        wanted = (
            "SELECT client_key AS key FROM summed WHERE level = 0 UNION SELECT agent_key FROM summed WHERE level <= 1"
        )
        if cookies:
            wanted += " UNION SELECT client_key FROM cookie_kept UNION SELECT agent_key FROM cookie_kept"
        said = self._partitions.run(stages.FindTexts(), self._fetch("wanted", wanted), of="guess")
        self._scratch.connection.register("found_text", said["given"].cast(arrow_schema(GIVEN)))
        self._scratch.run("INSERT INTO given FROM found_text")
        self._engine.create("class_texts")
        if not cookies:
            return None
        self._engine.create("cookie_texts")
        return self._engine.fetch("cookie_texts")

    def _fetch(self, name: str, query: str = "") -> dict[str, pa.Table]:
        rows = self._scratch.connection.sql(query or f"FROM {name}").to_arrow_table()
        return {name: rows.cast(whole_numbers(rows.schema))}

    def _upload(self, table: str, rows: pa.Table) -> None:
        self._engine.upload(table, rows)

    def _add_up(self, table: str, rows: pa.Table) -> None:
        """Make a table of the rows of all partitions, those of the same keys added up."""
        columns = ", ".join(_HOW[name].format(name) if name in _HOW else name for name in rows.column_names)
        self._scratch.connection.register("rows_to_add", rows)
        self._scratch.run(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {columns} FROM rows_to_add GROUP BY ALL")
        self._scratch.connection.unregister("rows_to_add")
