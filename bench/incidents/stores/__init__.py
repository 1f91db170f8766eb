"""Sessions in the bytes that the real frameworks write: a module per family, each ``commands(store, sessions, now)``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from incidents.scene import Session, Store
from incidents.stores import django, express, flask, php, spring

Writer = Callable[[Store, Iterable[Session], int], Iterator[bytes]]

WRITERS: dict[str, Writer] = {
    "spring-indexed": spring.indexed,
    "spring-plain": spring.plain,
    "spring-reactive": spring.plain,
    "express": express.commands,
    "django": django.commands,
    "flask-pickle": flask.pickled,
    "flask-msgpack": flask.packed,
    "php": php.commands,
    "laravel": php.laravel,
}
"""Layouts; the commands of each answer with one line."""

DATED = ("spring-indexed", "spring-plain", "spring-reactive")
"""Layouts whose sessions tell when they were born."""
DERIVED = ("express", "django", "flask-pickle", "flask-msgpack")
"""Layouts from which the last write can be derived, and nothing else."""
