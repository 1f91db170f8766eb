"""The journal of a purge: sessions as they were, the outcome of each, and what an undo brought back.

A folder of its own, mode 0700, its files 0600: they hold live credentials. ``journal.json`` says of which store and server
it is, sealed; ``journal.frames`` holds the frames; ``state.json`` says how far it was written for certain. With a key file the
bodies are encrypted (AES-256-GCM of the library ``cryptography``).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import hmac
import json
import os
import secrets
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from necropsy.treat.purge.frames import SEAL_BYTES, Frames, JournalError, replace_file, unread, unwritten
from necropsy.treat.purge.scripts import DELETED

SESSIONS, OUTCOME, RESTORED = 1, 2, 3
VERSION: Final = 2
"""2: what ``journal.json`` says is sealed, and the first frame with it."""
_FORMAT: Final = "necropsy journal"
_UNFINISHED: Final = ".journal.json.partial"
"""The file that is left when the disk was full before the journal had begun."""
_LOCK: Final = "lock"
_READ_ONLY: Final = frozenset((errno.EROFS, errno.EACCES, errno.EPERM))
_FILES: Final = ("journal.frames", "state.json", ".state.partial", _UNFINISHED, _LOCK, "journal.json")
"""Files of a journal, in the order in which it is shredded: what says of which store it is comes last."""
_RECORD: Final = struct.Struct("<qqqqIIIII")
_BATCH: Final = struct.Struct("<IiI")
_NONCE: Final = 12
_LOOKED_UP: Final = "every session that was deleted is in the journal, and what became of the last batch is looked up"


class JournalRecord(NamedTuple):
    """One session as it was."""

    key: bytes
    payload: bytes
    expires_ms: int
    """Absolute, milliseconds since 1970; -1: none."""
    idle_s: int
    """Seconds unused when it was read; -1: not known."""
    marker: bytes = b""
    minute: bytes = b""
    member: bytes = b""
    minute_expires_ms: int = -1
    """Expiry of the set ``minute``; -1: none or not known."""
    score: int = -1
    """Score in ``minute``, when that is a sorted set; -1: it is a set."""


class Batch(NamedTuple):
    """Sessions that were journalled together, and what became of them."""

    number: int
    db: int
    read_ms: int
    """When they were read, by the server's clock."""
    records: tuple[JournalRecord, ...]
    outcome: tuple[tuple[int, int, int], ...] | None
    """As ``scripts.delete`` answers, of each; None: nobody knows whether they were deleted."""
    restored: tuple[int, ...] | None
    """Of each: 0 not tried, 1 brought back, 2 was there, 3 had expired."""


