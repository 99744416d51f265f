"""Every id and every seeded number: hashes of a seed and the request, never of the time or an order of arrival (DET-3)."""

from hashlib import blake2b
from math import isqrt

from xxhash import xxh3_128_digest, xxh3_128_intdigest

_CROCKFORD = b"0123456789abcdefghjkmnpqrstvwxyz" * 8  # one character for every value of a byte
_OCTAL = b"01234567" * 32  # the first of 26 characters has 3 of 128 bits

ID_LENGTH = 26
_ROUNDS = (1, 2, 3)
ID_PATTERN = f"[0-7][0-9a-hjkmnp-tv-z]{{{ID_LENGTH - 1}}}"  # Crockford's alphabet has no i, l, o and u


def fingerprint(organisation: str, method: str, path: str, body: bytes) -> bytes:
    """16 bytes that name a request by its content: equal requests of an organisation share them."""
    head = f"{organisation}\0{method}\0{path}\0".encode("utf-8", "surrogatepass")
    return xxh3_128_digest(head + xxh3_128_digest(body))


def request_id(seed: int, fingerprint: bytes, attempt: int) -> str:
    """`req_` and 26 lower-case Crockford base-32 characters, 128 bits, as TypeIDs and ULIDs have them (ID-1)."""
    return "req_" + _characters(seed, b"request", fingerprint, attempt)


def episode_id(seed: int, fingerprint: bytes, attempt: int) -> str:
    """`ep_` and 26 such characters (EP-1, ID-1)."""
    return "ep_" + _characters(seed, b"episode", fingerprint, attempt)


def key_id(key: str) -> str:
    """`key_` and 26 such characters, which have nothing of the key in them (KEY-1, ID-1)."""
    return "key_" + _characters(0, b"key", key.encode(), 0)


def digest(content: bytes) -> str:
    """12 hexadecimal characters: the version of a piece of content."""
    return blake2b(content, digest_size=6).hexdigest()


def seeded_number(seed: int, purpose: str, fingerprint: bytes, attempt: int) -> float:
    """A number in [0, 1) for a request and a purpose, the same whenever the request arrives."""
    text = b"%d\0%b\0%d\0%b" % (seed, purpose.encode(), attempt, fingerprint)
    return int.from_bytes(blake2b(text, digest_size=6).digest()) / 2**48


def permuted(key: bytes, number: int, size: int) -> int:
    """The place of a number of range(size) in the permutation of that range that a key selects.

    A Feistel network over pairs: range(a·b) with a·b just above the size, applied again while its result is outside.
    """
    wide = isqrt(size - 1) + 1
    narrow = -(-size // wide)
    while True:
        left, right = divmod(number, narrow)
        for turn in _ROUNDS:
            left = (left + xxh3_128_intdigest(b"%d\0%b\0%d" % (right, key, turn))) % wide
            right = (right + xxh3_128_intdigest(b"%d\0%b\0%d" % (left, key, -turn))) % narrow
        number = left * narrow + right
        if number < size:
            return number


def _characters(seed: int, purpose: bytes, fingerprint: bytes, attempt: int) -> str:
    text = b"%d\0%b\0%d\0%b" % (seed, purpose, attempt, fingerprint)
    made = blake2b(text, digest_size=ID_LENGTH).digest()
    return (made[:1].translate(_OCTAL) + made[1:].translate(_CROCKFORD)).decode()
