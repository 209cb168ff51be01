"""What Valkey does in one step: each script is one decision of `ports.mailboxes`, the shared words stand before it.

Keys below the prefix: `b:` a mailbox (hash: version, state, person, n0 n1 the nodes that serve its seats, k0 k1
digests of tokens, and its bodies as `<seat>:<sequence>`), `k:` a token's digest, `p:` a person's mailbox, `t:` a used
ticket, `a:` instants of a person's acts (newest first), `w:` a person's
wrong claims, `n:` a network, `taken` numbers by the instant they are free
again, `since` the first second whose tickets it remembers. What nobody ends, ends by its time to live. Nodes are told
over their own channel: `C` + news, or `E` + mailbox + why.
"""

from __future__ import annotations

from typing import Final

_WORDS: Final = """
local P, at = ARGV[1], tonumber(ARGV[2])
local function ms(seconds) return math.max(1, math.ceil(tonumber(seconds) * 1000)) end
local function unknown(ticket, issued)
  local since = redis.call('GET', P .. 'since')
  if not since then
    since = math.floor(at) + 1
    redis.call('SET', P .. 'since', since)
  end
  if tonumber(issued) < tonumber(since) then return 'ticket-invalid' end
  if redis.call('EXISTS', P .. 't:' .. ticket) == 1 then return 'ticket-used' end
end
local function use(ticket, life) redis.call('SET', P .. 't:' .. ticket, '1', 'PX', ms(life)) end
local function wait(act, window, most)
  if most == 0 then return window end
  local oldest = redis.call('LINDEX', P .. 'a:' .. act, most - 1)
  if oldest and tonumber(oldest) > at - window then return tonumber(oldest) + window - at end
  return 0
end
local function count(act, window, most)
  local key = P .. 'a:' .. act
  redis.call('LPUSH', key, ARGV[2])
  redis.call('LTRIM', key, 0, most - 1)
  redis.call('PEXPIRE', key, ms(window))
end
local function tell(news, nodes, but)
  local told = {[but] = true}
  for _, node in ipairs(nodes) do
    if node and node ~= '' and not told[node] then
      told[node] = true
      redis.call('PUBLISH', P .. 'node:' .. node, news)
    end
  end
end
local function forget(mailbox, why, rest, but)
  local box = redis.call('HMGET', P .. 'b:' .. mailbox, 'person', 'k0', 'k1', 'n0', 'n1')
  if not box[1] then return end
  redis.call('DEL', P .. 'b:' .. mailbox, P .. 'k:' .. box[2], P .. 'k:' .. (box[3] or ''))
  if redis.call('GET', P .. 'p:' .. box[1]) == mailbox then redis.call('DEL', P .. 'p:' .. box[1]) end
  redis.call('ZADD', P .. 'taken', at + rest, mailbox)
  tell('E' .. mailbox .. why, {box[4] or '', box[5] or ''}, but)
end
"""

ADMIT: Final = (
    _WORDS
    + """
local key, most, window = P .. 'n:' .. ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local found = redis.call('HMGET', key, 'connections', 'ends')
local connections, ends = tonumber(found[1] or 0), tonumber(found[2] or 0)
if ends <= at then connections, ends = 0, at + window end
if connections >= most then return tostring(ends - at) end
redis.call('HSET', key, 'connections', connections + 1, 'ends', ends)
redis.call('PEXPIRE', key, ms(window))
return '0'
"""
)
"""network, connections, window → seconds to wait."""

CLAIM: Final = (
    _WORDS
    + """
local paused = tonumber(redis.call('HGET', P .. 'w:' .. ARGV[3], 'paused') or 0)
return tostring(math.max(0, paused - at))
"""
)
"""person → seconds to wait."""

WRONG: Final = (
    _WORDS
    + """
local key, most, window, pause = P .. 'w:' .. ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local found = redis.call('HMGET', key, 'wrong', 'ends', 'paused')
local wrong, ends, paused = tonumber(found[1] or 0), tonumber(found[2] or 0), tonumber(found[3] or 0)
if paused > at then return tostring(paused - at) end
if ends <= at then wrong, ends = 0, at + window end
redis.call('HSET', key, 'wrong', wrong + 1, 'ends', ends)
if wrong + 1 >= most then redis.call('HSET', key, 'paused', at + pause) end
redis.call('PEXPIRE', key, ms(math.max(window, pause)))
return '0'
"""
)
"""person, wrong claims, window, pause → seconds to wait."""