class Journal:
    """Opens or creates a journal; one process at a time."""

    def __init__(self, folder: Path, header: dict[str, Any], secret: bytes | None) -> None:
        self.folder = folder
        self.header = header
        self._cipher = _cipher(secret) if header.get("encrypted") else None
        first = bytes.fromhex(header.get("seal", ""))
        self._frames = Frames(folder / "journal.frames", bytes.fromhex(header["key"]), first=first)
        self._lock: int | None = None
        self._next = 1
        self._deleted: dict[int, int] = {}
        """Sessions that were deleted, by batch: the last outcome of each counts."""
        self.returned = 0
        """Sessions that an undo brought back, when it was loaded."""
        self._lenient = False
        """Taken as far as it goes: then nothing is written to it any more."""
        self._facts: dict[str, Any] = {}

    @property
    def deleted(self) -> int:
        """Sessions that were deleted, by the outcomes."""
        return sum(self._deleted.values())

    @classmethod
    def create(cls, folder: Path, facts: Mapping[str, Any], secret: bytes | None = None) -> Journal:
        """Begin a journal in a folder that is empty or not there.

        Raises
        ------
        JournalError
            Something else is in the folder, or it cannot be written.
        """
        header = {"format": _FORMAT, "version": VERSION, "encrypted": secret is not None,
                  "key": secrets.token_hex(32), **facts}  # fmt: skip
        header["seal"] = _seal(header)
        lock = None
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _require_empty(folder)
            folder.chmod(0o700)
            lock = _locked(folder)  # before anything is written: of two that begin at once, one writes
            _require_empty(folder)
            replace_file(folder / "journal.json", json.dumps(header, indent=1).encode())
            journal = cls(folder, header, secret)
        except BaseException as error:
            if lock is not None:
                os.close(lock)
            if isinstance(error, OSError):
                raise JournalError(
                    f"{folder}: cannot write: {error.strerror}", hint="Choose another folder with --journal."
                ) from error
            raise
        journal._lock = lock
        return journal

    @classmethod
    def open(cls, folder: Path, secret: bytes | None = None, *, to_read: bool = False) -> Journal:
        """Open a journal.

        Parameters
        ----------
        to_read
            Nothing will be written to it: it may lie where nobody can write.

        Raises
        ------
        JournalError
            It is none, of a newer necropsy, encrypted and no key was given, in use, or it cannot be written.
        """
        try:
            header = json.loads((folder / "journal.json").read_bytes())
            if header.get("format") != _FORMAT or not isinstance(header.get("version"), int):
                raise ValueError  # noqa: TRY301 -- the same as a file that is no JSON
        except (FileNotFoundError, NotADirectoryError, ValueError, AttributeError) as error:
            raise JournalError(
                f"{folder}: not a journal of a purge", hint="Give the folder that was written as --journal."
            ) from error
        except OSError as error:
            raise unread(folder / "journal.json", error) from error
        if header["version"] > VERSION:
            raise JournalError(
                f"{folder}: written by a newer necropsy (journal {header['version']}; this one knows {VERSION})",
                hint="Update necropsy: git pull and pip install . in its checkout.",
            )
        if header.get("encrypted") and secret is None:
            raise JournalError(
                f"{folder}: encrypted", hint="Give the key that it was encrypted with: --journal-key FILE."
            )
        try:
            if header["version"] > 1 and not hmac.compare_digest(header["seal"], _seal(header)):
                raise ValueError  # noqa: TRY301 -- the same as a header that lacks something
            journal = cls(folder, header, secret)
        except (KeyError, ValueError, TypeError):
            raise JournalError(
                f"{folder}/journal.json: changed or damaged: it is not used", hint="Copy it again from the original."
            ) from None
        try:
            journal._lock = _locked(folder)
        except OSError as error:
            if not (to_read and error.errno in _READ_ONLY):
                raise JournalError(
                    f"{folder}: cannot write: {error.strerror}; nothing was done",
                    hint="What becomes of each session is written to the journal: copy it (cp -a) to where you can write.",
                ) from error
        return journal

    def load(self, *, lenient: bool = False) -> None:
        """Read to the end once, so that it can be appended to; ``lenient`` takes a damaged one as far as it goes.

        Raises
        ------
        JournalError
        """
        self._lenient = lenient
        self._deleted.clear()
        self.returned = 0
        for kind, body in self._whole(lenient=lenient, to_append=not lenient):
            if kind == OUTCOME:
                number, answers = _answers(body)
                self._deleted[number] = sum(answer[0] in DELETED for answer in answers)
            elif kind == RESTORED:
                self.returned += body[4:].count(1)

    # -- writing --------------------------------------------------------------------------------------------------

    def sessions(self, db: int, read_ms: int, records: Sequence[JournalRecord]) -> int:
        """Write sessions down; when this returns they are on the disk. Return the batch's number.

        Raises
        ------
        JournalError
            They are not, and nothing may be deleted.
        """
        number = self._next
        pack, parts = _RECORD.pack, [_BATCH.pack(number, db, len(records)), read_ms.to_bytes(8, "little")]
        for one in records:
            parts.append(
                pack(one.expires_ms, one.idle_s, one.minute_expires_ms, one.score, len(one.key), len(one.payload),
                     len(one.marker), len(one.minute), len(one.member))
            )  # fmt: skip
            parts += (one.key, one.payload, one.marker, one.minute, one.member)
        self._append(SESSIONS, b"".join(parts), sync=True, otherwise="nothing of this batch was changed")
        self._next += 1
        return number

    def outcome(self, number: int, answers: Sequence[tuple[int, int, int]]) -> None:
        """Write down what became of the sessions of a batch."""
        flat = [value for answer in answers for value in answer]
        said = struct.pack(f"<I{len(flat)}q", number, *flat)
        self._append(OUTCOME, said, sync=False, otherwise=_LOOKED_UP)
        self._deleted[number] = sum(answer[0] in DELETED for answer in answers)
        self._note()

    def restored(self, number: int, codes: Sequence[int]) -> None:
        """Write down what an undo did with the sessions of a batch."""
        if self._lenient:
            return
        said = struct.pack("<I", number) + bytes(codes)
        self._append(RESTORED, said, sync=True, otherwise="the sessions of this batch are back all the same")
        self._note()

    def remember(self, **facts: Any) -> None:
        """Write facts into the state, such as that all is done."""
        self._facts |= facts
        self._frames.sync(_LOOKED_UP)
        self._note()

    # -- reading --------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return what ``state.json`` says."""
        try:
            return dict(json.loads((self.folder / "state.json").read_bytes()))
        except (OSError, ValueError):
            return {}

    def batches(self, *, lenient: bool = False) -> Iterator[Batch]:
        """Yield all batches, each with the last that is known of it.

        Raises
        ------
        JournalError
            It was cut or changed; with ``lenient`` what comes before is used.
        """
        outcomes: dict[int, bytes] = {}  # as they are written: read, they would take ten times the memory
        restored: dict[int, bytes] = {}
        for kind, body in self._whole(lenient=lenient):
            if kind == OUTCOME:
                outcomes[int.from_bytes(body[:4], "little")] = body
            elif kind == RESTORED:
                restored[int.from_bytes(body[:4], "little")] = body[4:]
        for kind, body in self._whole(lenient=lenient):
            if kind == SESSIONS:
                number, db, read_ms, records = _records(body)
                said, back = outcomes.get(number), restored.get(number)
                answers = _answers(said)[1] if said is not None else None
                yield Batch(number, db, read_ms, records, answers, tuple(back) if back is not None else None)

    def close(self) -> None:
        """Close it, and let others in."""
        self._frames.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def shred(self) -> int:
        """Overwrite and remove the journal's own files; return the bytes that were overwritten.

        What else is in its folder stays, and so does what a link there leads to: the folder is removed if it is empty then.
        """
        self._frames.close()
        total = 0
        for name in _FILES:
            path = self.folder / name
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
            except FileNotFoundError:
                continue
            except OSError as error:
                if error.errno != errno.ELOOP:
                    raise JournalError(
                        f"{path}: cannot overwrite: {error.strerror}", hint="What was not overwritten is still there."
                    ) from error
            else:
                with os.fdopen(descriptor, "r+b") as stream:
                    size = os.fstat(descriptor).st_size
                    for start in range(0, size, 1 << 20):
                        stream.write(os.urandom(min(1 << 20, size - start)))
                    stream.flush()
                    os.fsync(descriptor)
                total += size
            path.unlink()
        self.close()
        with contextlib.suppress(OSError):
            self.folder.rmdir()
        return total

    def _whole(self, *, lenient: bool, to_append: bool = False) -> Iterator[tuple[int, bytes]]:
        at_least = 0 if lenient else int(self.state().get("bytes", 0))
        frames = self._frames.read(at_least=at_least, to_append=to_append)
        while True:
            try:
                frame = next(frames, None)
            except JournalError:
                if not lenient:
                    raise
                return
            if frame is None:
                return
            if frame.kind == SESSIONS:
                body = self._opened(frame.body)
                self._next = max(self._next, _BATCH.unpack_from(body)[0] + 1)
                yield frame.kind, body
            else:
                yield frame.kind, frame.body

    def _append(self, kind: int, body: bytes, *, sync: bool, otherwise: str) -> None:
        if kind == SESSIONS and self._cipher is not None:
            nonce = os.urandom(_NONCE)
            body = nonce + self._cipher.encrypt(nonce, body, None)
        self._frames.append(kind, body, sync=sync, otherwise=otherwise)

    def _opened(self, body: bytes) -> bytes:
        if self._cipher is None:
            return body
        from cryptography.exceptions import InvalidTag

        try:
            return bytes(self._cipher.decrypt(body[:_NONCE], body[_NONCE:], None))
        except InvalidTag:
            raise JournalError(
                f"{self.folder}: the key is not the one that it was encrypted with",
                hint="Give the right --journal-key.",
            ) from None

    def _note(self) -> None:
        state = {**self.state(), **self._facts, "bytes": self._frames.certain}
        beside = self.folder / ".state.partial"
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as stream:
                json.dump(state, stream)
            beside.replace(self.folder / "state.json")
        except OSError as error:
            raise unwritten(self.folder / "state.json", error, _LOOKED_UP) from error


