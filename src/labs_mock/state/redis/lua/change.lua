-- Replace the document of the control plane and run some commands, if its revision is the expected one, '' for none.
-- Behind the document: for each command how many words it has, itself, the name of its key, the rest.
local _, expected, revision, document = unpack(ARGV)
local present = redis.call('HGET', meta, 'revision') or ''
if present ~= expected then return {'changed', present, call('GET', 'control')} end
local position = 5
while ARGV[position] do
  local last = position + tonumber(ARGV[position])
  call(ARGV[position + 1], ARGV[position + 2], unpack(ARGV, position + 3, last))
  position = last + 1
end
call('SET', 'control', document, 'EX', ARGV[1] + SPARE)
redis.call('HSET', meta, 'revision', revision)
redis.call('EXPIRE', meta, ARGV[1])
return {'done'}
