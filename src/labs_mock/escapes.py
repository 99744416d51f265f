"""Text that comes from a file or a server, made safe to show on a terminal."""


def printable(text: str, keep: str = "\n") -> str:
    """A text as a terminal may have it: whatever cannot be seen is an escape, but for the characters to keep.

    So neither control characters nor those that turn the direction of writing can change what a person reads. A text that is
    a part of a line keeps nothing; the default is for text that was laid out in lines by ourselves.
    """
    return text if text.isprintable() else "".join(one if one in keep else _visible(one) for one in text)


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
