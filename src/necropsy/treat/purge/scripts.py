"""Scripts of the purge: fetch values, compare and delete. Old-style scripts: a full store refuses ``#!lua`` outright.

Keys are arguments, not KEYS: so one script may take sessions of all slots that a Cluster's node serves. Each session is
compared and deleted in one atomic step; what differs in anything that the judge looked at stays. A session's hash and
marker go in one UNLINK: applications that listen for the marker's end find no hash, and publish nothing.
"""

from __future__ import annotations

from typing import Final, TypeAlias

_EXPIRY_SINCE_7: Final = """\
local function expiry(key) return redis.call('PEXPIRETIME', key) end
local slack = 0
"""
_EXPIRY_BEFORE_7: Final = """\
local function expiry(key)
  local left = redis.call('PTTL', key)
  if left < 0 then return left end
  local time = redis.call('TIME')
  return left + time[1] * 1000 + math.floor(time[2] / 1000)
end
local slack = 2
"""

_FETCH: Final = """\
local answer = {}
for i = 1, #ARGV do
  local key = ARGV[i]
  local idle = redis.pcall('OBJECT', 'IDLETIME', key)
  if type(idle) == 'table' then idle = -1 end
  local fine, ends = pcall(expiry, key)
  local payload = fine and redis.pcall('DUMP', key)
  if type(payload) == 'table' then fine, payload = false, false end
  answer[#answer + 1] = idle or -1
  answer[#answer + 1] = fine and ends or -5
  answer[#answer + 1] = payload
end
return answer
"""

_SAME: Final = """\
local at = 2
local shapes = {}
for _ = 1, tonumber(ARGV[1]) do
  local shape = {kind = ARGV[at], marker = ARGV[at + 1] == '1', exact = tonumber(ARGV[at + 2]), names = {}, sized = {}}
  local absent, sized = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  at = at + 5
  for _ = 1, shape.exact + absent do
    shape.names[#shape.names + 1] = ARGV[at]
    at = at + 1
  end
  for _ = 1, sized do
    shape.sized[#shape.sized + 1] = ARGV[at]
    at = at + 1
  end
  shapes[#shapes + 1] = shape
end
local function same_hash(shape, key, elements, from)
  if redis.pcall('HLEN', key) ~= elements then return false end
  if #shape.names > 0 then
    local got = redis.call('HMGET', key, unpack(shape.names))
    for j = 1, #shape.names do
      if j <= shape.exact then
        if got[j] ~= ARGV[from + j] then return false end
      elseif got[j] then
        return false
      end
    end
  end
  for j = 1, #shape.sized do
    if redis.call('HSTRLEN', key, shape.sized[j]) ~= tonumber(ARGV[from + shape.exact + j]) then return false end
  end
  return true
end
local function same_string(key, elements, head)
  if redis.pcall('STRLEN', key) ~= elements then return false end
  if #head == elements then return redis.call('GET', key) == head end
  return redis.call('GETRANGE', key, '0', #head - 1) == head
end
local function verdict(shape, key, from)
  local found = expiry(key)
  if found == -2 then return -3 end
  local away = found - tonumber(ARGV[from + 1])
  if away > slack or away < -slack then return -4 end
  local elements = tonumber(ARGV[from + 2])
  local same
  if shape.kind == 'hash' then same = same_hash(shape, key, elements, from + 2)
  else same = same_string(key, elements, ARGV[from + 3]) end
  return same and 0 or -4
end
"""

_WHOLE: Final = """\
local function verdict(key, expires, payload)
  local found = expiry(key)
  if found == -2 then return -3 end
  local away = found - tonumber(expires)
  if away > slack or away < -slack then return -4 end
  if string.sub(redis.call('DUMP', key), 1, -11) ~= payload then return -4 end
  return 0
end
local answer = {}
for at = 1, #ARGV, 6 do
  local key, marker, ended, left = ARGV[at], ARGV[at + 3], -2, 0
  local fine, said = pcall(verdict, key, ARGV[at + 1], ARGV[at + 2])
  if not fine then said = -5 end
"""

_DELETE: Final = """\
  if said == 0 then
    if marker ~= '' and redis.pcall('STRLEN', marker) == 0 then ended = expiry(marker) end
    if ended == -2 then redis.call('UNLINK', key) else redis.call('UNLINK', key, marker) end
    if ARGV[at + 4] ~= '' and redis.pcall('SREM', ARGV[at + 4], ARGV[at + 5]) == 1 then left = 1 end
  end
"""

_COMPARE: Final = """\
  if said == 0 and marker ~= '' and redis.pcall('STRLEN', marker) == 0 then
    ended = expiry(marker)
    redis.call('UNLINK', marker)
  end
"""

_ANSWER: Final = """\
  answer[#answer + 1] = said
  answer[#answer + 1] = ended
  answer[#answer + 1] = left
end
return answer
"""

