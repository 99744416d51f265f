-- The namespace is in use: it goes so many seconds from now at the earliest. Its keys by their names are behind the first word.
if redis.call('EXPIRE', meta, ARGV[1]) == 1 then
  for index = 2, #ARGV do
    call('EXPIRE', ARGV[index], ARGV[1] + SPARE)
  end
end
return {'done'}
