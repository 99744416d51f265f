-- Six messages of 1.5 KB that were never seen before: each starts with a number of its own, and two of its twenty
-- sentences change from request to request, so that different things are said, too.
local round = os.getenv("ROUND") or "0"
local changing = {
  "Could you tell me what happened on that day, in your own words, from the beginning? ",
  "That sounds hard, and I am glad that you called; take all the time that you need for it. ",
  "Do you have any other work at the moment, a second job perhaps, or something at weekends? ",
  "Are you worried about going back, and is there somebody who could help you with it? ",
  "I understand. Thank you for telling me, I will write it down as you said it just now. ",
  "Before anything is decided we should wait for the results, whatever they will be. ",
  "The weather has been rather good this week, so the roads should be dry all the way. ",
}
local filler = string.rep("I would like to understand the situation a little better before we go on with it. ", 16)
local pieces = { '{"collection_slug":"case-management","scenario_slug":"lower-back-claim","messages":[' }
for i = 1, 6 do
  local role = i % 2 == 1 and "user" or "assistant"
  pieces[#pieces] = pieces[#pieces] .. '{"role":"' .. role .. '","content":"'
  pieces[#pieces + 1] = "" -- a number
  pieces[#pieces + 1] = "" -- what changes
  pieces[#pieces + 1] = filler .. (i < 6 and '"},' or '"}]}')
end
local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer lab_local" }
local count = 0

request = function()
  count = count + 1
  local draw = count * 7919
  for i = 0, 5 do
    pieces[3 * i + 2] = round .. "-" .. count .. "-" .. i .. " "
    pieces[3 * i + 3] = changing[1 + draw % 7] .. changing[1 + math.floor(draw / 7) % 7]
    draw = math.floor(draw / 5) + i
  end
  return wrk.format("POST", "/api/v1/evaluate", headers, table.concat(pieces))
end

done = function(summary)
  local errors = summary.errors
  local bad = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("RESULT %f %d\n", summary.requests / (summary.duration / 1000000), bad))
end
