-- In its place in the order, since this is no turn.
local _, name, reason, now, lifetime = unpack(ARGV)
local one = progress_of(name)
if not is_present(one, now, lifetime) then return {'done', false} end
if one.ended ~= '' then return {'conflict', 'it has ended'} end
one.ended = reason
set_progress(name, one)
return {'done', whole_episode(name, one)}
