"""The store in this process' memory: a table for each part, and `MemoryStore` over them."""
