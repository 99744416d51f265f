-- Remove all keys of the namespace, which are named behind the first two words; if the second is `unused`, not while a server lives.
if ARGV[2] == 'unused' and call('EXISTS', 'lease') == 1 then return {'used'} end
for index = 3, #ARGV do call('UNLINK', ARGV[index]) end
redis.call('UNLINK', meta)
return {'done'}
