-- Count a request. Nothing is written before all that may refuse it was asked.
local _, asked_revision, seen, now, fingerprint, bound, key, limit, faults, episode, first = unpack(ARGV)
local revision, order, latest, lowest = unpack(redis.call('HMGET', meta, 'revision', 'order', 'latest', 'attempt'))
if not revision then return {'gone'} end
if revision ~= asked_revision then return {'changed', revision, call('GET', 'control')} end
if tonumber(order) < tonumber(seen) then return {'older'} end -- than the caller has seen it in this epoch

lowest = tonumber(lowest or 0) -- attempt, which is not 0 where attempts were lost
local attempt = tonumber(call('HGET', 'attempts', fingerprint) or lowest)
faults = faults == '' and {} or cjson.decode(faults)
first = tonumber(first)
for _, fault in ipairs(faults) do
  if fault.share and (attempt < first or attempt >= first + #fault.share) then return {'attempt', attempt} end
end

-- Arrivals never go back, whichever process' clock is behind.
if latest and tonumber(latest) > tonumber(now) then now = latest end
order = tonumber(order) + 1
redis.call('HSET', meta, 'order', whole(order), 'latest', now)
now = tonumber(now)

call('HSET', 'attempts', fingerprint, attempt + 1)
call('ZADD', 'attempts.order', order, fingerprint)
local known = call('ZCARD', 'attempts.order')
if known == 1 then
  keep('attempts')
  keep('attempts.order')
end
if known > tonumber(bound) then
  call('HDEL', 'attempts', call('ZPOPMIN', 'attempts.order')[1])
end

-- The scenario of the episode in the path, for the faults that name one.
local function is_of_scenario(fault)
  local progress = call('HGET', 'episodes.progress', episode)
  if not progress then return false end
  local touched = string.match(progress, '^%S+ %S+ %S+ (%S+)')
  if now - tonumber(touched) >= fault.lifetime then return false end
  local collection, slug = unpack(call('HMGET', 'episodes', episode .. ':collection', episode .. ':slug'))
  return (not fault.collection or fault.collection == collection) and (not fault.slug or fault.slug == slug)
end

local function is_triggered(fault, matched)
  if fault.share then return string.sub(fault.share, attempt - first + 1, attempt - first + 1) == '1' end
  return (not fault.nth or matched == fault.nth)
    and (not fault.every or matched % fault.every == 0)
    and (not fault.first or matched <= fault.first)
    and (not fault.attempts or attempt - lowest < fault.attempts)
end

local triggered, refused = {}, false
for _, fault in ipairs(faults) do
  if not fault.lifetime or is_of_scenario(fault) then
    local matched = call('HINCRBY', 'faults', fault.serial .. ':matched', 1)
    if matched == 1 then keep('faults') end
    if is_triggered(fault, matched) then
      call('HINCRBY', 'faults', fault.serial .. ':applied', 1)
      triggered[#triggered + 1] = fault.serial
      refused = refused or fault.error
    end
  end
end

local window, used, allowed = 0, 0, 0
if limit == '' or refused then
  limit = ''
else
  -- As Python divides: `math.floor(now / 60)` would round up just before a minute.
  window = math.floor((now - math.fmod(now, 60)) / 60 + 0.5)
  local started, before = string.match(call('HGET', 'quotas', key) or '', '^(%d+):(%d+)$')
  used = tonumber(started) == window and tonumber(before) or 0
  allowed = used < tonumber(limit) and 1 or 0
  used = used + allowed
  if call('HSET', 'quotas', key, whole(window) .. ':' .. whole(used)) == 1 then keep('quotas') end
end
return {'done', order, exact(now), attempt, limit, used, window, allowed, triggered}
