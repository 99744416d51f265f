-- A page of the ring of rewards: how many there have been, the number behind which it begins, and its bytes in two parts.
local _, after, limit, ring = unpack(ARGV)
ring = tonumber(ring)
local total = tonumber(call('GET', 'rewards.total') or 0)
local dropped = math.max(0, total - ring)
local first = math.max(tonumber(after), dropped)
local last = math.min(first + tonumber(limit), total)
if first >= last then return {'done', total, first, '', ''} end
local start, stop = math.fmod(first, ring), math.fmod(last - 1, ring)
if start <= stop then
  return {'done', total, first, call('GETRANGE', 'rewards', whole(start * 26), whole(stop * 26 + 25)), ''}
end
return {'done', total, first, call('GETRANGE', 'rewards', whole(start * 26), -1), call('GETRANGE', 'rewards', 0, whole(stop * 26 + 25))}
