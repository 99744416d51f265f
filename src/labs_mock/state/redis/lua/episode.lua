-- Stands before the scripts that read episodes. An episode has a head, its progress, and the lines of each turn.
local function progress_of(name)
  local turns, base, size, touched, ended = string.match(
    call('HGET', 'episodes.progress', name) or '', '^(%S+) (%S+) (%S+) (%S+) (%S*)$')
  if turns then return {turns = tonumber(turns), base = tonumber(base), size = tonumber(size), touched = touched, ended = ended} end
end

local function set_progress(name, one)
  local text = table.concat({whole(one.turns), whole(one.base), whole(one.size), one.touched, one.ended}, ' ')
  call('HSET', 'episodes.progress', name, text)
end

-- Whether its last turn was less than `lifetime` seconds ago.
local function is_present(one, now, lifetime)
  return one and tonumber(now) - tonumber(one.touched) < tonumber(lifetime)
end

local function whole_episode(name, one)
  local lines = {}
  for turn = one.base + 1, one.turns do
    lines[#lines + 1] = call('HGET', 'episodes.turns', name .. ':' .. whole(turn))
  end
  return {name, call('HGET', 'episodes', name), whole(one.turns), one.touched, one.ended, lines}
end
