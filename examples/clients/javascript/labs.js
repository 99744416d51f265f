/**
 * A client of the Labs API for node, with nothing but its own `fetch`. It waits for the quota, sends again what may be sent again,
 * and throws what the service refuses.
 *
 * @typedef {{collection_slug: string, scenario_slug: string}} Scenario
 * @typedef {{type: "artifact" | "decision", name: string, input: object}} ToolCall
 * @typedef {{content: string, tool_calls?: ToolCall[]}} Said  what the operator says in a turn
 */

/** An answer that is an error. A 4xx other than 429 is a mistake of the program: the same request gets the same answer. */
export class LabsError extends Error {
  /** @param {number} status @param {{message: string, data: {request_id: string}}} body */
  constructor(status, body) {
    super(`${status} ${body.message} (${body.data.request_id})`);
    this.status = status;
  }
}

/** The clock that a client waits by, in seconds; a test gives it the server's. */
export const realClock = {
  now: async () => Date.now() / 1000,
  sleep: (/** @type {number} */ seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds)),
};

const PAUSES = [1, 4]; // seconds before the second and the third attempt

export class Labs {
  /** @param {string} url such as http://127.0.0.1:8765 @param {string} key */
  constructor(url, key, clock = realClock) {
    this.base = `${url}/api/v1`;
    this.headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
    this.clock = clock;
  }

  /** The reward of a conversation, from 0 to 1. @param {Scenario} scenario @param {object[]} messages */
  async evaluate(scenario, messages) {
    return (await this.call("/evaluate", { ...scenario, messages })).reward;
  }

  /** The first observation of a new episode, its id and its tools. @param {Scenario} scenario */
  async begin(scenario) {
    return this.call("/episodes", { ...scenario, score_turns: true });
  }

  /** Not sent again after a lost answer: the turn may have been taken. @param {string} id @param {Said} said */
  async turn(id, said) {
    const messages = [{ role: "assistant", ...said }];
    return this.call(`/episodes/${id}/turns`, { id, messages }, { again: false });
  }

  /**
   * Plays an episode until it is complete or there is nothing more to say. The last answer has the reward of all of it.
   * @param {Scenario} scenario @param {Iterable<Said>} lines
   */
  async play(scenario, lines) {
    const { episode_id } = await this.begin(scenario);
    let answer;
    for (const said of lines) {
      answer = await this.turn(episode_id, said);
      if (answer.episode_complete) break; // only now there is a terminal_reason
    }
    return answer;
  }

  /** @param {string} path @param {object} body */
  async call(path, body, { again = true } = {}) {
    for (let attempt = 0; ; ) {
      const { status, headers, answer, error } = await this.post(path, body);
      if (status === 429) {
        await this.clock.sleep(Math.max(0, headers.get("X-RateLimit-Reset") - (await this.clock.now())));
      } else if (error || status >= 500) {
        if (!again || attempt === PAUSES.length) throw error ?? new LabsError(status, answer);
        await this.clock.sleep(PAUSES[attempt++]);
      } else if (status === 200) {
        return answer;
      } else {
        throw new LabsError(status, answer);
      }
    }
  }

  /** The whole answer, or the `error` that came instead: no connection, a broken one, no JSON, more than a minute. */
  async post(path, body) {
    const options = { method: "POST", headers: this.headers, signal: AbortSignal.timeout(60_000) };
    try {
      const response = await fetch(this.base + path, { ...options, body: JSON.stringify(body) });
      return { status: response.status, headers: response.headers, answer: await response.json() };
    } catch (error) {
      return { error };
    }
  }
}
