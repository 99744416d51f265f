"""What operations returned for their tokens, so that one that is sent twice is done once."""

from typing import Generic, TypeVar

Result = TypeVar("Result")


class Tokens(Generic[Result]):
    """The results of at least so many of the newest tokens, and of twice as many at most: those are forgotten half by half."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._newer: dict[str, Result] = {}
        self._older: dict[str, Result] = {}

    def get(self, token: str) -> Result | None:
        """What was returned for a token; None for one that is new, or was forgotten."""
        found = self._newer.get(token)
        return self._older.get(token) if found is None else found

    def put(self, token: str, result: Result) -> Result:
        """Remember a result, and return it."""
        if len(self._newer) >= self._limit:
            self._older, self._newer = self._newer, {}
        self._newer[token] = result
        return result

    def reset(self) -> None:
        """Forget everything."""
        self._newer = {}
        self._older = {}
