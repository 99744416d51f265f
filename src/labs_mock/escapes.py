"""Text that comes from a file or a server, made safe to show on a terminal."""


def printable(text: str, keep: str = "\n") -> str:
    """A text that is safe on a terminal: every invisible character is an escape, but for those to keep.

    So neither control characters nor those that turn the direction of writing can change what a person reads. Text within a
    line keeps none; the default is for text whose line breaks are our own.
    """
    return text if text.isprintable() else "".join(one if one in keep else _visible(one) for one in text)


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