_CAP: Final = """\
local answer = {}
while at <= #ARGV do
  local shape, key = shapes[tonumber(ARGV[at])], ARGV[at + 1]
  local from = at + 1
  local values = shape.kind == 'hash' and shape.exact + #shape.sized or 1
  local after = from + 3 + values
  local fine, said = pcall(verdict, shape, key, from)
  if not fine then said = -5 end
  local ends, marker, marked, writes = ARGV[after], ARGV[after + 1], ARGV[after + 2], tonumber(ARGV[after + 3])
  if said == 0 then
    if shape.kind == 'hash' then
      for j = 1, writes, 2 do redis.call('HSET', key, ARGV[after + 3 + j], ARGV[after + 4 + j]) end
    elseif writes == 2 then
      if redis.call('GET', key) == ARGV[after + 5] then redis.call('SET', key, ARGV[after + 4]) else said = -4 end
    end
  end
  if said == 0 then
    redis.call('PEXPIREAT', key, ends)
    if marker ~= '' and redis.pcall('STRLEN', marker) == 0 then redis.call('PEXPIREAT', marker, marked) end
  end
  at = after + 4 + writes
  answer[#answer + 1] = said
  answer[#answer + 1] = tonumber(ends)
  answer[#answer + 1] = 0
end
return answer
"""
_GIVE_BACK: Final = """\
local key, ended, before = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local away, slack = expiry(key) - ended, tonumber(ARGV[9]) + slack
if away > slack or away < -slack then return 0 end
if ARGV[6] ~= '' then
  local hash = ARGV[4] == 'hash'
  local value = hash and redis.pcall('HMGET', key, ARGV[5])[1] or not hash and redis.pcall('GET', key)
  if value == ARGV[8] then
    if hash then redis.call('HSET', key, ARGV[5], ARGV[6]) else redis.call('SET', key, ARGV[6]) end
  elseif value ~= ARGV[6] then
    return 0
  end
end
if before < 0 then redis.call('PERSIST', key) else redis.call('PEXPIREAT', key, before) end
if ARGV[7] ~= '' and redis.pcall('GET', ARGV[7]) == '' then
  if before < 0 then redis.call('PERSIST', ARGV[7]) else redis.call('PEXPIREAT', ARGV[7], before - 300000) end
end
return 1
"""

GONE: Final = -3
CHANGED: Final = -4
ELSEWHERE: Final = -5
"""In a Cluster: the key's slot was, or is being, moved to another node."""
LOST: Final = -6
"""Not there when it was asked again after a broken connection: deleted, by all that is known."""
NOT_TRIED: Final = -7
"""The purge was stopped before."""
DELETED: Final = (0, LOST)
NO_MARKER: Final = -2
Answer: TypeAlias = tuple[int, int, int]
"""The outcome for a session: 0 or why not, when its marker ended, whether a set lost its member."""


def fetch(*, since_7: bool) -> str:
    """Return the script that answers idle seconds (or -1), absolute expiry and DUMP of each key in its arguments.

    >>> "DUMP" in fetch(since_7=True), "PTTL" in fetch(since_7=True)
    (True, False)
    """
    return _expiry(since_7) + _FETCH


def delete(*, since_7: bool) -> str:
    """Return the script that compares and deletes sessions.

    Arguments, of each session: its key, expiry (-1: none), value as DUMP has it (without version and checksum), marker, set
    and member, each empty where there is none.

    Answers three numbers a session: 0 deleted, -3 not there, -4 changed, -5 on another node; the marker's expiry (-1: it
    had none, -2: no marker); whether the set lost a member.
    """
    return _expiry(since_7) + _WHOLE + _DELETE + _ANSWER


def announce(*, since_7: bool) -> str:
    """Return the script that deletes the markers alone of sessions that are unchanged: applications will hear of it.

    Arguments and answer are those of ``delete``.
    """
    return _expiry(since_7) + _WHOLE + _COMPARE + _ANSWER


def cap(*, since_7: bool) -> str:
    """Return the script that compares and shortens.

    Arguments: the number of shapes; of each its kind (``hash`` or ``string``), whether pieces follow, how many fields are
    compared by value, are absent, are compared by length, and their names in this order; then of each session the number
    of its shape, its key, expiry (-1: none), elements, values and lengths (of a string: its start), its new expiry, its
    marker or nothing, the marker's new expiry, how many words follow, and those: fields with their values, or the new
    string and the old. Answers 0 or why not, the new expiry, 0.
    """
    return _expiry(since_7) + _SAME + _CAP


def give_back(*, since_7: bool) -> str:
    """Return the script that takes a shortening back if nobody has used the session since.

    Arguments: key, the expiry it was given, the one it had (-1: none), ``hash`` or ``string``, the field, its old value (or
    the old string; empty: nothing was written), the marker, the value that the shortening wrote, milliseconds by which the
    expiry may differ. Answers 1, or 0 when its expiry or its value is another by now.
    """
    return _expiry(since_7) + _GIVE_BACK


def _expiry(since_7: bool) -> str:
    return _EXPIRY_SINCE_7 if since_7 else _EXPIRY_BEFORE_7
