"""How to install what an extra of the package has."""


def to_install(extra: str) -> str:
    """The command that installs an extra, from a package index and from a checkout."""
    return f"pip install 'labs-mock[{extra}]', or in a checkout '.[{extra}]'"
