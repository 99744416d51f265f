"""The pytest plugin. Nothing heavy is imported at module level."""
