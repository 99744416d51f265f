"""Speed as ratios that are measured in one run. README.md says what and how; `make bench` runs all."""
