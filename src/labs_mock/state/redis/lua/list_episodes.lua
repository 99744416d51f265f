-- So many that have not expired, the one with the newest turn first, behind one of them if it is named.
local _, limit, before, now, lifetime = unpack(ARGV)
local rank, found = 0, {}
if before ~= '' then
  rank = call('ZREVRANK', 'episodes.order', before)
  if not rank then return {'done', found} end
  rank = rank + 1
end
while #found < tonumber(limit) do
  local names = call('ZREVRANGE', 'episodes.order', rank, rank + 99)
  if #names == 0 then break end
  for _, name in ipairs(names) do
    local one = progress_of(name)
    if #found < tonumber(limit) and is_present(one, now, lifetime) then found[#found + 1] = whole_episode(name, one) end
  end
  rank = rank + 100
end
return {'done', found}
