-- Put a verdict behind the others, of which so many stay.
local _, verdict, bound = unpack(ARGV)
call('RPUSH', 'verdicts', verdict)
call('LTRIM', 'verdicts', -tonumber(bound), -1)
keep('verdicts')
return {'done'}
