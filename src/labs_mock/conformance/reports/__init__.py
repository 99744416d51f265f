"""Reports of a run: on the terminal, as JSON, as JUnit XML and as a page."""
