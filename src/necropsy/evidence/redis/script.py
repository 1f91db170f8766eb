"""The second way in: SCAN and everything that is asked of its keys, in one script on the server, a slice at a time.

The script only reads; the gate reads its text before it is sent. It keeps to its time: what it does not get to, it hands
back by name. Since 7.2 the time of TIME stands still in a script, and ``os.clock`` is there instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from necropsy.evidence.redis.page import Answer, Fields, Names, Page, Sparse, type_place
from necropsy.evidence.redis.permissions import Permission, Permissions, hint, outcome_of
from necropsy.model.errors import UnreadableSource
from necropsy.wire.redis.replies import ServerError

if TYPE_CHECKING:
    from necropsy.sessions.keyspace import Projection
    from necropsy.wire.redis.connection import Connection
    from necropsy.wire.redis.gate import Gate

WHOLE: Final = 512
"""Most members of a set that are read at once."""
SMALL: Final = 16 << 10
"""Bytes of a hash up to which its fields are fetched before their lengths are known."""
LONG: Final = 1 << 20
"""Bytes of a value up to which it is fetched to keep its start: a field of a hash cannot be read in part."""
SAMPLES: Final = 64
"""Elements that MEMORY USAGE looks at. Its own 5 would be the same five fields in each of a million like sessions."""
LONGEST_US: Final = 5_000
AFTERWARDS: Final = 1.25
"""The script reads its clock before the server turns what it returns into a reply, which takes about a quarter more."""

_SCRIPT: Final = """\
local fields, keeps, marks, names = {}, {}, {}, {}
local at = 6
for _ = 1, tonumber(ARGV[4]) do
  fields[#fields + 1] = ARGV[at]
  keeps[#keeps + 1] = tonumber(ARGV[at + 1])
  at = at + 2
end
for _ = 1, tonumber(ARGV[5]) do
  marks[#marks + 1] = ARGV[at]
  at = at + 1
end
local clock = rawget(_G, 'os') and os.clock
local function now()
  if clock then return clock() * 1000000 end
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
local began, limit, over = now(), tonumber(ARGV[3]), false
local cursor = '0'
if ARGV[1] == '' then
  for i = at, #ARGV do names[#names + 1] = ARGV[i] end
else
  local page = redis.call('SCAN', ARGV[1], 'COUNT', ARGV[2])
  cursor, names = page[1], page[2]
end
local of = {embstr = 'string', int = 'string', intset = 'set', skiplist = 'zset', quicklist = 'list', stream = 'stream'}
local place, words, word_count = {}, {}, 0
local function word(text)
  if not text then return 0 end
  local found = place[text]
  if not found then
    word_count = word_count + 1
    words[word_count] = text
    place[text] = word_count
    found = word_count
  end
  return found
end
local keys, types, encodings, expires, idles, freqs, counts, usages = {}, {}, {}, {}, {}, {}, {}, {}
local head_rows, heads, member_rows, members = {}, {}, {}, {}
local field_rows, values, lengths = {}, {}, {}
for j = 1, #fields do values[j] = {} lengths[j] = {} end
local n, f, gone, denied, unread, left, large = 0, 0, 0, 0, 0, {}, {}
local usage_of = {}
@if pttl@ local last = -1
local function milliseconds()
  local time = redis.call('TIME')
  return math.floor(time[1] * 1000 + time[2] / 1000)
end @end@
local function marked(key)
  for j = 1, #marks do
    if string.find(key, marks[j], 1, true) then return true end
  end
  return false
end
@if careful@ local function careful(key)
  local found = false
  for j = 1, #fields do
    local length = redis.call('HSTRLEN', key, fields[j])
    values[j][f + 1], lengths[j][f + 1] = false, false
    if length > 0 then
      found = true
      values[j][f + 1], lengths[j][f + 1] = '', length
      if keeps[j] > 0 then
        if length > @LONG@ then
          unread = unread + 1
        else
          values[j][f + 1] = string.sub(redis.call('HMGET', key, fields[j])[1] or '', 1, keeps[j])
        end
      end
    @if hexists@ elseif redis.call('HEXISTS', key, fields[j]) == 1 then
      found = true
      values[j][f + 1], lengths[j][f + 1] = '', 0
    @end@ end
  end
  return found
end @end@
@if fields@ local function at_once(key)
  local got, found = redis.call('HMGET', key, unpack(fields)), false
  for j = 1, #fields do
    local value = got[j]
    if value then
      found = true
      lengths[j][f + 1] = #value
      if #value > keeps[j] then value = string.sub(value, 1, keeps[j]) end
      values[j][f + 1] = value
    else
      values[j][f + 1], lengths[j][f + 1] = false, false
    end
  end
  return found
end @end@
for i = 1, #names do
  local key = names[i]
  if i % 8 == 0 and not over then over = now() - began > limit end
  if over then
    left[#left + 1] = key
  else
    @if pexpiretime@ local expiry = redis.pcall('PEXPIRETIME', key) @end@
    @if pttl@ local expiry = redis.pcall('PTTL', key) @end@
    @if never@ local expiry = redis.pcall('TYPE', key)
    if expiry.ok then expiry = expiry.ok == 'none' and -2 or -1 end @end@
    if type(expiry) == 'table' then
      if string.find(expiry.err, 'NOPERM', 1, true) or string.find(expiry.err, 'access', 1, true) then
        denied = denied + 1
      else
        gone = gone + 1
      end
    elseif expiry == -2 then
      gone = gone + 1
    else
      @if pttl@ if expiry >= 0 then
        local at = milliseconds()
        while at ~= last do
          last = at
          expiry = redis.call('PTTL', key)
          at = milliseconds()
        end
        expiry = expiry + at
      end @end@
      if expiry == -1 then expiry = false end
      local idle, freq, encoding, usage, count, kind = false, false, false, false, false, false
      @if idle@ idle = redis.call('OBJECT', 'IDLETIME', key) @end@
      @if freq@ freq = redis.call('OBJECT', 'FREQ', key) @end@
      @if encoding@ encoding = redis.call('OBJECT', 'ENCODING', key) @end@
      kind = of[encoding] or redis.call('TYPE', key).ok
      @if strlen@ if kind == 'string' then count = redis.call('STRLEN', key) end @end@
      @if hlen@ if kind == 'hash' then count = redis.call('HLEN', key) end @end@
      @if scard@ if kind == 'set' then count = redis.call('SCARD', key) end @end@
      @if zcard@ if kind == 'zset' then count = redis.call('ZCARD', key) end @end@
      @if llen@ if kind == 'list' then count = redis.call('LLEN', key) end @end@
      @if xlen@ if kind == 'stream' then count = redis.call('XLEN', key) end @end@
      @if usage@
      local class = false
      if encoding == 'embstr' then class = (count or 0) * 65536 + #key * 2 + (expiry and 1 or 0) end
      usage = class and usage_of[class]
      if not usage then
        usage = redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '@SAMPLES@')
        if class then usage_of[class] = usage end
      end
      @end@
      local wanted = (kind == 'set' or kind == 'zset') and marked(key)
      if wanted and (count or 0) > @WHOLE@ then
        large[#large + 1] = key
      else
        n = n + 1
        keys[n], expires[n], idles[n], freqs[n], counts[n], usages[n] = key, expiry, idle, freq, count, usage
        types[n], encodings[n] = word(kind), word(encoding)
        if kind == 'hash' then
          @if fields@
          local found
          @if careful@ if not usage or usage > @SMALL@ then found = careful(key) else found = at_once(key) end @end@
          @if at_once@ found = at_once(key) @end@
          if found then
            f = f + 1
            field_rows[f] = n - 1
          end
          @end@
        elseif wanted then
          @if smembers@ if kind == 'set' then
            member_rows[#member_rows + 1] = n - 1
            members[#members + 1] = redis.call('SMEMBERS', key)
          end @end@
          @if zrange@ if kind == 'zset' then
            member_rows[#member_rows + 1] = n - 1
            members[#members + 1] = redis.call('ZRANGE', key, '0', '-1')
          end @end@
        @if head@ elseif kind == 'string' then
          head_rows[#head_rows + 1] = n - 1
          heads[#heads + 1] = redis.call('GETRANGE', key, '0', '@LAST@')
        @end@ end
      end
    end
  end
end
for j = 1, #fields do values[j][f + 1] = nil lengths[j][f + 1] = nil end
return {
  cursor, left, large, gone, denied, unread, math.floor(now() - began), words, keys, types, encodings, expires, idles,
  freqs, counts, usages, head_rows, heads, member_rows, members, field_rows, values, lengths,
}
"""


def compose(permissions: Permissions, projection: Projection, *, lfu: bool) -> str:
    """Return the script for what this user may ask and what is wanted: a part that is not allowed is not in it.

    Parameters
    ----------
    lfu
        The server counts uses, not idle times.
    """
    parts = {
        name: name in permissions for name in ("encoding", "usage", "strlen", "hlen", "llen", "scard", "zcard", "xlen")
    }
    hashes = bool(projection.hash_fields) and "hmget" in permissions
    parts |= {
        "pexpiretime": "pexpiretime" in permissions,
        "pttl": "pexpiretime" not in permissions and "pttl" in permissions,
        "never": "pexpiretime" not in permissions and "pttl" not in permissions,
        "idle": "idle" in permissions and not lfu,
        "freq": "freq" in permissions and lfu,
        "fields": hashes,
        "careful": hashes and "hstrlen" in permissions,
        "at_once": hashes and "hstrlen" not in permissions,
        "hexists": "hexists" in permissions,
        "smembers": "smembers" in permissions,
        "zrange": "zrange" in permissions,
        "head": bool(projection.string_bytes) and "getrange" in permissions,
    }
    numbers = {
        "LONG": LONG,
        "SAMPLES": SAMPLES,
        "WHOLE": WHOLE,
        "SMALL": SMALL,
        "LAST": max(projection.string_bytes - 1, 0),
    }
    return _fill(_SCRIPT, parts, numbers)


def _fill(text: str, parts: dict[str, bool], numbers: dict[str, int]) -> str:
    """Keep or drop what stands between ``@if name@`` and ``@end@``, which may be nested, and write the numbers in."""
    kept: list[str] = []
    shown = [True]
    for place, piece in enumerate(text.split("@")):
        if place % 2 == 0:
            kept.append(piece if shown[-1] else "")
        elif piece.startswith("if "):
            shown.append(shown[-1] and parts[piece[3:]])
        elif piece == "end":
            shown.pop()
        elif shown[-1]:
            kept.append(str(numbers[piece]))
    return "\n".join(line for line in "".join(kept).splitlines() if line.strip()) + "\n"


class ScriptWay:
    """Asks for slices by running the script.

    Raises
    ------
    UnreadableSource
        Scripts are forbidden, or not known, here.
    """

    name: Final = "script"

    def __init__(
        self,
        connection: Connection,
        gate: Gate,
        permissions: Permissions,
        projection: Projection,
        names: Names,
        *,
        lfu: bool,
    ) -> None:
        self._connection = connection
        self._names = names
        self._text = compose(permissions, projection, lfu=lfu)
        self._digest = gate.admit(self._text)
        fields = [word for name, keep in projection.hash_fields for word in (name, b"%d" % keep)]
        if "hmget" not in permissions:
            fields = []
        self._tail = [b"%d" % (len(fields) // 2), b"%d" % len(projection.members_of), *fields, *projection.members_of]
        self._asked: list[Any] = []
        self._verb, self._whole = self._try_out()

    def use(self, connection: Connection) -> None:
        """Go on with another connection to the same server."""
        self._connection = connection

    def ask(self, cursor: bytes, names: Sequence[bytes], count: int, slice_s: float) -> None:
        """Ask for a slice: of the scan, or of keys by name."""
        limit = min(LONGEST_US, int(2e6 * slice_s))
        self._asked = [b"" if names else cursor, count, limit, *self._tail, *names]
        self._connection.send([self._command(self._verb, whole=self._whole)])

    def answer(self) -> Answer:
        """Return the slice that was asked for.

        Raises
        ------
        ServerError
            The server stopped the script.
        """
        reply = self._connection.receive(1)[0]
        if isinstance(reply, ServerError) and reply.kind == "NOSCRIPT":
            reply = self._connection.pipeline([self._command(self._verb, whole=True)])[0]
        if isinstance(reply, ServerError):
            raise reply
        return read_reply(reply, self._names)

    def _command(self, verb: bytes, *, whole: bool) -> list[Any]:
        if whole:
            return [verb, self._text, 0, *self._asked]
        return [verb.replace(b"EVAL", b"EVALSHA"), self._digest, 0, *self._asked]

    def _try_out(self) -> tuple[bytes, bool]:
        """Run the script on no keys, in the safer form first; return what worked, and whether by its text alone."""
        self._asked = [b"", 0, 1000, *self._tail]
        reasons: list[ServerError] = []
        for verb in (b"EVAL_RO", b"EVAL"):
            answers = self._connection.pipeline([self._command(verb, whole=whole) for whole in (True, False)])
            if not isinstance(answers[0], ServerError):
                return verb, isinstance(answers[1], ServerError)
            reasons.append(answers[0])
        forbidden = [reason for reason in reasons if outcome_of(reason) is Permission.FORBIDDEN]
        outcome = Permission.FORBIDDEN if forbidden else Permission.UNKNOWN
        raise UnreadableSource(
            f"scripts cannot be used: {(forbidden or reasons)[0].text}", hint=hint("+eval_ro +evalsha_ro", outcome)
        )


def read_reply(reply: Sequence[Any], names: Names) -> Answer:
    """Turn what the script returns into a page."""
    cursor, left, large, gone, denied, unread, microseconds, words, keys, types, encodings, *rest = reply
    expires, idle, freq, counts, usage, head_rows, heads, member_rows, members, field_rows, values, lengths = rest
    # Places in the script's own list of words, which begins with 1; 0 is no word.
    types_met, encodings_met = set(types), set(encodings)
    type_of = {place: type_place(words[place - 1]) for place in types_met}
    encoding_of = {place: names.encoding(words[place - 1] if place else None) for place in encodings_met}
    page = Page(
        keys=keys,
        types=[type_of[place] for place in types],
        encodings=[encoding_of[place] for place in encodings],
        expires=expires,
        idle=idle,
        freq=freq,
        elements=counts,
        usage=usage,
        heads=Sparse(head_rows, heads),
        members=Sparse(member_rows, members),
        fields=Fields(field_rows, values, lengths) if field_rows else Fields(),
    )
    return Answer(
        page,
        cursor=cursor,
        seconds=AFTERWARDS * microseconds / 1e6,
        left=left,
        large=large,
        gone=gone,
        denied=denied,
        unread=unread,
    )
