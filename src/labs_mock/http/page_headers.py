"""What every response at a path for people says to the browser: load from here alone, guess nothing, tell nobody, keep nothing."""

from labs_mock.http.sending import Headers

UI = "/_mock/ui"
DOCS = "/docs"

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
PAGE_HEADERS: Headers = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]


def is_for_people(path: str) -> bool:
    """Whether a browser shows what is at a path: `/`, `/docs` and the inspector."""
    return path == "/" or any(path == one or path.startswith(f"{one}/") for one in (DOCS, UI))
