"""Group requests into visits and client groups, on any engine.

The analysis is written once, as Ibis expressions: a *step* (see ``steps``) makes one table of others. ``analyse`` says in
which order the steps are taken; it does not know by which engine:

* ``engines.duckdb_engine``: DuckDB in this process, which needs no Ibis, as its SQL was compiled from the steps beforehand
  (``duckdb.sql``, written by ``make docs``; a test compares the two);
* ``engines.ibis_engine``: any database that Ibis connects to.

Where the lines are on many machines, each takes the steps on its part by DuckDB, and sums meet: ``partitioned``.

What is not relational is a pure function over arrays (``redirect_chains``, ``rhythm``), which an engine applies to all rows
of some keys at a time.
"""
