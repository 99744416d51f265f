"""The error messages of the contract, and ours where it gives none. Each names its clause."""

from labs_mock.contract.limits import MAX_FIELDS, MAX_HEAD

UNAUTHORIZED = "Invalid or missing API key"  # AUTH-1 (D)
NO_SUBSCRIPTION = "No active subscription for collection"  # AUTH-2 (D)
RATE_LIMITED = "Rate limit exceeded"  # RL-2 (D)
EPISODE_COMPLETE = "Episode already complete"  # EP-13 (D)
EPISODE_NOT_FOUND = "Episode not found"  # EP-13 (D)

DATASET_NOT_FOUND = "Training dataset not found"  # DS-5

HEAD_TOO_LARGE = f"head: expected at most {MAX_HEAD:,} bytes and {MAX_FIELDS} fields"  # GEN-3
UNKNOWN_PATH = "Not found: no such path"  # GEN-3
NO_OPERATOR_MESSAGE = (  # EP-7, EP-8
    "messages: expected at least one new assistant message from the operator; "
    "persona lines and messages of other roles do not count"
)
STORE_SILENT = (
    "The store of this server's state does not answer; nobody knows whether this request was applied"  # GEN-2
)
FAULTED = "A fault of the mock server's fault plan"
INTERNAL = "Internal error of the mock server, not of your request; its log has the details under this request id"


def unknown_collection(slug: str) -> str:
    """No such collection (EP-1)."""
    return f"Collection not found: {quote(slug)}"


def unknown_scenario(collection: str, slug: str) -> str:
    """No such scenario in a collection (EP-1)."""
    return f"Scenario not found: {quote(slug)} in collection {quote(collection)}"


def quote(text: str, limit: int = 40) -> str:
    """Input as an error message may show it: short, on one line and printable; keys in it are masked when it is sent (ERR-2)."""
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:limit])
    return f"'{shown}…'" if len(text) > limit else f"'{shown}'"
