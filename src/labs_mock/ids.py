"""Every id and every draw: hashes of what was asked, never chance (DET-3)."""

from hashlib import blake2b
from math import isqrt

from xxhash import xxh3_128_digest, xxh3_128_intdigest

_CROCKFORD = b"0123456789abcdefghjkmnpqrstvwxyz" * 8  # one character for every value of a byte
_OCTAL = b"01234567" * 32  # the first of 26 characters has 3 of 128 bits

ID_LENGTH = 26
_ROUNDS = (1, 2, 3)
ID_PATTERN = f"[0-7][0-9a-hjkmnp-tv-z]{{{ID_LENGTH - 1}}}"  # Crockford's alphabet has no i, l, o and u


def fingerprint(organisation: str, method: str, path: str, body: bytes) -> bytes:
    """16 bytes that stand for what was asked: equal requests of an organisation share them."""
    head = f"{organisation}\0{method}\0{path}\0".encode("utf-8", "surrogatepass")
    return xxh3_128_digest(head + xxh3_128_digest(body))


def request_id(seed: int, asked: bytes, attempt: int) -> str:
    """`req_` and 26 lower-case Crockford base-32 characters, 128 bits, as TypeIDs and ULIDs have them (ID-1)."""
    return "req_" + _characters(seed, b"request", asked, attempt)


def episode_id(seed: int, asked: bytes, attempt: int) -> str:
    """`ep_` and 26 such characters (EP-1, ID-1)."""
    return "ep_" + _characters(seed, b"episode", asked, attempt)


def key_id(key: str) -> str:
    """`key_` and 26 such characters, which have nothing of the key in them (KEY-1, ID-1)."""
    return "key_" + _characters(0, b"key", key.encode(), 0)


def digest(content: bytes) -> str:
    """12 hexadecimal characters: the version of a piece of content."""
    return blake2b(content, digest_size=6).hexdigest()


def drawn(seed: int, purpose: str, asked: bytes, attempt: int) -> float:
    """A number in [0, 1) that belongs to a request and a purpose, whenever the request arrives."""
    text = b"%d\0%b\0%d\0%b" % (seed, purpose.encode(), attempt, asked)
    return int.from_bytes(blake2b(text, digest_size=6).digest()) / 2**48


def permuted(key: bytes, number: int, size: int) -> int:
    """Where a permutation of range(size) that the key stands for takes a number of that range.

    A Feistel network over pairs: range(a·b) with a·b just above the size; what falls outside goes on until it is inside.
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


def _characters(seed: int, purpose: bytes, asked: bytes, attempt: int) -> str:
    text = b"%d\0%b\0%d\0%b" % (seed, purpose, attempt, asked)
    made = blake2b(text, digest_size=ID_LENGTH).digest()
    return (made[:1].translate(_OCTAL) + made[1:].translate(_CROCKFORD)).decode()
