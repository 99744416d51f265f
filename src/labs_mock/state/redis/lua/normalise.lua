-- A log is in chunks of 64 rewards, each of which is 32 bytes: its time, and the sums of all before it and itself, from the
-- beginning: of units, and of their squares by millions and what is left, which stay whole numbers below 2^53.
local _, epoch, token, now, tokens, max_log, max_bytes, log_bytes, reward_bytes = unpack(ARGV)
if redis.call('HGET', meta, 'epoch') ~= epoch then return {'stale'} end
local before = remembered('normalised', token)
if before then return {'done', cmsgpack.unpack(before)} end
now, max_log = tonumber(now), tonumber(max_log)
local CHUNK, FORMAT = 64, '<dddd'

-- `last` counts all rewards that were ever added, `size` those that are left.
local function log_of(id)
  local text = call('HGET', 'logs', id)
  if not text then return {last = 0, size = 0, time = now, total = 0, high = 0, low = 0} end
  local last, size, time, total, high, low = struct.unpack('<dddddd', text)
  return {last = last, size = size, time = time, total = total, high = high, low = low}
end

local function chunk_of(id, index)
  return id .. ':' .. whole(math.floor((index - 1) / CHUNK))
end

-- Time and sums of the reward with an index from 1; nothing before the first.
local function reward_at(id, index)
  if index < 1 then return 0, 0, 0, 0 end
  local offset = math.fmod(index - 1, CHUNK) * 32
  return struct.unpack(FORMAT, call('HGET', 'logs', chunk_of(id, index)), offset + 1)
end

-- The index of the first reward from `low` on whose time is not before a moment; behind the last if there is none.
local function first_since(id, low, last, moment)
  local high = last + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if reward_at(id, middle) < moment then low = middle + 1 else high = middle end
  end
  return low
end

local function sums(id, log, kind, number)
  local first = math.max(log.last - log.size, log.last - max_log) + 1
  if kind == 'n' then
    first = math.max(first, log.last - number + 1)
  else
    first = first_since(id, first, log.last, math.max(now, log.time) - number)
  end
  if first > log.last then return {0, 0, 0, 0} end
  local total, high, low = 0, 0, 0
  if first > 1 then _, total, high, low = reward_at(id, first - 1) end
  return {log.last - first + 1, log.total - total, log.high - high, log.low - low}
end

local function forget(id, from, to)
  for chunk = math.floor(from / CHUNK), math.floor(to / CHUNK) do
    call('HDEL', 'logs', id .. ':' .. whole(chunk))
  end
end

local entries, position = {}, 10
while ARGV[position] do
  local entry = {id = ARGV[position], names = tonumber(ARGV[position + 1]), units = tonumber(ARGV[position + 2]),
    high = tonumber(ARGV[position + 3]), low = tonumber(ARGV[position + 4]), sums = {}}
  local windows = tonumber(ARGV[position + 5])
  local log = log_of(entry.id)
  for window = 1, windows do
    local kind, number = ARGV[position + 4 + 2 * window], tonumber(ARGV[position + 5 + 2 * window])
    entry.sums[window] = sums(entry.id, log, kind, number)
  end
  entries[#entries + 1] = entry
  position = position + 6 + 2 * windows
end

local function append(entry)
  local id, log = entry.id, log_of(entry.id)
  local is_new = log.last == 0
  log.time = math.max(now, log.time)
  log.total, log.high, log.low = log.total + entry.units, log.high + entry.high, log.low + entry.low
  local added = struct.pack(FORMAT, log.time, log.total, log.high, log.low)
  log.last, log.size = log.last + 1, log.size + 1
  local chunk = chunk_of(id, log.last)
  call('HSET', 'logs', chunk, (call('HGET', 'logs', chunk) or '') .. added)
  local grown = reward_bytes + (is_new and log_bytes + entry.names or 0)
  if log.size >= 2 * max_log then
    local first = log.last - max_log -- the sums of the reward before those that stay are needed, too
    forget(id, math.max(0, log.last - log.size - 1), math.floor((first - 1) / CHUNK) * CHUNK - 1)
    grown = grown - reward_bytes * (log.size - max_log)
    log.size = max_log
  end
  call('HSET', 'logs', id, struct.pack('<dddddd', log.last, log.size, log.time, log.total, log.high, log.low),
    id .. ':weight', whole((call('HGET', 'logs', id .. ':weight') or 0) + grown))
  call('ZADD', 'logs.order', call('HINCRBY', 'logs', 'appended', 1), id)
  local bytes = call('HINCRBY', 'logs', 'bytes', whole(grown))
  local stored = call('ZCARD', 'logs.order')
  if stored == 1 then
    keep('logs')
    keep('logs.order')
  end
  while bytes > tonumber(max_bytes) and stored > 1 do
    local gone = call('ZPOPMIN', 'logs.order')[1]
    local old = log_of(gone)
    bytes = call('HINCRBY', 'logs', 'bytes', whole(-call('HGET', 'logs', gone .. ':weight')))
    forget(gone, math.max(0, old.last - old.size - CHUNK), old.last - 1)
    call('HDEL', 'logs', gone, gone .. ':weight')
    stored = stored - 1
  end
end

local found = {}
for index, entry in ipairs(entries) do
  append(entry)
  found[index] = entry.sums
end
remember('normalised', token, cmsgpack.pack(found), tokens)
return {'done', found}
