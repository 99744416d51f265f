"""Every id and every draw: hashes of what was asked, never chance (DET-3)."""

from hashlib import blake2b

from xxhash import xxh3_128_digest

_CROCKFORD = b"0123456789abcdefghjkmnpqrstvwxyz" * 8  # one character for every value of a byte

ID_LENGTH = 26
ID_PATTERN = f"[0-9a-hjkmnp-tv-z]{{{ID_LENGTH}}}"  # Crockford's alphabet has no i, l, o and u


def fingerprint(organisation: str, method: str, path: str, body: bytes) -> bytes:
    """16 bytes that stand for what was asked: equal requests of an organisation share them."""
    head = f"{organisation}\0{method}\0{path}\0".encode("utf-8", "surrogatepass")
    return xxh3_128_digest(head + xxh3_128_digest(body))


def request_id(seed: int, asked: bytes, attempt: int) -> str:
    """`req_` and 26 lower-case Crockford base-32 characters (ID-1)."""
    return "req_" + _characters(seed, b"request", asked, attempt)


def episode_id(seed: int, asked: bytes, attempt: int) -> str:
    """`ep_` and 26 lower-case Crockford base-32 characters (EP-1)."""
    return "ep_" + _characters(seed, b"episode", asked, attempt)


def digest(content: bytes) -> str:
    """12 hexadecimal characters: the version of a piece of content."""
    return blake2b(content, digest_size=6).hexdigest()


def _characters(seed: int, purpose: bytes, asked: bytes, attempt: int) -> str:
    text = b"%d\0%b\0%d\0%b" % (seed, purpose, attempt, asked)
    return blake2b(text, digest_size=ID_LENGTH).digest().translate(_CROCKFORD).decode()
