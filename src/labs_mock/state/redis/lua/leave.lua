-- A server ends, by its name; with the last one goes the lease.
call('ZREM', 'servers', ARGV[2])
if call('ZCARD', 'servers') == 0 then call('UNLINK', 'lease') end
return {'done'}