SHOW: Final = (
    _WORDS
    + """
local refused = unknown(ARGV[3], ARGV[4])
if refused then return refused end
use(ARGV[3], ARGV[5])
return 'ok'
"""
)
"""ticket, when issued, life."""

OPEN: Final = (
    _WORDS
    + """
local ticket, issued, ticket_life, person, act = ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local window, most, taken_most, rest = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local state, life, token, node, keep = ARGV[12], ARGV[13], ARGV[14], ARGV[15], ARGV[16]
local refused = unknown(ticket, issued)
if refused then return {refused} end
use(ticket, ticket_life)
local late = wait(act, window, most)
if late > 0 then return {'copy-too-many', tostring(late)} end
redis.call('ZREMRANGEBYSCORE', P .. 'taken', '-inf', ARGV[2])
if redis.call('ZCARD', P .. 'taken') >= taken_most then return {'copy-full'} end
local free
for draw = 17, #ARGV do
  if not redis.call('ZSCORE', P .. 'taken', ARGV[draw]) then free = ARGV[draw] break end
end
if not free then return {'copy-full'} end
count(act, window, most)
local former = redis.call('GET', P .. 'p:' .. person)
if former then forget(former, 'cancelled', rest, '') end
redis.call('ZADD', P .. 'taken', at + life + rest, free)
redis.call('HSET', P .. 'b:' .. free, 'version', 1, 'state', state, 'person', person, 'k0', token, 'n0', node)
redis.call('PEXPIRE', P .. 'b:' .. free, ms(life))
redis.call('SET', P .. 'k:' .. token, free .. '0', 'PX', ms(keep))
redis.call('SET', P .. 'p:' .. person, free, 'PX', ms(keep))
return {'ok', free}
"""
)
"""ticket, when issued, its life, person, act, window, most, taken, rest, state, life, token, node, longest life, then
draws."""

CHANGE: Final = (
    _WORDS
    + """
local mailbox, version, state, life, seat = ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local node, news, takes, has_body, body = ARGV[8], ARGV[9], ARGV[10], ARGV[11], ARGV[12]
local ticket, issued, ticket_life, act = ARGV[13], ARGV[14], ARGV[15], ARGV[16]
local window, most, token, rest, keep = tonumber(ARGV[17]), tonumber(ARGV[18]), ARGV[19], tonumber(ARGV[20]), ARGV[21]
local key = P .. 'b:' .. mailbox
local refused = ticket ~= '' and unknown(ticket, issued)
if refused then return {refused} end
local box = redis.call('HMGET', key, 'version', 'n0', 'n1')
if box[1] ~= version then return {'stale'} end
if ticket ~= '' then use(ticket, ticket_life) end
if act ~= '' then
  local late = wait(act, window, most)
  if late > 0 then return {'copy-too-many', tostring(late)} end
  count(act, window, most)
end
redis.call('HSET', key, 'version', version + 1, 'state', state)
redis.call('PEXPIRE', key, ms(life))
if takes == '1' then redis.call('HSET', key, 'n' .. seat, node) end
if has_body == '1' then
  redis.call('HSET', key, seat .. ':' .. redis.call('HINCRBY', key, 'sent' .. seat, 1) - 1, body)
end
if token ~= '' then
  redis.call('HSET', key, 'k' .. seat, token)
  redis.call('SET', P .. 'k:' .. token, mailbox .. seat, 'PX', ms(keep))
  redis.call('ZADD', P .. 'taken', at + life + rest, mailbox)
end
tell('C' .. news, {box[2] or '', box[3] or ''}, node)
return {'ok'}
"""
)
"""mailbox, version, state, life, seat, node, news, takes, has a body, body, ticket, when issued, its life, act, window,
most, token, rest, longest life."""

END: Final = (
    _WORDS
    + """
if redis.call('HGET', P .. 'b:' .. ARGV[3], 'version') ~= ARGV[4] then return 'stale' end
forget(ARGV[3], ARGV[5], tonumber(ARGV[6]), ARGV[7])
return 'ok'
"""
)
"""mailbox, version, why, rest, node."""
