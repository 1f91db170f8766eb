"""What is made of the lines of a log: pages, visits, classes of visits, clients and their cookies.

Written once, as Ibis expressions: a *step* (``pages``, ``visits``, ``classes``, ``clients``) makes one table of others and is
named in the registry ``steps``. ``analyse`` says in which order the steps are taken; it does not know by whom:

* ``embedded``: by DuckDB in this process, which needs no Ibis, as its SQL was compiled from the steps beforehand
  (``duckdb.sql``, written by ``make docs``; a test holds the two against each other);
* ``connected``: by whatever Ibis can connect to, ``spark`` among it.

What is not relational is a pure function over arrays (``chains``, ``rhythm``), which an engine applies to all rows of some
keys at a time: here by threads, on Spark by its executors.
"""
