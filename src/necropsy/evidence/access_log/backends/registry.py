"""The backend that ``--engine`` names.

======================================  =====================================================================
``--engine``                            backend
======================================  =====================================================================
none, ``duckdb``                        ``local``: DuckDB in this process
``spark://HOST:PORT``, ``local[N]``     ``spark``: its executors read the files, too
any other that Ibis connects to         ``remote``: lines are read here, and analysed there
======================================  =====================================================================
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from necropsy._internal.masking import masked_address
from necropsy.evidence.access_log.backends.interface import OpenBackend, first_line
from necropsy.evidence.access_log.backends.local import open_local
from necropsy.evidence.access_log.backends.remote import open_remote
from necropsy.model.errors import NecropsyError, UsageError

_LOCAL: Final = "duckdb"
_SPARK: Final = re.compile(r"spark://.+|local(\[.+\])?|yarn|k8s://.+")
INSTALL: Final = (
    "Install what speaks to it: pip install 'necropsy[spark]', or 'ibis-framework[NAME]' for another engine."
)


@contextlib.contextmanager
def open_backend(address: str | None, meanwhile: Callable[[], object] | None = None) -> Iterator[OpenBackend]:
    """Connect to the place that an address names, for as long as several logs need it.

    Parameters
    ----------
    address
        See the table above.
    meanwhile
        What else to make ready while lines are read here; elsewhere the time is another's.

    Raises
    ------
    UsageError
        What speaks to it is not installed, or there is no such engine.
    NecropsyError
        It does not answer.
    """
    if address in {None, "", _LOCAL}:
        yield lambda: open_local(meanwhile)
        return
    assert address is not None  # noqa: S101 -- for the type checker
    if _SPARK.fullmatch(address):
        try:
            from necropsy.evidence.access_log.backends.spark import open_on_spark, session
        except ImportError as error:
            raise UsageError(f"--engine {masked_address(address)}: {error}", hint=INSTALL) from error
        with session(address) as spark:
            yield lambda: open_on_spark(spark)
        return
    connection = _connect(address)
    try:
        yield lambda: open_remote(connection)
    finally:
        connection.disconnect()


def _connect(address: str) -> Any:
    try:
        import ibis
    except ImportError as error:
        raise UsageError(f"--engine {masked_address(address)}: {error}", hint=INSTALL) from error
    try:
        return ibis.connect(address)
    except ImportError as error:
        raise UsageError(f"--engine {masked_address(address)}: {first_line(error)}", hint=INSTALL) from error
    except Exception as error:  # whatever the driver of any engine raises when it is refused or finds nobody
        first = first_line(error).replace(address, masked_address(address))
        if isinstance(error, ValueError) or "://" not in address:
            raise UsageError(
                f"--engine {masked_address(address)}: {first}",
                hint="One of: duckdb, spark://HOST:PORT, or an address that Ibis supports, such as"
                " postgres://HOST/DATABASE.",
            ) from error
        raise NecropsyError(
            f"--engine {masked_address(address)}: {first}",
            hint="Check that it is running and that this user may create tables.",
        ) from error
