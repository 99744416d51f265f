-- Remove all keys of the namespace, which are named behind the first word.
for index = 2, #ARGV do call('UNLINK', ARGV[index]) end
redis.call('UNLINK', meta)
return {'done'}
