"""The key of a request, as its `Authorization` header has it (AUTH-1)."""

from collections.abc import Iterable


def bearer_key(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """What stands behind `Bearer` and one space, byte for byte; the scheme is in any case.

    None for another scheme, without the header, and where it stands twice.
    """
    values = [value for name, value in headers if name == b"authorization"]
    if len(values) != 1:
        return None
    scheme, _, key = values[0].partition(b" ")
    return key if scheme.lower() == b"bearer" else None
