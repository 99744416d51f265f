-- A page of the journal, and which journal it is of.
local _, after, limit = unpack(ARGV)
local epoch, generation = unpack(redis.call('HMGET', meta, 'epoch', 'generation'))
local page = {}
if epoch and tonumber(limit) > 0 then
  for index, found in ipairs(call('XRANGE', 'journal', whole(after + 1) .. '-0', '+', 'COUNT', limit)) do
    local number = string.match(found[1], '^%d+')
    page[index] = {number, found[2],
      call('HMGET', 'journal.bodies', number .. ':request', number .. ':response'),
      call('HMGET', 'journal.amended', number .. ':delivery', number .. ':findings', number .. ':amended', number .. ':answered')}
  end
end
return {'done', (epoch or '') .. ':' .. (generation or ''), page}
