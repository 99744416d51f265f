"""The garbage collector, where it would find nothing."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collector() -> Iterator[None]:
    """No garbage is collected within the block, which makes many objects and hardly any garbage: an import, or loading a library.

    What the block leaves stays, so the collector need not visit it later.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
