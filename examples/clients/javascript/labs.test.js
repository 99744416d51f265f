import { expect, inject, test } from "vitest";
import { mock, mockClock } from "./every-test.js";
import { Labs, LabsError } from "./labs.js";

const { url, api_key } = inject("labs");
const labs = new Labs(url, api_key, mockClock);

const SUITCASE = { collection_slug: "hotel", scenario_slug: "lost-suitcase" };
const SEARCH = { type: "decision", name: "action", input: { value: "search_now" } };
const LINES = [
  { content: "I am sorry to hear that. What does it look like?" },
  { content: "Thank you. What is in it?" },
  { content: "We search for it at once.", tool_calls: [SEARCH] },
];
const MESSAGES = [
  { role: "user", content: "My suitcase has not come up." },
  { role: "assistant", content: "I am sorry. What does it look like?" },
];

test("an episode is played to its end", async () => {
  const answer = await labs.play(SUITCASE, LINES);
  expect(answer).toMatchObject({ turn: 3, reward: 1, episode_complete: true, terminal_reason: "completed" });
});

test("an episode that goes on has no terminal_reason", async () => {
  const answer = await labs.play(SUITCASE, LINES.slice(0, 2));
  expect(answer.episode_complete).toBe(false);
  expect(answer).not.toHaveProperty("terminal_reason"); // neither null nor ""
});

test("a 429 is waited for, and sent again", async () => {
  await mock("POST", "/faults", { path: "/api/v1/evaluate", first: 1, status: 429 });
  expect(await labs.evaluate(SUITCASE, MESSAGES)).toBeGreaterThan(0);
  const { requests } = await mock("GET", "/requests");
  expect(requests.map((request) => request.status)).toEqual([429, 200]);
});

test("a quota of two a minute takes two minutes for five requests", async () => {
  const key = "lab_slow"; // a key of its own: its quota is that of no other test
  await mock("POST", "/keys", { key, organisation: "slow", requests_per_minute: 2 });
  const before = await mockClock.now();
  const slow = new Labs(url, key, mockClock);
  for (let number = 0; number < 5; number++) await slow.evaluate(SUITCASE, MESSAGES);
  expect((await mockClock.now()) - before).toBe(120);
});

test("a turn whose answer is lost is not sent again", async () => {
  const { episode_id } = await labs.begin(SUITCASE);
  await mock("POST", "/faults", { path: "*/turns", close: true });
  await expect(labs.turn(episode_id, LINES[0])).rejects.toThrow("fetch failed");
  expect((await mock("GET", `/episodes/${episode_id}`)).turn).toBe(1); // it has been taken
});

test("a service that is down for a moment is asked again", async () => {
  await mock("POST", "/faults", { path: "/api/v1/evaluate", first: 2, status: 503 });
  expect(await labs.evaluate(SUITCASE, MESSAGES)).toBeGreaterThan(0);
});

test("what is refused is thrown, and not sent again", async () => {
  const misspelt = labs.begin({ ...SUITCASE, scenario_slug: "lost-suitcas" });
  await expect(misspelt).rejects.toThrow(LabsError);
  await expect(misspelt).rejects.toThrow("404 Scenario not found");
});
