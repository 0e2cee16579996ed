/*
 * The scripts of the store. KEYS: meta, states, timers, outbox (one hash slot). Redis 6.2 commands only.
 * A script is atomic in Redis, and `appendfsync always` makes it durable before the reply: that is the commit.
 */

const FENCE = `
local held = redis.call('HMGET', KEYS[1], 'owner', 'next', 'commits')
if held[1] ~= ARGV[1] or (held[2] or '0') ~= ARGV[2] or (held[3] or '0') ~= ARGV[3] then
  return redis.error_reply('FENCED owner or position changed')
end
`;

/** ARGV: owner. Reply: meta fields, then outbox as a flat list. */
export const ACQUIRE_SCRIPT = `
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
return {redis.call('HMGET', KEYS[1], 'next', 'ordinal', 'logTime', 'sequence', 'inForce', 'applied', 'restoring', 'commits'), redis.call('HGETALL', KEYS[4])}
`;

/** ARGV: owner, next, commits, timers' bound ('' for none), timers' limit, keys. Reply: states, timers (flat), timers' states, next timer. */
export const LOAD_SCRIPT = `
${FENCE}
local function get(keys)
  local values = {}
  for from = 1, #keys, 1000 do
    local part = redis.call('HMGET', KEYS[2], unpack(keys, from, math.min(from + 999, #keys)))
    for i = 1, #part do values[#values + 1] = part[i] end
  end
  return values
end
local keys = {}
for i = 6, #ARGV do keys[#keys + 1] = ARGV[i] end
local timers, due, after = {}, {}, false
if ARGV[4] ~= '' then
  local limit = tonumber(ARGV[5])
  timers = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', ARGV[4], 'WITHSCORES', 'LIMIT', 0, limit)
  for i = 1, #timers, 2 do due[#due + 1] = timers[i] end
  local later = redis.call('ZRANGE', KEYS[3], #due, #due, 'WITHSCORES')
  after = later[2] or false
end
return {get(keys), timers, get(due), after}
`;

/**
 * ARGV: owner, next, commits (expected); next, ordinal, logTime, sequence, inForce, applied, restoring, commits (new);
 * number of acknowledged outboxes and their numbers; outbox number ('' for none) and bytes; number of states set and (key, bytes)s; number
 * removed and keys; number of timers set and (dueAt, key)s; number removed and keys.
 */
export const COMMIT_SCRIPT = `
${FENCE}
redis.call('HSET', KEYS[1], 'next', ARGV[4], 'ordinal', ARGV[5], 'logTime', ARGV[6], 'sequence', ARGV[7], 'inForce', ARGV[8], 'applied', ARGV[9], 'restoring', ARGV[10], 'commits', ARGV[11])
local at = 12
local function apply(command, key, width)
  local count = tonumber(ARGV[at]) * width
  at = at + 1
  local last = at + count - 1
  while at <= last do
    local to = math.min(at + 999, last)
    redis.call(command, key, unpack(ARGV, at, to))
    at = to + 1
  end
end
apply('HDEL', KEYS[4], 1)
if ARGV[at] ~= '' then redis.call('HSET', KEYS[4], ARGV[at], ARGV[at + 1]) end
at = at + 2
apply('HSET', KEYS[2], 2)
apply('HDEL', KEYS[2], 1)
apply('ZADD', KEYS[3], 2)
apply('ZREM', KEYS[3], 1)
return 'OK'
`;

const GUARD = `
local held = redis.call('HMGET', KEYS[1], 'owner', 'next', 'ordinal')
if held[1] ~= ARGV[1] or tonumber(held[2] or '0') < tonumber(ARGV[2]) then
  return redis.error_reply('FENCED owner changed or the store lost commits')
end
local function dueTimes(keys)
  local times = {}
  -- Not ZMSCORE: Redis 6.0 has none.
  for i = 1, #keys do times[i] = redis.call('ZSCORE', KEYS[3], keys[i]) end
  return times
end
`;

/** ARGV: owner, lowest next, cursor, count. Reply: next, ordinal, outboxes, due times, keys and states (flat), cursor. */
export const SCAN_SCRIPT = `
${GUARD}
local page = redis.call('HSCAN', KEYS[2], ARGV[3], 'COUNT', ARGV[4])
local keys = {}
for i = 1, #page[2], 2 do keys[#keys + 1] = page[2][i] end
return {held[2] or '0', held[3] or '0', redis.call('HLEN', KEYS[4]), dueTimes(keys), page[2], page[1]}
`;

/** ARGV: owner, lowest next, keys. Reply: next, ordinal, outboxes, due times, states. */
export const PEEK_SCRIPT = `
${GUARD}
local keys, states = {}, {}
for i = 3, #ARGV do keys[#keys + 1] = ARGV[i] end
for from = 1, #keys, 1000 do
  local part = redis.call('HMGET', KEYS[2], unpack(keys, from, math.min(from + 999, #keys)))
  for i = 1, #part do states[#states + 1] = part[i] end
end
return {held[2] or '0', held[3] or '0', redis.call('HLEN', KEYS[4]), dueTimes(keys), states}
`;

/** ARGV: owner. UNLINK frees the memory in the background: a million states would hold up every other partition. */
export const WIPE_SCRIPT = `
local held = redis.call('HMGET', KEYS[1], 'owner', 'next', 'restoring')
local begun = held[2] and (held[3] or '') == ''
if held[1] ~= ARGV[1] or begun then return redis.error_reply('FENCED owner changed, or the partition works') end
redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4])
redis.call('HDEL', KEYS[1], 'next', 'ordinal', 'logTime', 'sequence', 'inForce', 'applied', 'restoring', 'commits')
return 'OK'
`;