def _require_empty(folder: Path) -> None:
    """Refuse a folder that holds something else than what was left when a journal could not be begun.

    Raises
    ------
    JournalError
    """
    if any(path.name not in {_UNFINISHED, _LOCK} for path in folder.iterdir()):
        raise JournalError(f"{folder}: not empty", hint="Give a new folder with --journal.")


def _locked(folder: Path) -> int:
    """Keep others out of a journal; return what is to be closed to let them in.

    Raises
    ------
    JournalError
        Another has it.
    OSError
        Nothing can be written there.
    """
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        if not isinstance(error, BlockingIOError):
            raise
        raise JournalError(
            f"{folder}: in use by another necropsy", hint="Wait for it, or stop it with Ctrl-C."
        ) from None
    return lock


def _seal(header: Mapping[str, Any]) -> str:
    """Return the seal of a header: of which store it is may not be changed either."""
    said = json.dumps({name: value for name, value in header.items() if name != "seal"}, sort_keys=True)
    key = bytes.fromhex(header["key"])
    return hashlib.blake2b(said.encode(), key=key, digest_size=SEAL_BYTES).hexdigest()


def _answers(body: bytes) -> tuple[int, tuple[tuple[int, int, int], ...]]:
    """Return the number of a batch, and what became of its sessions."""
    number, *flat = struct.unpack(f"<I{(len(body) - 4) // 8}q", body)
    return number, tuple(zip(flat[::3], flat[1::3], flat[2::3], strict=True))


