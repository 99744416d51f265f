"""Drills: a user's function meets every failure that a reward client meets, and what it does then is rated."""
