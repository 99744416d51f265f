-- For wrk: requests made of the templates in the file TEMPLATES, each with a number that was not used before in place of
-- its marks. The templates are separated by a byte of value 1; the numbers begin with FIRST and have as many digits as a mark.
local file = assert(io.open(os.getenv("TEMPLATES"), "rb"))
local mark = "##########"
local templates = {}
for template in file:read("*a"):gmatch("[^\1]+") do
  local pieces, start = {}, 1
  local at = template:find(mark, start, true)
  while at do
    pieces[#pieces + 1] = template:sub(start, at - 1)
    start = at + #mark
    at = template:find(mark, start, true)
  end
  pieces[#pieces + 1] = template:sub(start)
  templates[#templates + 1] = pieces
end
file:close()

local number = tonumber(os.getenv("FIRST"))

request = function()
  number = number + 1
  return table.concat(templates[1 + number % #templates], string.format("%d", number))
end

done = function(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  local rate = summary.requests / (summary.duration / 1000000)
  local p50, p99 = latency:percentile(50) / 1000, latency:percentile(99) / 1000
  io.write(string.format("RESULT %f %f %f %d\n", rate, p50, p99, failed))
end