def _records(body: bytes) -> tuple[int, int, int, tuple[JournalRecord, ...]]:
    number, db, count = _BATCH.unpack_from(body)
    at = _BATCH.size
    read_ms = int.from_bytes(body[at : at + 8], "little")
    at += 8
    records = []
    for _ in range(count):
        expires, idle, minute_expires, score, *sizes = _RECORD.unpack_from(body, at)
        at += _RECORD.size
        parts = []
        for size in sizes:
            parts.append(body[at : at + size])
            at += size
        key, payload, marker, minute, member = parts
        records.append(JournalRecord(key, payload, expires, idle, marker, minute, member, minute_expires, score))
    return number, db, read_ms, tuple(records)


def _cipher(secret: bytes | None) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise JournalError(
            "an encrypted journal needs the library cryptography", hint="pip install 'necropsy[encryption]'"
        ) from None
    return AESGCM(secret or b"")


def read_secret(path: Path) -> bytes:
    """Return the 32 bytes of a key file: as they are, or as 64 hexadecimal digits.

    Raises
    ------
    JournalError
        It cannot be read, or holds something else.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise JournalError(
            f"{path}: cannot read: {error.strerror}", hint="openssl rand -hex 32 > FILE makes one."
        ) from error
    if len(data) == 32:
        return data
    try:
        secret = bytes.fromhex(data.decode("ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != 32:
        raise JournalError(f"{path}: not a key of 32 bytes", hint="openssl rand -hex 32 > FILE makes one.")
    return secret
