"""What can change and where it is stored: `Store`, the store in memory, and the world of one server."""

from labs_mock.state.world import World

__all__ = ["World"]
