-- Stands before every script. KEYS[1] is the namespace's `{name}:meta`, ARGV[1] the seconds that it stays behind its last use.
-- The other keys have the same tag, so that they are in the same slot.
local meta = KEYS[1]
local prefix = string.sub(meta, 1, -5)
local SPARE = 7200 -- seconds by which the other keys outlive `meta`, so that none is missing before it

local function call(command, part, ...)
  return redis.call(command, prefix .. part, ...)
end

local function keep(part)
  call('EXPIRE', part, ARGV[1] + SPARE, 'NX')
end

-- All digits of a double; Lua's own way from number to text drops some.
local function exact(number)
  return string.format('%.17g', number)
end

local function whole(number)
  return string.format('%.0f', number)
end

-- What a token's operation returned first, among the newest tokens and those before them.
local function remembered(tokens, token)
  return call('HGET', tokens .. '.newer', token) or call('HGET', tokens .. '.older', token)
end

local function remember(tokens, token, result, bound)
  local newer = tokens .. '.newer'
  local known = call('HLEN', newer)
  if known >= tonumber(bound) then
    call('UNLINK', tokens .. '.older')
    call('RENAME', newer, prefix .. tokens .. '.older')
    known = 0
  end
  call('HSET', newer, token, result)
  if known == 0 then keep(newer) end
end
