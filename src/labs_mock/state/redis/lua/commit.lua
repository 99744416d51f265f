-- All that a request changes, or nothing.
local _, epoch, token, tokens, created, collection, slug, head, base, size, created_touched, created_ended,
  turned, expected, lines, added, touched, ended, max_episodes, max_characters,
  data, weight, request, response, info, warning, max_records, max_journal, rewards, max_rewards = unpack(ARGV)
local present, order = unpack(redis.call('HMGET', meta, 'epoch', 'order'))
if present ~= epoch then return {'stale'} end
local before = remembered('commits', token)
if before then return {'done', tonumber(before)} end

local one = turned ~= '' and progress_of(turned) or nil
if created ~= '' and call('HEXISTS', 'episodes.progress', created) == 1 then return {'conflict', 'the id is taken'} end
if turned ~= '' and (not one or one.turns ~= tonumber(expected) or one.ended ~= '') then
  return {'conflict', 'not as it was after turn ' .. expected}
end

local function forget_episode(name)
  local gone = progress_of(name)
  for turn = gone.base + 1, gone.turns do
    call('HDEL', 'episodes.turns', name .. ':' .. whole(turn))
  end
  call('HDEL', 'episodes', name, name .. ':collection', name .. ':slug')
  call('HDEL', 'episodes.progress', name)
  call('HINCRBY', 'episodes.counts', 'characters', whole(-gone.size))
end

-- The one with the newest turn now; the others make room.
local function put_episode(name, more)
  call('ZADD', 'episodes.order', call('HINCRBY', 'episodes.counts', 'turns', 1), name)
  local characters = call('HINCRBY', 'episodes.counts', 'characters', more)
  local stored = call('ZCARD', 'episodes.order')
  while stored > tonumber(max_episodes) or (characters > tonumber(max_characters) and stored > 1) do
    forget_episode(call('ZPOPMIN', 'episodes.order')[1])
    characters = tonumber(call('HGET', 'episodes.counts', 'characters'))
    stored = stored - 1
  end
  if stored == 1 then
    keep('episodes')
    keep('episodes.progress')
    keep('episodes.order')
    keep('episodes.counts')
  end
end

if one then
  one.turns, one.size, one.touched, one.ended = one.turns + 1, one.size + tonumber(added), touched, ended
  call('HSET', 'episodes.turns', turned .. ':' .. whole(one.turns), lines)
  if one.turns == one.base + 1 then keep('episodes.turns') end
  set_progress(turned, one)
  put_episode(turned, added)
end
if created ~= '' then
  call('HSET', 'episodes', created, head, created .. ':collection', collection, created .. ':slug', slug)
  local turns = tonumber(base)
  set_progress(created, {turns = turns, base = turns, size = tonumber(size), touched = created_touched, ended = created_ended})
  put_episode(created, size)
end

-- Of the oldest record that still has them the large bodies, and when none has any, the oldest record.
local function make_room(counts)
  if counts.bare >= counts.last then return false end
  counts.bare = counts.bare + 1
  local entry, number = entry_of(counts.bare), whole(counts.bare)
  if entry.request ~= '0' or entry.response ~= '0' then
    counts.size = counts.size - entry.request - entry.response
    call('HDEL', 'journal.bodies', number .. ':request', number .. ':response')
  end
  return true
end

local AMENDED = {'delivery', 'findings', 'amended', 'answered', 'weight', 'info', 'warning'}

local function forget_record(counts)
  local number = counts.dropped + 1
  local entry, fields = entry_of(number), {}
  for index, name in ipairs(AMENDED) do
    fields[index] = whole(number) .. ':' .. name
  end
  local more = call('HMGET', 'journal.amended', fields[5], fields[6], fields[7])
  counts.size = counts.size - entry.weight - (more[1] or 0)
  counts.info = counts.info + entry.info + (more[2] or 0)
  counts.warning = counts.warning + entry.warning + (more[3] or 0)
  if more[1] then call('HDEL', 'journal.amended', unpack(fields)) end
  if counts.bare < number then
    if entry.request ~= '0' or entry.response ~= '0' then
      counts.size = counts.size - entry.request - entry.response
      call('HDEL', 'journal.bodies', whole(number) .. ':request', whole(number) .. ':response')
    end
    counts.bare = number
  end
  call('XDEL', 'journal', whole(number) .. '-0')
  counts.dropped = number
end

local function log_record()
  local counts, before = counts_of()
  counts.last = counts.last + 1
  local number = whole(counts.last)
  call('XADD', 'journal', number .. '-0', 'data', data, 'token', token, 'answered', order, 'weight', weight,
    'request', #request, 'response', #response, 'info', info, 'warning', warning)
  if request ~= '' then call('HSET', 'journal.bodies', number .. ':request', request) end
  if response ~= '' then call('HSET', 'journal.bodies', number .. ':response', response) end
  if request ~= '' or response ~= '' then keep('journal.bodies') end
  counts.size = counts.size + weight + #request + #response
  while counts.size > tonumber(max_journal) do
    if not make_room(counts) then forget_record(counts) end
  end
  if counts.last - counts.dropped > tonumber(max_records) then forget_record(counts) end
  set_counts(counts, before)
  if counts.last - counts.dropped <= 1 then
    keep('journal')
    keep('journal.counts')
  end
  return counts.last
end

-- A ring of 26 bytes a reward: the number of its request, and what the process has packed (item, conversation, reward).
local function log_rewards(number)
  local before = tonumber(call('GET', 'rewards.total') or 0)
  local total, ring = before, tonumber(max_rewards)
  for start = 1, #rewards, 18 do
    local place = math.fmod(total, ring) * 26
    call('SETRANGE', 'rewards', whole(place), struct.pack('<d', number) .. string.sub(rewards, start, start + 17))
    total = total + 1
  end
  call('SET', 'rewards.total', whole(total), 'KEEPTTL')
  if before == 0 then
    keep('rewards')
    keep('rewards.total')
  end
end

local number = 0
if data ~= '' then
  number = log_record()
  if rewards ~= '' then log_rewards(number) end
end
remember('commits', token, whole(number), tokens)
return {'done', number}
