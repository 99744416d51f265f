"""What the engine plays: scenarios and datasets, compiled once when their files are loaded."""
