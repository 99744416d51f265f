"""A client of the Labs API. It waits for the quota, sends again what may be sent again, and raises what the service refuses."""

import time

import httpx

PAUSES = (1, 4)  # seconds before the second and the third attempt


class Refused(Exception):
    """A 4xx other than 429: a mistake of the program, which the same request would only repeat."""


class Labs:
    def __init__(self, url, key):
        self.http = httpx.Client(base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.close()

    def evaluate(self, scenario, messages):
        """The reward of a conversation, from 0 to 1."""
        return self.call("/evaluate", {**scenario, "messages": messages})["reward"]

    def play(self, scenario, lines):
        """Plays an episode until it is complete or there is nothing more to say; the reward of all of it."""
        episode = self.call("/episodes", {**scenario, "score_turns": True})["episode_id"]
        reward = None
        for line in lines:
            turn = {"id": episode, "messages": [{"role": "assistant", "content": line}]}
            # Not sent again after a lost answer: the turn may have been taken, and would count twice.
            answer = self.call(f"/episodes/{episode}/turns", turn, again=False)
            reward = answer["reward"]
            if answer["episode_complete"]:
                break
        return reward

    def call(self, path, body, again=True):
        pauses = iter(PAUSES if again else ())
        while True:
            try:
                response = self.http.post(path, json=body)
                if response.status_code == 429:
                    time.sleep(max(0, int(response.headers["X-RateLimit-Reset"]) - time.time()))
                    continue
                if response.is_client_error:
                    raise Refused(f"{response.status_code} {response.json()['message']}")
                return response.raise_for_status().json()
            except (httpx.HTTPError, ValueError):  # a 5xx, no answer, or one that is no JSON
                pause = next(pauses, None)
                if pause is None:
                    raise
                time.sleep(pause)
