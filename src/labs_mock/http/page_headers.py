"""What every response at a path for people says to the browser: load from here alone, guess nothing, tell nobody, keep nothing."""

from labs_mock.http.sending import Headers

UI = "/_mock/ui"
LOGIN, SESSION = f"{UI}/login", "/_mock/session"
STATIC = f"{UI}/static/"
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


def is_to_log_in(path: str) -> bool:
    """Whether what is at a path is needed before one has logged in."""
    return path in (LOGIN, SESSION) or path.startswith(STATIC)


def is_for_people(path: str) -> bool:
    """Whether a path is for browsers: `/`, `/docs`, the inspector, and what it logs in with."""
    return path in ("/", SESSION) or any(path == one or path.startswith(f"{one}/") for one in (DOCS, UI))
