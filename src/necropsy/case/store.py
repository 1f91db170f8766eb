"""Writing and reading a case file.

A case under construction lives in a file beside its final name and is renamed when it is whole: killed half-way, nothing
half-written is left under the final name. Without a name it lives in memory.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from necropsy import __version__
from necropsy._internal.file_kinds import kind_of
from necropsy._internal.paths import is_dir, is_file, why_no_file
from necropsy._internal.sql_quoting import identifier
from necropsy.case import identity
from necropsy.case.once import Once
from necropsy.case.schema import BY_NAME, SCHEMA_VERSION, TABLES
from necropsy.case.stream import TableStream
from necropsy.case.table import Table
from necropsy.model.errors import CaseError, CaseOutOfMemory, CaseTooNew

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

_LARGE_MEMORY: Final = "160MB"
_UNWRITABLE: Final = re.compile(
    r"(?i)no space left|could not (?:write|truncate|sync)|file too large|failed to commit|read-only file system|quota"
)
"""Messages of DuckDB and the system when a disk is full; other errors of theirs are bugs of ours."""
_TOO_LITTLE: Final = re.compile(r"(?i)could not allocate block|failed to pin block")
"""Messages of DuckDB when its memory is too little for what it writes: no disk is full then."""
_CORRUPT: Final = re.compile(r"(?i)corrupt|checksum|could not read|not enough bytes")
_UNWRITABLE_REASON: Final = re.compile(r"^(?:\w+ ?Error: |\w+ Error: Failed to commit: )+|\n.*", re.DOTALL)


_WRITTEN: Final = "A case is written by `necropsy examine … --case FILE`."
_HEAD: Final = 4096


def _no_case(path: Path, said: str) -> CaseError:
    """Return why a file cannot be opened as a case; ``said``: the words of DuckDB."""
    try:
        with path.open("rb") as stream:
            kind = kind_of(stream.read(_HEAD))
    except OSError as error:
        return CaseError(f"{path}: cannot read: {error.strerror}", hint="Make it readable for this user.")
    if kind is not None and kind.name != "a DuckDB database":
        return CaseError(f"{path}: {kind.name}, not a case", hint=_WRITTEN)
    if "set lock" in said:
        return CaseError(f"{path}: another program has it open for writing", hint="Close it there, or copy the file.")
    if "version number" in said:
        return CaseTooNew(
            f"{path}: written by a newer DuckDB than this one", hint="Install a newer DuckDB: pip install -U duckdb."
        )
    return CaseError(f"{path}: not a case file, or damaged", hint=f"{_WRITTEN} Write a damaged one again.")


class Case:
    """One investigation. Use ``Case.create`` or ``Case.open``, as a context manager.

    >>> with Case.create(None) as case:
    ...     case.append("server_fact", [{"store": "a", "name": "redis-ver", "value": "7.0.15"}])
    ...     case.rows("SELECT name, value FROM server_fact")
    [{'name': 'redis-ver', 'value': '7.0.15'}]
    """

    def __init__(self, connected: Callable[[], duckdb.DuckDBPyConnection], key: bytes | None, name: str | None) -> None:
        self._connected = connected
        self._key = key
        self.name = name
        """Its path as it was given, so that a command that names it can be copied; None when it lives in memory."""
        self._staged: Path | None = None
        self._final: Path | None = None
        self._withhold_key = False

    # -- opening and closing --------------------------------------------------------------------------------------

    @classmethod
    @contextlib.contextmanager
    def create(
        cls, path: Path | None, *, withhold_key: bool = False, large: bool = False, memory: str = _LARGE_MEMORY
    ) -> Iterator[Case]:
        """Create a new case; it appears under ``path`` only when the block ends without an error.

        Parameters
        ----------
        path
            Final name, or None for a case that lives in memory.
        withhold_key
            Do not save the hashing key: nobody can then test whether a given session id is in the case.
        large
            Millions of rows will come: without a name it lies in a temporary file, compressed, and not in memory; of
            memory the database takes little.
        memory
            How little that is.

        Raises
        ------
        CaseError
            The folder does not exist or cannot be written, or the disk is full.
        CaseOutOfMemory
            The memory is too little.
        """
        staged = _staged(path, large=large)
        connected = Once(lambda: _begun(staged, memory=memory if large else None))
        try:
            case = cls(connected, identity.new_key(), str(path) if path else None)
            case._staged, case._final, case._withhold_key = staged, path, withhold_key
            if staged is not None:
                case.connect()
            yield case
            case._finish()
        except Exception as error:
            if large and _TOO_LITTLE.search(str(error)):
                raise CaseOutOfMemory(
                    f"the {memory} of memory that the case's database may take are too little:"
                    f" {_UNWRITABLE_REASON.sub('', str(error))}",
                    hint="Nothing was changed. A case takes more: necropsy examine … --case FILE; and please report this.",
                ) from error
            if not _is_of_a_disk(error):
                raise
            where = "choose another place with --case" if path else "name another place in TMPDIR"
            raise CaseError(
                f"{path or tempfile.gettempdir()}: cannot write: {_UNWRITABLE_REASON.sub('', str(error))}",
                hint=f"Make room on this disk, or {where}. What was there before is as it was.",
            ) from error
        finally:
            connected.end(_close)
            if staged is not None:
                for leftover in (staged, staged.with_name(staged.name + ".wal")):
                    leftover.unlink(missing_ok=True)
                if path is None:
                    shutil.rmtree(staged.parent, ignore_errors=True)

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path) -> Iterator[Case]:
        """Open a finished case, read-only.

        Raises
        ------
        CaseError
            Not a case file, damaged, or missing.
        CaseTooNew
            Written with a newer schema than this version reads.
        """
        import duckdb

        if not is_file(path):
            raise CaseError(f"{path}: {why_no_file(path)}", hint=_WRITTEN)
        try:
            connection = duckdb.connect(str(path), read_only=True)
        except duckdb.Error as error:
            raise _no_case(path, str(error)) from error
        try:
            case = cls(lambda: connection, None, str(path))
            try:
                facts = case.meta()
            except duckdb.Error as error:
                raise CaseError(
                    f"{path}: a DuckDB file, but not a case, or a damaged one",
                    hint="Give a file that `necropsy examine --case` wrote.",
                ) from error
            version = int(facts["schema_version"]) if facts.get("schema_version", "").isdecimal() else 0
            if version > SCHEMA_VERSION:
                raise CaseTooNew(
                    f"{path}: written by necropsy {facts.get('necropsy', '?')} with case schema {version};"
                    f" this is {__version__} with schema {SCHEMA_VERSION}",
                    hint="Update necropsy: git pull and pip install . in its checkout.",
                )
            if "key" in facts:
                case._key = bytes.fromhex(facts["key"])
            if version < SCHEMA_VERSION:
                _complete(connection)
            yield case
        except duckdb.Error as error:
            if not _CORRUPT.search(str(error)):
                raise
            raise CaseError(
                f"{path}: damaged: {str(error).partition(chr(10))[0]}",
                hint="Copy the case again, or run `necropsy examine … --case FILE` again.",
            ) from error
        finally:
            connection.close()

    def _finish(self) -> None:
        if self._staged is None or self._final is None:  # nobody will look at it any more
            return
        for table in TABLES:
            if table.staging:
                self.connection.execute(f'DELETE FROM "{table.name}"')
        if not self._withhold_key and self._key is not None:
            self.set_meta("key", self._key.hex())
        self.connection.execute("CHECKPOINT")
        self.connection.close()
        self._staged.replace(self._final)

    # -- writing --------------------------------------------------------------------------------------------------

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection, for readers that push their work into it (access logs)."""
        return self._connected()

    def connect(self) -> None:
        """Connect now, and not when it is first needed: a case in memory does so by itself then."""
        self._connected()

    def set_meta(self, name: str, value: str) -> None:
        """Set one fact of the case itself."""
        self.connection.execute("DELETE FROM meta WHERE name = ?", [name])
        self.connection.execute("INSERT INTO meta VALUES (?, ?)", [name, value])

    def append(self, table: str, rows: pa.Table | pa.RecordBatch | Sequence[Mapping[str, Any]]) -> None:
        """Append evidence to a table.

        Bulk evidence comes as Arrow, small facts as a sequence of mappings. Columns are matched by name; missing ones
        become NULL. A column that the schema declares as hashed is read from its raw source column (binary or text)
        and only the keyed hash is stored.
        """
        import pyarrow as pa

        if isinstance(rows, pa.RecordBatch):
            rows = pa.Table.from_batches([rows])
        elif not isinstance(rows, pa.Table):
            rows = list(rows)
            if not rows:
                return
            known = {name: None for row in rows for name in row}
            rows = pa.table({name: [row.get(name) for row in rows] for name in known})
        if not rows.num_rows:
            return
        self._insert(table, self._without_secrets(BY_NAME[table], rows))

    def append_beside(self, table: str, rows: pa.Table) -> None:
        """Append Arrow rows to a temporary table, by name, as they are."""
        self._insert(table, rows)

    def _insert(self, table: str, rows: pa.Table) -> None:
        names = ", ".join(f'"{name}"' for name in rows.column_names)
        self.connection.register("incoming", rows)
        try:
            self.connection.execute(f'INSERT INTO "{table}" ({names}) SELECT {names} FROM incoming')
        finally:
            self.connection.unregister("incoming")

    def stream(self, table: str) -> TableStream:
        """Return a context in which ``put`` appends Arrow tables of one and the same schema to a table, by one statement.

        It runs beside the caller, who can read on meanwhile; with an error inside of the block none of the rows stays.
        """
        return TableStream(self.connection.cursor(), table, lambda rows: self._without_secrets(BY_NAME[table], rows))

    @contextlib.contextmanager
    def filling(self) -> Iterator[None]:
        """Give the database one thread while the block runs: batches of rows are too small to be shared out.

        The inserts of several streams run side by side nevertheless, each in the thread of its own stream.
        """
        threads = self.value("SELECT current_setting('threads')")
        self.execute("SET threads = 1")
        try:
            yield
        finally:
            self.execute(f"SET threads = {int(threads)}")

    def hashes(self, identifiers: pa.Array) -> pa.Array:
        """Return the keyed hashes of a column of ids, as this case stores them."""
        return identity.hash_column(self._require_key(), identifiers)

    @property
    def key(self) -> bytes:
        """The key of its hashes: whoever has it can test whether an id is in the case.

        Raises
        ------
        CaseError
            The case withholds it.
        """
        return self._require_key()

    def _without_secrets(self, target: Table, rows: pa.Table) -> pa.Table:
        """Keep the columns that the table has; hash what is to be hashed."""
        for column in target.columns:
            source = column.hashed_from
            if source is not None and source in rows.column_names:
                position = rows.column_names.index(source)
                rows = rows.set_column(position, column.name, self.hashes(rows[source]))
        known = {column.name for column in target.columns}
        return rows.select([name for name in rows.column_names if name in known])

    def _require_key(self) -> bytes:
        if self._key is None:
            raise CaseError("this case withholds its key: identifiers cannot be hashed", hint="Examine again.")
        return self._key

    def execute(self, statement: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> None:
        """Run one SQL statement that returns nothing of interest."""
        self.connection.execute(statement, parameters).fetchall()

    # -- reading --------------------------------------------------------------------------------------------------

    def meta(self) -> dict[str, str]:
        """Facts of the case itself."""
        return dict(self.connection.execute("SELECT name, value FROM meta").fetchall())

    def rows(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run a query whose answer is small; a list of mappings."""
        cursor = self.connection.execute(query, parameters)
        names = [field[0] for field in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def value(self, query: str, parameters: Sequence[Any] | None = None) -> Any:
        """Run a query that yields one value; None when there is no row."""
        rows = self.connection.execute(query, parameters).fetchall()  # to the end: a connection has one open result
        return rows[0][0] if rows else None

    def columns(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Run a query; a mapping of column name to NumPy array (masked where NULL)."""
        return dict(self.connection.execute(query, parameters).fetchnumpy())

    def numbers(self, query: str, most: int) -> npt.NDArray[np.uint64]:
        """Run a query of one column, an unsigned integer; its answer, at most so many, with nothing beside it in memory."""
        import numpy as np

        found = np.empty(most, np.uint64)
        count = 0
        for batch in self.connection.sql(query).to_arrow_reader(1 << 16):
            column = batch.column(0).to_numpy()
            found[count : count + len(column)] = column
            count += len(column)
        return found[:count]

    def arrow(self, query: str, parameters: Sequence[Any] | None = None) -> pa.Table:
        """Run a query; its answer as Arrow."""
        return self.connection.sql(query, params=parameters).to_arrow_table()

    @contextlib.contextmanager
    def temporary(self, name: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> Iterator[None]:
        """Have a small table beside the case while the block runs; it never reaches the file.

        Parameters
        ----------
        name
            Name of the table.
        columns
            Column name to DuckDB type.
        rows
            Its rows.
        """
        import pyarrow as pa

        declared = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
        self.connection.execute(f'CREATE TEMP TABLE "{name}" ({declared})')
        try:
            if rows:  # as columns: a statement for each row takes half a millisecond
                self._insert(name, pa.table({column: [row[column] for row in rows] for column in columns}))
            yield
        finally:
            self.connection.execute(f'DROP TABLE "{name}"')

    def has(self, table: str) -> bool:
        """Whether there is any evidence of this kind."""
        return bool(self.value(f'SELECT count(*) > 0 FROM "{BY_NAME[table].name}"'))


_MAGIC: Final = b"DUCK"
"""From the ninth byte of each DuckDB file on."""


def _begun(staged: Path | None, *, memory: str | None) -> duckdb.DuckDBPyConnection:
    """Connect to a new case, its tables empty."""
    import duckdb

    connection = duckdb.connect(str(staged) if staged else ":memory:")
    try:
        connection.execute("SET enable_progress_bar = false")  # standard output is the report's
        if staged is None:  # by default what does not fit into memory goes to the current folder
            connection.execute("SET temp_directory = ?", [str(Path(tempfile.gettempdir(), f"necropsy-{os.getpid()}"))])
        if memory is not None:
            connection.execute("SET memory_limit = ?", [memory])
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET preserve_insertion_order = false")
        for table in TABLES:
            connection.execute(table.ddl)
        facts = (("schema_version", str(SCHEMA_VERSION)), ("necropsy", __version__),
                 ("created_at", datetime.now(UTC).isoformat(timespec="seconds")))  # fmt: skip
        connection.executemany("INSERT INTO meta VALUES (?, ?)", facts)
    except BaseException:
        connection.close()
        raise
    return connection


def _complete(connection: duckdb.DuckDBPyConnection) -> None:
    """Give a case of an older schema the tables and columns that it lacks: empty ones, beside the file."""
    known: dict[str, set[str]] = {}
    for table, column in connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'main'"
    ).fetchall():
        known.setdefault(table, set()).add(column)
    for table in TABLES:
        if table.name not in known:
            connection.execute(table.ddl.replace("CREATE TABLE", "CREATE TEMP TABLE", 1))
            continue
        lacking = [f'NULL::{c.type} AS "{c.name}"' for c in table.columns if c.name not in known[table.name]]
        if lacking:  # a temporary view hides the table of the same name
            database = identifier(connection.execute("SELECT current_database()").fetchall()[0][0])
            connection.execute(
                f'CREATE TEMP VIEW "{table.name}" AS SELECT *, {", ".join(lacking)} FROM {database}.main."{table.name}"'
            )


def _is_of_a_disk(error: Exception) -> bool:
    """Whether an error is the disk's, and not a bug of ours."""
    import duckdb

    return isinstance(error, (duckdb.Error, OSError)) and _UNWRITABLE.search(str(error)) is not None


def _close(connection: duckdb.DuckDBPyConnection) -> None:
    import duckdb

    with contextlib.suppress(duckdb.Error):
        connection.close()


def _staged(path: Path | None, *, large: bool) -> Path | None:
    """Return where a case is built: beside its final name, in a folder of its own, or nowhere but in memory."""
    if path is None:
        return Path(tempfile.mkdtemp(prefix="necropsy-"), "unnamed.case") if large else None
    try:
        str(path).encode()
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        raise CaseError(f"{shown}: its name is not UTF-8", hint="Choose another name with --case.") from None
    if is_dir(path):
        raise CaseError(f"{path}: is a folder", hint=f"Name a file in it: --case {path / 'incident.case'}")
    if is_file(path) and path.stat().st_size and _head(path)[8:] != _MAGIC:
        raise CaseError(f"{path}: is there, and is no case: not written over", hint="Choose another name with --case.")
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    except OSError as error:
        raise CaseError(
            f"{path}: cannot write here: {error.strerror}", hint="Choose another place with --case."
        ) from error
    os.close(descriptor)
    staged = Path(name)
    staged.unlink()  # DuckDB wants to create the file itself
    return staged


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(12)
    except OSError:
        return b""
