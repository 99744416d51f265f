"""The rule algebra: from phrases and operators to sets of turns."""
