// Vitest's global setup: starts labs-mock on a free port before the tests, and stops it after them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SCENARIOS = fileURLToPath(new URL("../../scenarios", import.meta.url)); // yours; without a folder: the shipped ones
const OPTIONS = ["--port", "0", "--clock", "frozen", "--json", "--until-eof"];
const DEADLINE = 60_000; // milliseconds for the start; it takes less than one second on an idle machine

/** @param {import("vitest/node").TestProject} project */
export default async function setup(project) {
  const server = spawn("labs-mock", ["serve", SCENARIOS, ...OPTIONS], { stdio: ["pipe", "pipe", "inherit"] });
  const ready = await new Promise((resolve, reject) => {
    server.once("error", () => reject(new Error(NOT_INSTALLED)));
    server.once("exit", (code) => reject(new Error(`labs-mock ended with ${code} before it was ready; see above`)));
    setTimeout(() => reject(new Error("labs-mock was not ready in time")), DEADLINE).unref();
    createInterface(server.stdout).once("line", resolve);
  }).catch((error) => {
    server.kill();
    throw error;
  });
  project.provide("labs", JSON.parse(ready)); // url, api_key, pid, instance
  return async function teardown() {
    server.stdin.end(); // --until-eof: it stops then, and also if vitest is killed
    await once(server, "exit");
  };
}

const NOT_INSTALLED = `labs-mock is not installed, or not on the PATH. It needs Python 3.11 or newer; in a checkout of it:
  python3 -m venv .venv && . .venv/bin/activate && pip install .`;
