-- Stands before the scripts that write the journal: a stream whose entries have the ids 1-0, 2-0 and so on.
local COUNTS = {'last', 'dropped', 'size', 'bare', 'info', 'warning'}

local function counts_of()
  local counts, before = {}, call('HMGET', 'journal.counts', unpack(COUNTS))
  for index, name in ipairs(COUNTS) do
    counts[name] = tonumber(before[index] or 0)
    before[name] = counts[name]
  end
  return counts, before
end

-- Those that are no longer as they were before.
local function set_counts(counts, before)
  local words = {}
  for _, name in ipairs(COUNTS) do
    if counts[name] ~= before[name] then
      words[#words + 1] = name
      words[#words + 1] = whole(counts[name])
    end
  end
  call('HSET', 'journal.counts', unpack(words))
end

-- An entry by its number, as a table of its fields.
local function entry_of(number)
  local id = whole(number) .. '-0'
  local found = call('XRANGE', 'journal', id, id)[1]
  if not found then return end
  local entry = {}
  for index = 1, #found[2], 2 do
    entry[found[2][index]] = found[2][index + 1]
  end
  return entry
end
