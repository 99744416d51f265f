local _, epoch, name, exhausted = unpack(ARGV)
if redis.call('HGET', meta, 'epoch') == epoch and call('HEXISTS', 'datasets', name .. ':since') == 1 then
  call('HSET', 'datasets', name .. ':exhausted', exhausted)
end
return {'done'}
