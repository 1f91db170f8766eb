"""One connection, opened for reading: commands go out through a gate, replies come back as Python values.

Texts are ``bytes``, numbers ``int``, nil ``None``, arrays lists. An error is raised by ``command`` and is a value in the
answer to ``pipeline``, so that one forbidden command does not hide the answers to the others.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from necropsy.model.errors import UnreadableSource
from necropsy.wire.redis.gate import Gate, Word, as_bytes
from necropsy.wire.redis.replies import ConnectionLost, ServerError

if TYPE_CHECKING:
    from necropsy.wire.redis.address import Address, Endpoint, Tls

CONNECT_TIMEOUT_S: Final = 5.0
ANSWER_TIMEOUT_S: Final = 15.0
NAME: Final = "necropsy"
"""Our name in CLIENT LIST."""
_CHUNK: Final = 1 << 17


class Connection:
    """An open connection to one node.

    >>> # with Connection.open(parse_address("redis://127.0.0.1:6379/0")) as connection:
    >>> #     connection.command("DBSIZE")
    """

    def __init__(self, channel: socket.socket, gate: Gate) -> None:
        import hiredis

        self._channel = channel
        self._gate = gate
        self._nothing = object()
        self._reader = hiredis.Reader(replyError=ServerError, notEnoughData=self._nothing)
        self.rounds = 0
        """Number of answers that were waited for."""
        self.sent_bytes = 0
        self.pushes: list[Any] | None = None
        """Receiver of messages that the server pushes (RESP3)."""
        self.keeps_idle_times = False
        """Whether CLIENT NO-TOUCH is on: reading a value does not make it look used."""

    @classmethod
    def open(
        cls,
        address: Address,
        endpoint: Endpoint | None = None,
        *,
        gate: Gate | None = None,
        replica: bool = False,
        sentinel: bool = False,
    ) -> Self:
        """Connect, authenticate, and promise not to disturb.

        Parameters
        ----------
        endpoint
            Another node than the address names, with the same credentials and TLS.
        replica
            Say READONLY: a replica of a Cluster answers only then.
        sentinel
            This is a Sentinel: another password, and none of the commands of a store.

        Raises
        ------
        UnreadableSource
            Not reachable, not trusted, or not let in; with the next step.
        """
        endpoint = endpoint or address.endpoint
        connection = cls(_connect(endpoint, address.tls), gate or Gate())
        try:
            connection._authenticate(address, endpoint, sentinel=sentinel)
            if not sentinel:
                connection._introduce(replica=replica)
        except ConnectionLost as error:
            connection.close()
            hint = _hint(error.__cause__)
            raise UnreadableSource(f"{endpoint} {error}", hint=hint) from error
        except BaseException:
            connection.close()
            raise
        return connection

    def command(self, *words: Word) -> Any:
        """Ask one thing.

        Raises
        ------
        ServerError
            The server refuses.
        ConnectionLost
            The connection broke; it is of no use any more.
        CommandRefused
            This is not a read.
        """
        answer = self.pipeline([words])[0]
        if isinstance(answer, ServerError):
            # A new one: raised itself, its traceback would hold this frame, and the frame holds it, with the connection.
            raise ServerError(answer.text)
        return answer

    def pipeline(self, commands: Sequence[Sequence[Word]]) -> list[Any]:
        """Ask many things in one go; errors are values of the answer."""
        self.send(commands)
        return self.receive(len(commands))

    def send(self, commands: Iterable[Sequence[Word]]) -> None:
        """Ask, and do not wait."""
        packed = []
        for words in commands:
            self._gate.check(words)
            packed.append(_packed(words))
        self._write(b"".join(packed))

    def send_with(self, words: Sequence[Word], *rest: PackedCommand) -> None:
        """Ask one thing whose last words were packed before, and do not wait."""
        self._gate.check(words)
        parts = (pack(words), *rest)
        self._write(b"*%d\r\n%b" % (sum(part.words for part in parts), b"".join([part.data for part in parts])))

    def send_for_keys(self, questions: Questions, keys: Sequence[bytes], around: Sequence[Word] = ()) -> None:
        """Ask the same of each key, and do not wait; the answers come key by key, between two to ``around``."""
        for words in (*questions.commands, *([around] if around else ())):
            self._gate.check(words)
        fence = _packed(around) if around else b""
        self._write(fence + questions.packed(keys) + fence)

    def receive(self, count: int, at_first: Callable[[bytes], object] | None = None) -> list[Any]:
        """Return so many answers to what was sent.

        Parameters
        ----------
        at_first
            Called with what comes first of them, before it is read and before the rest is there: who knows enough by then
            may ask on at once. Not called when some of them came along with the answer before.
        """
        import hiredis

        self.rounds += 1
        answers: list[Any] = []
        reader, nothing = self._reader, self._nothing
        if reader.has_data():
            at_first = None
        while len(answers) < count:
            try:
                answer = reader.gets()
            except (hiredis.HiredisError, ValueError) as error:
                raise ConnectionLost("does not speak the protocol of Redis") from error
            if answer is nothing:
                data = self._read()
                if at_first is not None:
                    at_first(data)
                    at_first = None
                reader.feed(data)
            elif self.pushes is not None and isinstance(answer, hiredis.PushNotification):
                self.pushes.append(answer)
            else:
                answers.append(answer)
        return answers

    def raw(self) -> socket.socket:
        """Return the socket itself, for a stream that is no reply.

        Raises
        ------
        ConnectionLost
            More was sent than was asked for: that would be missing in the stream.
        """
        if self._reader.has_data():
            raise ConnectionLost("sends more than was requested")
        return self._channel

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, data: bytes) -> None:
        try:
            self._channel.sendall(data)
        except TimeoutError as error:
            raise ConnectionLost(f"accepts no data for {ANSWER_TIMEOUT_S:g} s") from error
        except OSError as error:
            raise ConnectionLost(f"broke the connection: {_reason(error)}") from error
        self.sent_bytes += len(data)

    def _read(self) -> bytes:
        try:
            data = self._channel.recv(_CHUNK)
        except TimeoutError as error:
            raise ConnectionLost(f"does not answer within {ANSWER_TIMEOUT_S:g} s") from error
        except OSError as error:
            raise ConnectionLost(f"broke the connection: {_reason(error)}") from error
        if not data:
            raise ConnectionLost("closed the connection")
        return data

    def _authenticate(self, address: Address, endpoint: Endpoint, *, sentinel: bool) -> None:
        password = (address.sentinel_password if sentinel else None) or address.current_password
        try:
            if password is not None:
                user = [address.username] if address.username and not (sentinel and address.sentinel_password) else []
                self.command("AUTH", *user, password.reveal())
            self.command("PING")
        except ServerError as error:
            if sentinel and "without any password" in error.text:
                return  # the usual case: the store has a password, its Sentinels have none
            if error.kind == "NOPERM":
                return  # PING itself may be forbidden; what else is will be seen
            raise UnreadableSource(f"{endpoint} refused the login: {error.text}", hint=_way_in(error)) from None

    def _introduce(self, *, replica: bool) -> None:
        greeting: list[tuple[Word, ...]] = [("CLIENT", "SETNAME", NAME), ("CLIENT", "NO-TOUCH", "ON")]
        if replica:
            greeting.append(("READONLY",))
        self.keeps_idle_times = not isinstance(self.pipeline(greeting)[1], ServerError)


class PackedCommand(NamedTuple):
    """Words as they go over the wire, without how many they are."""

    words: int
    data: bytes


def pack(words: Iterable[Word]) -> PackedCommand:
    r"""Pack words.

    >>> pack(["a", 10])
    PackedCommand(words=2, data=b'$1\r\na\r\n$2\r\n10\r\n')
    """
    words = list(words)
    try:  # nearly all are bytes
        packed = [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]  # type: ignore[arg-type,str-format]
    except TypeError:
        packed = [b"$%d\r\n%b\r\n" % (len(word), word) for word in map(as_bytes, words)]
    return PackedCommand(len(packed), b"".join(packed))


class Questions:
    r"""Commands to be asked of many keys: checked once, packed once.

    Parameters
    ----------
    commands
        Each with the empty text where the key goes, once.

    >>> Questions([(b"OBJECT", b"FREQ", b"")]).packed([b"a"])
    b'*3\r\n$6\r\nOBJECT\r\n$4\r\nFREQ\r\n$1\r\na\r\n'
    """

    def __init__(self, commands: Sequence[Sequence[bytes]]) -> None:
        self.commands = tuple(tuple(words) for words in commands)
        self._template = b"".join(_template(words) for words in self.commands)

    def __len__(self) -> int:
        return len(self.commands)

    def packed(self, keys: Sequence[bytes]) -> bytes:
        """Return the bytes that ask all of them of each key."""
        template, times = self._template, len(self.commands)
        return b"".join([template % ((len(key), key) * times) for key in keys])


def _packed(words: Iterable[Word]) -> bytes:
    return b"*%d\r\n%b" % pack(words)


def _template(words: Sequence[bytes]) -> bytes:
    """Return a command as a format, with two places for each key: its length and itself."""
    parts = [_packed([word]).partition(b"\n")[2].replace(b"%", b"%%") if word else b"$%d\r\n%b\r\n" for word in words]
    return b"*%d\r\n" % len(words) + b"".join(parts)


def _connect(endpoint: Endpoint, tls: Tls | None) -> socket.socket:
    channel: socket.socket | None = None
    try:
        if endpoint.path:
            channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            channel.settimeout(CONNECT_TIMEOUT_S)
            channel.connect(endpoint.path)
        else:
            channel = socket.create_connection((endpoint.host, endpoint.port), timeout=CONNECT_TIMEOUT_S)
            channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is not None:
                channel = _secured(channel, endpoint, tls)
        channel.settimeout(ANSWER_TIMEOUT_S)
    except ssl.SSLError as error:
        _close(channel)
        reason = getattr(error, "verify_message", "") or error.reason or "the TLS handshake failed"
        hint = _NO_TLS if "WRONG_VERSION" in reason.upper().replace(" ", "_") else _TLS
        raise UnreadableSource(f"{endpoint}: TLS: {reason}", hint=hint) from error
    except TimeoutError as error:
        _close(channel)
        hint = _SILENT if tls is None else f"{_NO_TLS} Or it is busy or swapping: check its host."
        raise UnreadableSource(f"{endpoint} does not answer within {CONNECT_TIMEOUT_S:g} s", hint=hint) from error
    except OSError as error:
        _close(channel)
        raise UnreadableSource(
            f"{endpoint} cannot be reached: {_reason(error)}",
            hint="Check that it is running and that this machine may connect to it. In a container or cluster, use"
            " its address there.",
        ) from error
    return channel


def _secured(channel: socket.socket, endpoint: Endpoint, tls: Tls) -> socket.socket:
    try:
        context = ssl.create_default_context(cafile=tls.ca_certificates)
        if tls.certificate:
            context.load_cert_chain(tls.certificate, tls.key)
    except (OSError, ssl.SSLError) as error:
        _close(channel)
        names = ", ".join(name for name in (tls.ca_certificates, tls.certificate, tls.key) if name)
        raise UnreadableSource(
            f"the certificates cannot be used ({names}): {_reason(error)}",
            hint="The files must be PEM; see the ssl_*= options.",
        ) from error
    context.check_hostname = tls.verify and tls.check_hostname
    context.verify_mode = ssl.CERT_REQUIRED if tls.verify else ssl.CERT_NONE
    return context.wrap_socket(channel, server_hostname=endpoint.host)


def _close(channel: socket.socket | None) -> None:
    if channel is not None:
        channel.close()


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "TLS failed").replace("_", " ").lower()
    return error.strerror or type(error).__name__


def _hint(cause: BaseException | None) -> str:
    """Say what to do about a connection that broke before anything was asked."""
    if isinstance(cause, ssl.SSLError):
        return _TLS
    if cause is None or isinstance(cause, OSError):
        return _SILENT
    return "Is it the right port? A server that requires TLS has a rediss:// address."


def _way_in(error: ServerError) -> str:
    if error.kind in {"NOAUTH", "WRONGPASS"} or "AUTH" in error.text or "password" in error.text:
        return (
            "Set the password in NECROPSY_REDIS_PASSWORD, or add ?password_file=FILE to the address; write a user as"
            " redis://USER@HOST:PORT."
        )
    if error.kind == "LOADING":
        return "It is loading its dump: try again when INFO persistence shows loading:0."
    return "Ask it with redis-cli PING."


_SILENT: Final = (
    "It may be busy with a slow command, swapping, or require TLS (rediss://): check its host, or read a dump instead."
)
_NO_TLS: Final = "It may not speak TLS on this port: try redis:// instead of rediss://."
_TLS: Final = (
    "Give the authority with ?ssl_ca_certs=FILE and a client certificate with &ssl_certfile=FILE&ssl_keyfile=FILE."
)
