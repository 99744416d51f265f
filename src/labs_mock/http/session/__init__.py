"""Saved sessions: one file with everything that a server knows, written from a world and read into another one."""
