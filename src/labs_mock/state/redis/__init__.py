"""The store in Redis, for several processes on several machines: a script for each operation, and `RedisStore` over them."""
