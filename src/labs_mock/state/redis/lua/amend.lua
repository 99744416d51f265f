-- Behind the record of a commit: what replaces its delivery, and findings that are added.
local _, epoch, token, number, now, delivery, findings, weight, info, warning = unpack(ARGV)
if redis.call('HGET', meta, 'epoch') ~= epoch then return {'done'} end
local entry = entry_of(number)
if not entry or entry.token ~= token then return {'done'} end
local field = number .. ':'
local before = call('HGET', 'journal.amended', field .. 'findings') or ''
call('HSET', 'journal.amended', field .. 'delivery', delivery, field .. 'findings', before .. findings,
  field .. 'amended', now, field .. 'answered', redis.call('HGET', meta, 'order'))
call('HINCRBY', 'journal.amended', field .. 'weight', weight)
call('HINCRBY', 'journal.amended', field .. 'info', info)
call('HINCRBY', 'journal.amended', field .. 'warning', warning)
call('HINCRBY', 'journal.counts', 'size', weight)
keep('journal.amended')
return {'done'}
