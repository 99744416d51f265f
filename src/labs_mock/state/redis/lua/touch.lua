-- A server lives that reads and writes this format: the namespace goes so many seconds from now at the earliest.
-- Its keys by their names are behind the format.
if redis.call('EXPIRE', meta, ARGV[1]) == 1 then
  for index = 4, #ARGV do
    call('EXPIRE', ARGV[index], ARGV[1] + SPARE)
  end
  call('SET', 'lease', ARGV[2], 'EX', ARGV[3])
end
return {'done'}
