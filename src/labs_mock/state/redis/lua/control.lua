-- The document of the control plane, unless the caller has it.
local revision = redis.call('HGET', meta, 'revision')
if not revision then return {'gone'} end
if revision == ARGV[2] then return {'done'} end
return {'changed', revision, call('GET', 'control')}
