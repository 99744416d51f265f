-- Six messages of 1.5 KB that were never seen before: a counter and a round's number stand in each.
local round = os.getenv("ROUND") or "0"
local sentences = {
  "I hear you, and I would like to understand the situation a little better before we go on. ",
  "Could you tell me what happened on that day, and what you were doing when you noticed it? ",
  "We can take our time with this; there is no need to decide anything in this conversation. ",
}
local pieces = { '{"collection_slug":"case-management","scenario_slug":"lower-back-claim","messages":[' }
for i = 1, 6 do
  local role = i % 2 == 1 and "user" or "assistant"
  local text = string.rep(sentences[1 + i % 3], 17):sub(1, 1485)
  pieces[#pieces] = pieces[#pieces] .. '{"role":"' .. role .. '","content":"'
  pieces[#pieces + 1] = false -- the mark
  pieces[#pieces + 1] = " " .. i .. " " .. text .. (i < 6 and '"},' or '"}]}')
end
local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer lab_local" }
local count = 0

request = function()
  count = count + 1
  local mark = round .. "-" .. count
  for i = 2, 12, 2 do
    pieces[i] = mark
  end
  return wrk.format("POST", "/api/v1/evaluate", headers, table.concat(pieces))
end

done = function(summary)
  local errors = summary.errors
  local bad = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("RESULT %f %d\n", summary.requests / (summary.duration / 1000000), bad))
end
