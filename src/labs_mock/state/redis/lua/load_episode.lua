local _, epoch, name, now, lifetime = unpack(ARGV)
if redis.call('HGET', meta, 'epoch') ~= epoch then return {'stale'} end
local one = progress_of(name)
if not is_present(one, now, lifetime) then return {'done', false} end
return {'done', whole_episode(name, one)}
