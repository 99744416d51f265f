"""What an author writes: YAML documents, their schema, checks, and messages about mistakes."""
