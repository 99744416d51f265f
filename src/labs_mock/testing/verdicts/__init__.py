"""Verdicts: what a trainer did with the rewards, advantages and texts of its rollouts, and what usually causes that."""
