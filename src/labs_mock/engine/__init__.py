"""Pure functions of (scenario, transcript): scan, persona, scores, gate, reward."""
