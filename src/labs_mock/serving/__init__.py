"""Servers: uvicorn on a bound socket, in this process, in a thread, or in a process of its own."""
