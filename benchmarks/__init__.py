"""Speed as ratios to a ceiling that is measured in the same run. `make bench` runs all of them."""
