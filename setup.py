"""Compile every module that has C types in a ``.pxd`` beside it; where that cannot be done, the same sources run uncompiled."""

from __future__ import annotations

import os
from pathlib import Path

from setuptools import Extension, setup

SOURCES = sorted(str(types.with_suffix(".py")) for types in Path("src").rglob("*.pxd"))


def extensions() -> list[Extension]:
    """Return the extension modules; their dependencies follow from what they cimport."""
    from Cython.Build import cythonize

    modules = [
        Extension(source.removeprefix("src/").removesuffix(".py").replace("/", "."), [source], optional=True)
        for source in SOURCES
    ]
    return list(
        cythonize(modules, nthreads=os.cpu_count() or 1, include_path=["src"], build_dir="build/cython", quiet=True)
    )


setup(ext_modules=extensions(), options={"build_ext": {"parallel": os.cpu_count()}})
