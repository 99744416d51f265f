-- A server lives that reads and writes this format: the namespace goes so many seconds from now at the earliest.
-- Behind the format are the seconds of its lease, its name, and the keys of the namespace by their names. How many servers live.
if redis.call('EXPIRE', meta, ARGV[1]) == 0 then return {'done', 0} end
for index = 5, #ARGV do
  call('EXPIRE', ARGV[index], ARGV[1] + SPARE)
end
call('SET', 'lease', ARGV[2], 'EX', ARGV[3])
local now = tonumber(redis.call('TIME')[1])
call('ZREMRANGEBYSCORE', 'servers', '-inf', now)
call('ZADD', 'servers', now + ARGV[3], ARGV[4])
keep('servers')
return {'done', call('ZCARD', 'servers')}
