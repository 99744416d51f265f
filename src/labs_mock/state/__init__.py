"""All mutable state: who may ask, how often, which episodes there are."""

from labs_mock.state.world import World

__all__ = ["World"]
