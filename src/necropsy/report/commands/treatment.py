"""Plans and ends of a treatment, as text."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap
from typing import Any, Final

from necropsy.model.figures import percent, several, size

_WIDTH: Final = 79
_INDENT: Final[dict[str, Any]] = {
    "initial_indent": "   ", "subsequent_indent": "   ", "break_long_words": False, "break_on_hyphens": False
}  # fmt: skip


def plan(made: Any, path: Path | None, *, asked: bool = False) -> str:
    """Return a plan as text; ``path``: where it was written; ``asked``: whether somebody is about to apply it."""
    share = f" ({percent(made.sessions / made.total)} of {several(made.total, 'session')})" if made.total else ""
    lines = [
        f"PLAN   purge {several(made.sessions, 'session')}{share}",
        f"       {several(made.keys, 'key')}, about {size(made.bytes)}",
        f"STORE  {made.address}, {made.server}",
        f"WHERE  {' and '.join(made.where)}",
    ]
    if made.layouts:
        lines.append("WHAT   " + ", ".join(f"{name} {count:,}" for name, count in made.layouts.items()))
    lines += [f"HALVES {count:,} {name}" for name, count in made.halves.items()]
    kept = sum(made.kept.values())
    lines.append(f"KEPT   {several(kept, 'session')}")
    lines += [f"       {count:>12,}  {reason}" for reason, count in made.kept.items()]
    lines += [
        f"       used within {_duration(made.idle_s)} counts as in use;",
        "       each session is checked again before it is deleted",
    ]
    if made.undecided:
        verb = "does" if made.undecided == 1 else "do"
        lines += [
            f"       {several(made.undecided, 'session')} of the plan {verb} not say each use:",
            "       those that the server's idle times show in use are kept then, and counted here",
        ]
    if made.unknown_is_anonymous:
        lines.append("RISK   sessions that may belong to logged-in users are deleted as well")
    lines += ["SAMPLE " + made.sample[0], *(f"       {row}" for row in made.sample[1:])] if made.sample else []
    lines += [line for note in made.notes for line in _noted(note)]
    if not made.sessions:
        lines.append("NEXT   nothing to purge" + ("" if made.total else ": no session of a known layout was found"))
    elif path is None and not asked:
        lines.append("NEXT   nothing was deleted; add --plan FILE to save this plan")
    elif path is not None:
        lines.append(f"NEXT   nothing was deleted; until {made.expires_at[:16].replace('T', ' ')} UTC:")
        lines.append(f"       necropsy purge --apply {path} --journal {path.with_suffix('.journal')}")
    return "\n".join(lines) + "\n"


def _noted(note: str) -> list[str]:
    """Return a note; a command in it has a line of its own, to be copied."""
    text, mark, command = note.partition(": ACL ")
    return [f"NOTE   {text}:", f"       ACL {command}"] if mark else [f"NOTE   {note}"]


def applied(done: Any, plan_path: Path, journal: Path) -> str:
    """Return the end of a purge as text."""
    deleted = done.deleted_before + done.deleted
    head = "DONE  " if done.state == "done" else "STOPPED"
    lines = [f"{head} {several(deleted, 'session')} deleted of {done.total:,} planned, about {size(done.freed)} freed"]
    if done.halves:
        lines.append(f"       {done.halves:,} of them had lost their expires key before")
    lines += [f"KEPT   {count:>12,}  {reason}" for reason, count in done.kept.most_common()]
    if done.heard:
        lines.append(
            f"       applications were notified of {done.heard:,} sessions that are kept: they were used meanwhile"
        )
    lines += [f"NOTE   {remark}" for remark in done.remarks]
    if done.state != "done":
        lines.append(f"NEXT   necropsy purge --apply {plan_path} --journal {journal}   goes on where it stopped")
    lines += [
        f"UNDO   necropsy purge --undo {journal}",
        f"       The journal holds live credentials: necropsy purge --shred {journal}",
        "       once nobody will want the sessions back.",
    ]
    return "\n".join(lines) + "\n"


def verified(folder: Path, found: Any) -> str:
    """Return what a journal holds as text."""
    done = "shortened" if found.header.get("kind") == "cap-ttl" else "deleted"
    lines = [
        f"{folder}: whole, batches: {found.batches:,}, sessions: {found.sessions:,}, {size(found.bytes)} of values",
        f"  of {found.header['address']}, {found.header['server']}, begun {found.header['made_at']}",
        f"  {found.deleted:,} {done}, {found.restored:,} brought back",
    ]
    if found.unknown:
        lines.append(
            f"  {found.unknown:,} in an interrupted batch: --undo or --apply finds out whether they were deleted"
        )
    return "\n".join(lines) + "\n"


def shredded(folder: Path, count: int, *, others: bool) -> str:
    """Return that a journal is no more; ``others``: its folder holds other files, and is still there."""
    left = f" Other files in {folder} were left." if others else ""
    return (
        f"{folder}: {size(count)} overwritten and removed.{left} On SSDs and copy-on-write file systems old blocks may"
        f" remain; an encrypted journal is unreadable once its key is deleted.\n"
    )


def _duration(seconds: int) -> str:
    for unit, word in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds // unit} {word}"
    return f"{seconds} s"


def treatment(steps: Any, patches: Any) -> str:
    """Return the steps of a treatment as text."""
    if not steps:
        return "Nothing to treat: no patch, and no anonymous or immortal session.\n"
    lines: list[str] = []
    for number, step in enumerate(steps, 1):
        lines.append(f"{number}. {step.title}")
        for change in step.changes:
            lines += [f"   {change}"] if change.startswith(" ") else wrap(change, _WIDTH, **_INDENT)
        if step.command:
            lines.append(f"   $ {step.command}")
    if patches.others:
        lines.append("ALSO, with --patch --all")
        stopped = {request for one in patches.chosen for request in one.patch.stops}
        for one in patches.others:
            instead = ", in place of step 1" if one.patch.stops and stopped.issuperset(one.patch.stops) else ""
            said = f"{one.slug}{instead}: {one.patch.effect or one.title} ({one.patch.file})"
            lines += wrap(said, _WIDTH, **_INDENT)
    lines.append("Nothing was changed. Each command shows its plan first, and can be undone.")
    return "\n".join(lines) + "\n"


def written(results: Any) -> str:
    """Return which files were written, and which were not and why."""
    lines = []
    for result in results:
        if hasattr(result, "backup"):
            lines.append(f"wrote {result.file}   backup: {result.backup}")
        else:
            lines += [f"error: {result.message}", f"hint:  {result.hint}"]
    return "\n".join(lines) + "\n"
