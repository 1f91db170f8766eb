"""The text of the script that scans: put together from what this user may ask and what is wanted of the values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.evidence.redis.cost_sampling import SAMPLED, SMALL
from necropsy.sessions.keyspace import MOST_COUNTED

if TYPE_CHECKING:
    from necropsy.evidence.redis.permissions import Permissions
    from necropsy.sessions.keyspace import Projection

WHOLE: Final = 512
"""Most members of a set that are read at once."""
LONG: Final = 1 << 20
"""Bytes of a value up to which it is fetched to keep its start: a field of a hash cannot be read in part."""
SAMPLES: Final = 64
"""Elements that MEMORY USAGE looks at. Its own 5 would be the same five fields in each of a million like sessions."""
CLOCK: Final = 16
"""Keys after which the script looks at its clock, as costly as a question; those that are asked everything count twice."""

_SCRIPT: Final = """\
local match, find, sub, byte, char, floor = string.match, string.find, string.sub, string.byte, string.char, math.floor
local fields, keeps, repeats, marks, names = {}, {}, {}, {}, {}
local counts_empty, asked_for = {}, {}
local at = 7
for _ = 1, tonumber(ARGV[4]) do
  fields[#fields + 1] = ARGV[at]
  keeps[#keeps + 1] = tonumber(ARGV[at + 1])
  repeats[#repeats + 1] = ARGV[at + 2] == '1'
  counts_empty[#counts_empty + 1] = ARGV[at + 3] == '1'
  asked_for[ARGV[at]] = true
  at = at + 4
end
for _ = 1, tonumber(ARGV[5]) do
  marks[#marks + 1] = ARGV[at]
  at = at + 1
end
local families, any, places_of, fields_of = {}, false, {}, {}
for group = 1, tonumber(ARGV[6]) do
  local family, count = ARGV[at], tonumber(ARGV[at + 2])
  families[family] = families[family] or {kind = ARGV[at + 1]}
  families[family][count] = group
  if ARGV[at + 3] == '1' then families[family].only = count end
  local places, asked = {byte(ARGV[at + 4], 1, -1)}, {}
  if #places > 0 then
    for i = 1, #places do asked[i] = fields[places[i]] end
    places_of[group], fields_of[group] = places, asked
  end
  any = true
  at = at + 5
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
local keys, sizes, expires, counts, groups = {}, {}, {}, {}, {}
local size_of, name_of = {}, {[0] = char(0)}
local function size(length)
  local bytes = char(length % 256, floor(length / 256) % 256, floor(length / 65536) % 256, floor(length / 16777216))
  size_of[length] = bytes
  return bytes
end
for group = 1, tonumber(ARGV[6]) do name_of[group] = char(group) end
local types, encodings, idles, freqs, usages, d = {}, {}, {}, {}, {}, 0
local head_rows, heads, member_rows, members = {}, {}, {}, {}
local field_rows, values, lengths, filled, cut = {}, {}, {}, {}, {}
for j = 1, #fields do values[j], lengths[j], filled[j], cut[j] = {}, {}, 0, 0 end
local empty_rows, empties = {}, {}
local n, f = 0, 0
local had, empty, counted = 0, 0, false
local due = @CLOCK@
local texts, place_of, text_count = {}, {}, 0
local function put(j, value, length)
  local column, row = values[j], f + 1
  had = had + 1
  if counts_empty[j] then counted = true end
  if value == '' and not length then empty = empty + 1 end
  if repeats[j] then
    local found = place_of[value]
    if not found then
      text_count = text_count + 1
      texts[text_count] = value
      place_of[value] = text_count
      found = text_count
    end
    value = found
  end
  for before = filled[j] + 1, f do column[before] = false end
  column[row], filled[j] = value, row
  if length then
    column = lengths[j]
    for before = cut[j] + 1, f do column[before] = false end
    column[row], cut[j] = length, row
  end
end
local gone, denied, unread, left, large = 0, 0, 0, {}, {}
local usage_of = {}
@if pttl@ local last = -1
local function milliseconds()
  local time = redis.call('TIME')
  return floor(time[1] * 1000 + time[2] / 1000)
end @end@
local function marked(key)
  for j = 1, #marks do
    if find(key, marks[j], 1, true) then return true end
  end
  return false
end
local colon = {}
local function family_of(key)
  local guess = colon[#key]
  local family = guess and families[sub(key, 1, guess)]
  if family and not find(key, ':', guess + 1, true) then return family end
  local name = match(key, '^.*:') or ''
  colon[#key] = #name
  return families[name]
end
local function alike(key)
  local family = family_of(key)
  if not family then return end
  local last, other, third = byte(key, -3, -1)
  if third and (last * 3 + other * 5 + third * 7) % @SAMPLED@ == 0 then return end
  local kind, count = family.kind, family.only
  local read = false
  @if fields@ read = read or kind == 'hash' @end@
  @if head@ read = read or kind == 'string' and count ~= 0 @end@
  read = read or (kind == 'set' or kind == 'zset') and marked(key)
  if count and not read then return kind, count, family[count] end
  @if strlen@ if kind == 'string' then count = redis.pcall('STRLEN', key) end @end@
  @if hlen@ if kind == 'hash' then count = redis.pcall('HLEN', key) end @end@
  @if scard@ if kind == 'set' then count = redis.pcall('SCARD', key) end @end@
  @if zcard@ if kind == 'zset' then count = redis.pcall('ZCARD', key) end @end@
  @if llen@ if kind == 'list' then count = redis.pcall('LLEN', key) end @end@
  if not count or type(count) == 'table' or not family[count] then return end
  return kind, count, family[count]
end
@if careful@ local function careful(key)
  local found = false
  for j = 1, #fields do
    local length = redis.call('HSTRLEN', key, fields[j])
    if length > 0 then
      found = true
      local value = ''
      if keeps[j] > 0 then
        if length > @LONG@ then
          unread = unread + 1
        else
          value = sub(redis.call('HMGET', key, fields[j])[1] or '', 1, keeps[j])
        end
      end
      put(j, value, #value < length and length)
    @if hexists@ elseif redis.call('HEXISTS', key, fields[j]) == 1 then
      found = true
      put(j, '', false)
    @end@ end
  end
  return found
end @end@
@if fields@ local function keep(j, value)
  if #value > keeps[j] then put(j, sub(value, 1, keeps[j]), #value) else put(j, value, false) end
end
local function at_once(key)
  local got, found = redis.pcall('HMGET', key, unpack(fields)), false
  if got.err then return nil end
  for j = 1, #fields do
    if got[j] then
      found = true
      keep(j, got[j])
    end
  end
  return found
end
local function as_known(key, group)
  local places = places_of[group]
  if not places then return at_once(key) end
  local got = redis.pcall('HMGET', key, unpack(fields_of[group]))
  if got.err then return nil end
  for i = 1, #places do
    if not got[i] then return at_once(key) end
  end
  for i = 1, #places do keep(places[i], got[i]) end
  return true
end @end@
@if empties@ local function empty_fields(key, count)
  if count > had then
    local all = redis.call('HKEYS', key)
    for i = 1, #all do
      if not asked_for[all[i]] and redis.call('HSTRLEN', key, all[i]) == 0 then empty = empty + 1 end
    end
  end
  empty_rows[#empty_rows + 1] = n - 1
  empties[#empties + 1] = empty
end @end@
for i = 1, #names do
  local key = names[i]
  if due <= 0 and not over then
    over = now() - began > limit
    due = @CLOCK@
  end
  if over then
    left[#left + 1] = key
  else
    due = due - 1
    @if pexpiretime@ local expiry = redis.pcall('PEXPIRETIME', key) @end@
    @if pttl@ local expiry = redis.pcall('PTTL', key) @end@
    @if never@ local expiry = redis.pcall('TYPE', key)
    if expiry.ok then expiry = expiry.ok == 'none' and -2 or -1 end @end@
    if type(expiry) == 'table' then
      if find(expiry.err, 'NOPERM', 1, true) or find(expiry.err, 'access', 1, true) then
        denied = denied + 1
      elseif find(expiry.err, 'undeclared', 1, true) then
        return expiry
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
      local group = false
      if any then kind, count, group = alike(key) end
      if not group then
      due = due - 1
      @if idle@ idle = redis.call('OBJECT', 'IDLETIME', key) @end@
      @if freq@ freq = redis.call('OBJECT', 'FREQ', key) @end@
      @if encoding@ encoding = redis.call('OBJECT', 'ENCODING', key) @end@
      count = false
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
      end
      local wanted = (kind == 'set' or kind == 'zset') @if lasting@ and not expiry @end@ and marked(key)
      if wanted and (count or 0) > @WHOLE@ then
        large[#large + 1] = key
      else
        n = n + 1
        keys[n], sizes[n], expires[n], groups[n] = key, size_of[#key] or size(#key), expiry, name_of[group or 0]
        if not group then
          d = d + 1
          types[d], encodings[d], counts[d] = word(kind), word(encoding), count
          idles[d], freqs[d], usages[d] = idle, freq, usage
        end
        if kind == 'hash' then
          @if fields@
          local found
          had, empty, counted = 0, 0, false
          if group then found = as_known(key, group) else
          @if careful@ if usage and usage <= @SMALL@ then found = at_once(key) else found = careful(key) end @end@
          @if at_once@ found = at_once(key) @end@
          end
          if found then
            f = f + 1
            field_rows[f] = n - 1
            @if empties@ if counted and count and count <= @MOST_COUNTED@ then empty_fields(key, count) end @end@
          elseif found == nil then
            large[#large + 1] = key
            n = n - 1
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
          local head = count == 0 and '' or redis.pcall('GETRANGE', key, '0', '@LAST@')
          if type(head) == 'table' then
            large[#large + 1] = key
            n = n - 1
          else
            head_rows[#head_rows + 1] = n - 1
            heads[#heads + 1] = head
          end
        @end@ end
      end
    end
  end
end
for j = 1, #fields do
  if filled[j] > 0 then
    for row = filled[j] + 1, f do values[j][row] = false end
  end
  if cut[j] > 0 then
    for row = cut[j] + 1, f do lengths[j][row] = false end
  end
end
keys[n + 1], sizes[n + 1], expires[n + 1], groups[n + 1] = nil, nil, nil, nil
return {
  cursor, left, large, gone, denied, unread, floor(now() - began), words,
  table.concat(keys), table.concat(sizes), table.concat(groups), expires, counts,
  types, encodings, idles, freqs, usages, head_rows, heads, member_rows, members, field_rows, texts, values, lengths,
  empty_rows, empties,
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
        "empties": hashes and bool(projection.empty_fields_beside) and counts_empty_fields(permissions),
        "lasting": projection.lasting_members,
        "smembers": "smembers" in permissions,
        "zrange": "zrange" in permissions,
        "head": bool(projection.string_bytes) and "getrange" in permissions,
    }
    numbers = {
        "LONG": LONG,
        "SAMPLES": SAMPLES,
        "WHOLE": WHOLE,
        "MOST_COUNTED": MOST_COUNTED,
        "SMALL": SMALL,
        "CLOCK": CLOCK,
        "SAMPLED": SAMPLED,
        "LAST": max(projection.string_bytes - 1, 0),
    }
    return _fill(_SCRIPT, parts, numbers)


def counts_empty_fields(permissions: Permissions) -> bool:
    """Tell whether this user may ask for all that tells which fields of a hash are empty."""
    return all(name in permissions for name in ("hlen", "hkeys", "hstrlen"))


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
