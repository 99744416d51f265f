"""Faults: which ones a request triggers, what they change of its response, and how that is then sent."""
