"""Compile the units of ``necropsy._internal.compiled``: all of them, or none where one cannot be compiled.

``NECROPSY_UNCOMPILED=1`` installs none of them: the same sources run as plain Python.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

UNITS = () if os.environ.get("NECROPSY_UNCOMPILED") else runpy.run_path("src/necropsy/_internal/compiled.py")["UNITS"]
AT_ONCE = os.cpu_count() or 1


class AllOrNothing(build_ext):
    """Build every extension, or leave none behind."""

    def run(self) -> None:
        """Compile; after an error the package is installed uncompiled, and says so when it runs."""
        inplace = self.inplace
        try:
            super().run()
        except Exception as error:  # of the compiler, or because there is none
            print(f"necropsy is installed uncompiled: {error}", file=sys.stderr)
            for self.inplace in {False, bool(inplace)}:
                for extension in self.extensions:
                    Path(self.get_ext_fullpath(extension.name)).unlink(missing_ok=True)
            self.extensions = []  # a new list: the distribution's own decides where a wheel has its files


def extensions() -> list[Extension]:
    """Return the extension modules; what each depends on follows from what it cimports."""
    if not UNITS:
        return []
    from Cython.Build import cythonize

    modules = [
        Extension(unit, [f"src/{unit.replace('.', '/')}.py"], extra_compile_args=["-g0"] if os.name == "posix" else [])
        for unit in UNITS
    ]
    return list(cythonize(modules, nthreads=AT_ONCE, include_path=["src"], build_dir="build/cython", quiet=True))


setup(ext_modules=extensions(), cmdclass={"build_ext": AllOrNothing}, options={"build_ext": {"parallel": AT_ONCE}})
