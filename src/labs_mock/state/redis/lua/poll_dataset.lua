-- One poll, as `Progress.at` and `Progress.after_poll` have it; `polls` and `seconds` of each stage come with it.
local _, epoch, asked_revision, name, now, stages, remembered_polls = unpack(ARGV)
local present, revision = unpack(redis.call('HMGET', meta, 'epoch', 'revision'))
if present ~= epoch then return {'stale'} end
if revision ~= asked_revision then return {'changed', revision, call('GET', 'control')} end
now, stages = tonumber(now), cjson.decode(stages)
local since, position, polls, polled = unpack(
  call('HMGET', 'datasets', name .. ':since', name .. ':position', name .. ':polls', name .. ':polled'))
since, position, polls = tonumber(since), tonumber(position or 0), tonumber(polls or 0)
local moments = {}
for moment in string.gmatch(polled or '', '%S+') do moments[#moments + 1] = moment end

local stage = stages[position + 1]
while stage.seconds and now - since >= stage.seconds do
  position, since, polls = position + 1, since + stage.seconds, 0
  stage = stages[position + 1]
end
local answer = {'done', position, table.concat(moments, ' ')}

polls = polls + 1
if polls == stage.polls then position, since, polls = position + 1, now, 0 end
moments[#moments + 1] = exact(now)
while #moments > tonumber(remembered_polls) do table.remove(moments, 1) end
call('HSET', 'datasets', name .. ':since', exact(since), name .. ':position', position, name .. ':polls', polls,
  name .. ':polled', table.concat(moments, ' '))
keep('datasets')
return answer
