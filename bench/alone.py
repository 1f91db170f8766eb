"""necropsy as it is where nothing but it was installed: Ibis' Spark brings pandas, which DuckDB and Arrow load where it is.

python bench/alone.py examine --rdb dump.rdb
"""

from __future__ import annotations

import importlib.abc
import sys
from typing import Any


class WithoutPandas(importlib.abc.MetaPathFinder):
    """Says that there is no pandas."""

    def find_spec(self, name: str, *_: Any) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


if __name__ == "__main__":
    sys.meta_path.insert(0, WithoutPandas())
    sys.argv[0] = "necropsy"
    from necropsy.cli.main import main

    main()
