"""A local, deterministic mock of the Labs API. Nothing heavy is imported here."""

__version__ = "0.1.0"
__all__ = ["__version__"]
