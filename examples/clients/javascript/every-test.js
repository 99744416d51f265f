// Vitest's setup file: each test begins on a server that has been reset, and fails if there are findings at its end.
import { afterEach, beforeEach, expect, inject } from "vitest";

const { url } = inject("labs");

/** A call of the control plane. @param {string} method @param {string} path @param {object} [body] */
export async function mock(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(`${url}/_mock${path}`, { method, headers, body: body && JSON.stringify(body) });
  if (!response.ok) throw new Error(`${method} /_mock${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** The server's clock, which stands still: who sleeps by it moves it on, and does not wait. */
export const mockClock = {
  now: async () => Date.parse((await mock("GET", "/clock")).now) / 1000,
  sleep: (seconds) => mock("POST", "/clock/advance", { seconds }),
};

beforeEach(() => mock("POST", "/reset"));

afterEach(async () => {
  const { findings } = await mock("GET", "/findings?severity=warning");
  expect(findings, "what the service would take silently").toEqual([]);
});
