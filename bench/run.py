"""Run the benchmarks that are named, or all: every script of this folder that is not part of the machinery."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
MACHINERY = {"alone", "run", "table"}


def main(names: list[str]) -> int:
    """Run them one after the other; the number of those that failed."""
    scripts = {path.stem: path for path in sorted(HERE.glob("*.py")) if path.stem not in MACHINERY}
    unknown = [name for name in names if name not in scripts]
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(scripts)}", file=sys.stderr)
        return 2
    failed = 0
    whole = [name for name in scripts if name.partition("_")[0] not in scripts or "_" not in name]  # parts run with it
    for name in names or whole:
        print(f"== {name}", flush=True)
        failed += bool(subprocess.run([sys.executable, str(scripts[name])], check=False).returncode)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
